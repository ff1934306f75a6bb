#include "sluice/base/folder_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "sluice/base/error.h"

namespace sluice {
namespace {

constexpr absl::string_view kHeld = "another process has it locked";

absl::StatusCode CodeOf(int error) {
  switch (error) {
    case EWOULDBLOCK:
      return absl::StatusCode::kFailedPrecondition;
    case ENOENT:
    case ENOTDIR:
      return absl::StatusCode::kNotFound;
    case EACCES:
    case EPERM:
      return absl::StatusCode::kPermissionDenied;
    // What NFS and others answer for a folder: it cannot be opened for writing.
    case EBADF:
    case EINVAL:
    case ENOLCK:
    case ENOSYS:
    case EOPNOTSUPP:
      return absl::StatusCode::kUnimplemented;
    default:
      return absl::StatusCode::kUnavailable;
  }
}

absl::Status LockError(const std::string& folder, int error) {
  const bool permission = error == EACCES || error == EPERM;
  return MakeError(
      CodeOf(error), permission ? kSourcePermissionDenied : kSourceUnavailable,
      absl::StrCat(
          "lock ", folder, ": ",
          error == EWOULDBLOCK ? kHeld : absl::string_view(strerror(error))));
}

int LockExclusively(int fd) {
  while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EINTR) return errno;
  }
  return 0;
}

// A folder may be removed, and another made under its name, between the open
// and the lock.
bool IsStillThere(int fd, const std::string& folder) {
  struct stat locked {};
  struct stat named {};
  return fstat(fd, &locked) == 0 && stat(folder.c_str(), &named) == 0 &&
         locked.st_dev == named.st_dev && locked.st_ino == named.st_ino;
}

}  // namespace

absl::StatusOr<std::unique_ptr<FolderLock>> FolderLock::Take(
    const std::string& folder) {
  while (true) {
    const int fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return LockError(folder, errno);
    absl::Cleanup close_it = [fd] { close(fd); };
    if (const int error = LockExclusively(fd); error != 0) {
      return LockError(folder, error);
    }
    if (!IsStillThere(fd, folder)) continue;
    std::move(close_it).Cancel();
    return std::unique_ptr<FolderLock>(new FolderLock(fd));
  }
}

absl::StatusOr<std::unique_ptr<FolderLock>> FolderLock::TakeForRestore(
    const std::string& folder) {
  auto lock = Take(folder);
  if (absl::IsUnimplemented(lock.status())) return nullptr;
  if (!absl::IsFailedPrecondition(lock.status())) return lock;
  return WithHint(
      MakeError(absl::StatusCode::kFailedPrecondition,
                kRestorePreconditionFailed, lock.status().message()),
      "another restore goes there, or an application has it open: end that "
      "first");
}

FolderLock::~FolderLock() { close(fd_); }

}  // namespace sluice
