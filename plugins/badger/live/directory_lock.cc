#include "sluice/plugins/badger/live/directory_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "sluice/base/error.h"
#include "sluice/plugins/badger/wire/image_error.h"

namespace sluice {
namespace badger {
namespace {

absl::Status LockError(const std::string& folder, absl::string_view what) {
  return MakeError(absl::StatusCode::kUnavailable, kSourceUnavailable,
                   absl::StrCat("lock ", folder, ": ", what));
}

}  // namespace

absl::StatusOr<std::unique_ptr<DirectoryLock>> DirectoryLock::Take(
    const std::string& folder) {
  const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return SourceIoError("lock", folder, errno);
  if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
    return std::unique_ptr<DirectoryLock>(new DirectoryLock(fd));
  }
  const int error = errno;
  close(fd);
  if (error != EWOULDBLOCK) return LockError(folder, strerror(error));
  return LockError(folder, "another process has the database open");
}

DirectoryLock::~DirectoryLock() { close(fd_); }

}  // namespace badger
}  // namespace sluice
