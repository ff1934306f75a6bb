#include "sluice/plugins/postgres/payload/spool_file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sluice/base/scratch_folder.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/postgres/payload/scratch.h"

namespace sluice::postgres {
absl::StatusOr<std::unique_ptr<SpoolFile>> SpoolFile::Create(
    FileSystem* file_system, std::string folder) {
  static std::atomic<uint64_t> number{0};
  folder = ScratchFolderOf(folder);
  std::string name;
  // A name may be taken by a process of our id that is dead.
  for (int attempt = 0; attempt < 100; ++attempt) {
    name = absl::StrCat(folder, "/sluice-postgres-", getpid(), "-", ++number);
    auto opened = file_system->Open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (opened.ok()) {
      std::unique_ptr<SpoolFile> file(
          new SpoolFile(file_system, std::move(name), std::move(opened.value)));
      SLUICE_RETURN_IF_ERROR(file->Unname());
      return file;
    }
    if (opened.error != EEXIST) {
      return ScratchError("create", name, opened.error);
    }
  }
  return ScratchError("create", name, EEXIST);
}

SpoolFile::SpoolFile(FileSystem* file_system, std::string name,
                     std::unique_ptr<File> file)
    : file_system_(file_system),
      name_(std::move(name)),
      path_(name_),
      file_(std::move(file)) {}

SpoolFile::~SpoolFile() {
  if (descriptor_ >= 0) close(descriptor_);
  if (has_name_) file_system_->Unlink(name_);
}

absl::Status SpoolFile::Unname() {
  descriptor_ = open(name_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (descriptor_ < 0) return ScratchError("open", name_, errno);
  const std::string path = absl::StrCat("/dev/fd/", descriptor_);
  if (access(path.c_str(), R_OK) != 0) return absl::OkStatus();
  if (const int error = file_system_->Unlink(name_)) {
    return ScratchError("remove the name of", name_, error);
  }
  has_name_ = false;
  path_ = path;
  return absl::OkStatus();
}

absl::Status SpoolFile::Append(absl::string_view bytes) {
  const int error = WriteAll(*file_, bytes);
  return error == 0 ? absl::OkStatus() : ScratchError("write", name_, error);
}

absl::Status SpoolFile::Close() {
  const int error = std::exchange(file_, nullptr)->Close();
  return error == 0 ? absl::OkStatus() : ScratchError("close", name_, error);
}

}  // namespace sluice::postgres
