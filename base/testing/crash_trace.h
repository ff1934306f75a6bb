#ifndef SLUICE_BASE_TESTING_CRASH_TRACE_H_
#define SLUICE_BASE_TESTING_CRASH_TRACE_H_

// What was done to a file system, change by change, and what any selection of
// the changes leaves: the data under crash_file_system.h and crash_states.h.
// Test code only. Not thread-safe; trees share contents and copy on write.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace sluice {

struct CrashNode {
  bool folder = false;
  uint32_t mode = 0;
  absl::Time modified;
  std::shared_ptr<std::string> content;     // of a file
  std::map<std::string, uint64_t> entries;  // of a folder: name to node

  uint64_t size() const { return content == nullptr ? 0 : content->size(); }
  // The content, for this node alone.
  std::string& MutableContent();
};

inline constexpr uint64_t kCrashRoot = 1;
using CrashTree = std::map<uint64_t, CrashNode>;  // by node number

struct CrashEvent {
  enum class Kind {
    kCreate,    // a file or folder `node` without a name; in every state
    kWrite,     // `data` at `offset` of file `node`
    kTruncate,  // file `node` to `offset` bytes
    kEntries,   // `entries` of folder `node`, all at once
    kSync,      // of file or folder `node`, or of all there is (kAllNodes)
    kMark,      // a promise was made: `text` says which
  };
  Kind kind = Kind::kMark;
  static constexpr uint64_t kAllNodes = 0;  // of kSync
  uint64_t node = 0;
  uint64_t offset = 0;
  std::shared_ptr<const std::string> data;
  std::vector<std::pair<std::string, uint64_t>> entries;  // node 0: removed
  bool failed = false;  // of kSync: it answered an error
  bool folder = false;  // of kCreate
  uint32_t mode = 0;    // of kCreate
  std::string text;     // for people
  absl::Time time;

  bool IsChange() const {
    return kind == Kind::kWrite || kind == Kind::kTruncate ||
           kind == Kind::kEntries;
  }
};

// How much of a change arrived.
enum class CrashPart : unsigned char {
  kNone,
  kAll,
  kHead512,   // of a write: what lies before a block in its middle
  kHead4096,  // the same, larger blocks
  kTail512,   // its last block only, zeros or the old content before
  kZeros,     // the new length, and none of the bytes
};
// The parts that `event` can arrive in, kNone and kAll first.
std::vector<CrashPart> PartsOf(const CrashEvent& event);
absl::string_view CrashPartName(CrashPart part);

void ApplyEvent(const CrashEvent& event, CrashPart part, CrashTree& tree);

// A number for what can be reached from the root: names, modes, contents.
uint64_t Fingerprint(const CrashTree& tree);

}  // namespace sluice

#endif  // SLUICE_BASE_TESTING_CRASH_TRACE_H_
