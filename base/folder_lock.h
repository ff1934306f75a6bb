#ifndef SLUICE_BASE_FOLDER_LOCK_H_
#define SLUICE_BASE_FOLDER_LOCK_H_

// An exclusive lock on a folder, by flock(2) of the folder itself: nothing is
// left behind, and it ends with the process that holds it, however that ends.
// It is the lock that Badger takes on its directory, and the one that every
// restore into a folder holds, so that what a live restore has staged is never
// taken for what a crashed one left.
//
// Example:
//
//   SLUICE_ASSIGN_OR_RETURN(std::unique_ptr<FolderLock> lock,
//                           FolderLock::Take("/srv/db"));
//
// Advisory: it keeps out those that ask. Of this machine's folders; never
// waits. Two takers in one process exclude each other, too. When it was taken,
// `folder` named the folder that is locked, not one that had been removed.
//
// Errors: FAILED_PRECONDITION (source_unavailable) where another holds it;
// NOT_FOUND (source_unavailable) where there is no such folder; UNIMPLEMENTED
// (source_unavailable) where the file system has no lock for a folder, as NFS;
// source_permission_denied; else UNAVAILABLE (source_unavailable).
//
// Taken and released on any thread. The lock lasts as long as the object. A few
// system calls each.

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace sluice {

class FolderLock {
 public:
  static absl::StatusOr<std::unique_ptr<FolderLock>> Take(
      const std::string& folder);
  // The lock of a restore into `folder`. Held by another is
  // restore_precondition_failed, with a hint. Null, and no error, where the
  // file system has no such lock: the caller warns of it.
  static absl::StatusOr<std::unique_ptr<FolderLock>> TakeForRestore(
      const std::string& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  explicit FolderLock(int fd) : fd_(fd) {}

  const int fd_;
};

}  // namespace sluice

#endif  // SLUICE_BASE_FOLDER_LOCK_H_
