#ifndef SLUICE_PLUGINS_BADGER_LIVE_LOCK_HOLDER_H_
#define SLUICE_PLUGINS_BADGER_LIVE_LOCK_HOLDER_H_

// Who has a Badger directory open, by the kernel's list of locks: a hint for
// people. It takes no lock, so that no start of an application can fail by it;
// it may miss a process of another namespace, or on a file system that shows
// other device numbers there than in stat(2), and one that bypasses the lock.
//
//   if (const auto holder = FindLockHolder("/srv/db")) Print(holder->process);
//
// Pure but for reading the folder and /proc/locks. Any thread.

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"

namespace sluice {
namespace badger {

struct LockHolder {
  int64_t process = 0;  // its pid; 0: of another namespace
  bool writes = false;  // has it open read-write
};

// Of flock(2) on `folder`; a writer before readers.
absl::optional<LockHolder> FindLockHolder(const std::string& folder);

// The same in the text of /proc/locks.
absl::optional<LockHolder> ParseLockHolder(absl::string_view locks,
                                           uint64_t device, uint64_t inode);

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_LIVE_LOCK_HOLDER_H_
