#ifndef SLUICE_BASE_OBJECT_H_
#define SLUICE_BASE_OBJECT_H_

// Named objects in a place, as archives see them and as a plugin's author
// gives them: destinations/archive/object_store.h and plugins/sdk/place.h are
// the places. The mirror of the C tables sluice_writer and sluice_reader.

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"

namespace sluice {

struct PlaceInfo {
  bool exists = false;  // the folder or bucket is there
  bool conditional_commit =
      false;  // kIfAbsent is atomic against every other writer
  bool durable_commit = false;    // a committed object survives a power cut
  uint64_t max_object_bytes = 0;  // 0: no limit known
  absl::Time now;  // by the place's own clock, the one of ObjectInfo::modified
};

struct ObjectInfo {
  std::string name;
  uint64_t size = 0;
  absl::Time modified;  // by the place's own clock
  std::string upload;   // of ListUncommitted: the token for AbortUncommitted
};

enum class CommitMode { kReplace, kIfAbsent };

// An object being written; readers do not see it until Commit. One call at a
// time. Destroying it aborts, unless it was committed.
class ObjectWriter {
 public:
  virtual ~ObjectWriter() = default;

  // Appends all of `bytes`, or fails; then only Abort may follow.
  virtual absl::Status Write(absl::string_view bytes) = 0;
  // Makes the object visible whole, durable where the place can. ALREADY_EXISTS
  // when the name is taken. UNKNOWN: the outcome is unknown, the caller
  // reads back. Once.
  virtual absl::Status Commit(CommitMode mode) = 0;
  // Forgets what was written. Best effort.
  virtual absl::Status Abort() = 0;
};

// One call at a time.
class ObjectReader {
 public:
  virtual ~ObjectReader() = default;

  // Fills up to buffer.size() bytes; 0 is the end of the object. Fewer than
  // asked for is no end.
  virtual absl::StatusOr<size_t> Read(absl::Span<char> buffer) = 0;
};

}  // namespace sluice

#endif  // SLUICE_BASE_OBJECT_H_
