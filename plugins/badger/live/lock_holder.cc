#include "sluice/plugins/badger/live/lock_holder.h"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"

namespace sluice {
namespace badger {

absl::optional<LockHolder> FindLockHolder(const std::string& folder) {
  struct stat info {};
  if (stat(folder.c_str(), &info) != 0) return absl::nullopt;
  std::ifstream stream("/proc/locks");
  const std::string locks((std::istreambuf_iterator<char>(stream)),
                          std::istreambuf_iterator<char>());
  return ParseLockHolder(locks, info.st_dev, info.st_ino);
}

// 1: FLOCK  ADVISORY  WRITE 4711 fd:01:131074 0 EOF
absl::optional<LockHolder> ParseLockHolder(absl::string_view locks,
                                           uint64_t device, uint64_t inode) {
  const std::string place =
      absl::StrFormat("%02x:%02x:%d", major(device), minor(device), inode);
  absl::optional<LockHolder> found;
  for (const absl::string_view line : absl::StrSplit(locks, '\n')) {
    const std::vector<absl::string_view> words =
        absl::StrSplit(line, ' ', absl::SkipEmpty());
    // A process that waits for it has "->" for a word more.
    if (words.size() < 6 || words[1] != "FLOCK" || words[5] != place) continue;
    LockHolder holder;
    holder.writes = words[3] == "WRITE";
    if (absl::SimpleAtoi(words[4], &holder.process)) {
      holder.process = std::max<int64_t>(holder.process, 0);
    }
    if (!found.has_value() || holder.writes) found = holder;
  }
  return found;
}

}  // namespace badger
}  // namespace sluice
