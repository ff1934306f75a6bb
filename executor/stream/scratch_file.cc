#include "sluice/executor/stream/scratch_file.h"

#include <fcntl.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sluice/base/clock.h"
#include "sluice/base/disk_error.h"
#include "sluice/base/error.h"
#include "sluice/executor/ulid.h"

namespace sluice {

absl::StatusOr<std::unique_ptr<File>> OpenScratchFile(FileSystem& file_system,
                                                      const std::string& folder,
                                                      absl::string_view prefix,
                                                      absl::string_view what) {
  const std::string path =
      absl::StrCat(folder, "/", prefix, NewUlid(*Clock::Real()));
  IoResult<std::unique_ptr<File>> file =
      file_system.Open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
  if (!file.ok()) {
    return ScratchError(what, absl::StrCat("create ", path), file.error);
  }
  if (const int error = file_system.Unlink(path); error != 0) {
    return ScratchError(what, absl::StrCat("unlink ", path), error);
  }
  return std::move(file.value);
}

absl::Status WriteScratch(File& file, uint64_t offset, absl::string_view bytes,
                          absl::string_view what) {
  const int error = WriteAllAt(file, offset, bytes);
  return error == 0 ? absl::OkStatus() : ScratchError(what, "write", error);
}

absl::Status ScratchError(absl::string_view what, absl::string_view step,
                          int error) {
  constexpr DiskWords kWords = {
      kScratchNoSpace,
      kScratchPermissionDenied,
      kScratchUnavailable,
      "free some space, or choose another scratch folder",
      "set TMPDIR to a folder that can be written",
      "set TMPDIR to a folder that can be written"};
  const std::string message = absl::StrCat(what, ": ", step);
  if (error == EMFILE || error == ENFILE || error == ENOMEM) {
    return MakeError(absl::StatusCode::kResourceExhausted, kResourceExhausted,
                     absl::StrCat(message, ": ", std::strerror(error)));
  }
  return DiskError(error, message, kWords);
}

}  // namespace sluice
