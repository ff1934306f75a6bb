#include "sluice/plugins/postgres/spool_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"

namespace sluice::postgres {
namespace {

absl::Status ScratchError(absl::string_view what, const std::string& path,
                          int error) {
  const bool full = error == ENOSPC || error == EDQUOT;
  return WithHint(
      MakeError(full ? absl::StatusCode::kResourceExhausted
                     : absl::StatusCode::kUnavailable,
                kScratchUnavailable,
                absl::StrCat(what, " ", path, ": ", std::strerror(error))),
      "let TMPDIR name a folder with room for temporary files");
}

std::string DefaultFolder() {
  const char* folder = getenv("TMPDIR");
  return folder != nullptr && *folder != '\0' ? folder : "/tmp";
}

}  // namespace

absl::StatusOr<std::unique_ptr<SpoolFile>> SpoolFile::Create(
    FileSystem* file_system, std::string folder) {
  static std::atomic<uint64_t> number{0};
  if (folder.empty()) folder = DefaultFolder();
  std::string path;
  // A name may be taken by a process of our id that is dead.
  for (int attempt = 0; attempt < 100; ++attempt) {
    path = absl::StrCat(folder, "/sluice-postgres-", getpid(), "-", ++number);
    auto opened = file_system->Open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (opened.ok()) {
      return std::unique_ptr<SpoolFile>(
          new SpoolFile(file_system, std::move(path), std::move(opened.value)));
    }
    if (opened.error != EEXIST) {
      return ScratchError("create", path, opened.error);
    }
  }
  return ScratchError("create", path, EEXIST);
}

SpoolFile::SpoolFile(FileSystem* file_system, std::string path,
                     std::unique_ptr<File> file)
    : file_system_(file_system),
      path_(std::move(path)),
      file_(std::move(file)) {}

SpoolFile::~SpoolFile() { file_system_->Unlink(path_); }

absl::Status SpoolFile::Append(absl::string_view bytes) {
  while (!bytes.empty()) {
    const IoResult<size_t> written = file_->Write(bytes);
    if (!written.ok() && written.error != EINTR) {
      return ScratchError("write", path_, written.error);
    }
    bytes.remove_prefix(written.value);
  }
  return absl::OkStatus();
}

absl::Status SpoolFile::Close() {
  const int error = std::exchange(file_, nullptr)->Close();
  return error == 0 ? absl::OkStatus() : ScratchError("close", path_, error);
}

}  // namespace sluice::postgres
