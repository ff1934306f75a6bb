#ifndef SLUICE_PLUGINS_BADGER_LIVE_DIRECTORY_LOCK_H_
#define SLUICE_PLUGINS_BADGER_LIVE_DIRECTORY_LOCK_H_

// The lock that Badger takes on a directory (flock of the directory itself),
// exclusive: while it is held no Badger can open the directory, and an
// application that starts meanwhile fails at once.
//
//   SLUICE_ASSIGN_OR_RETURN(std::unique_ptr<DirectoryLock> lock,
//                           DirectoryLock::Take("/srv/db"));
//
// Never waits. Errors: source_unavailable where another process has it, or
// there is no directory. One thread.

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace sluice {
namespace badger {

class DirectoryLock {
 public:
  static absl::StatusOr<std::unique_ptr<DirectoryLock>> Take(
      const std::string& folder);
  ~DirectoryLock();
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

 private:
  explicit DirectoryLock(int fd) : fd_(fd) {}

  const int fd_;
};

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_LIVE_DIRECTORY_LOCK_H_
