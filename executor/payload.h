#ifndef SLUICE_EXECUTOR_PAYLOAD_H_
#define SLUICE_EXECUTOR_PAYLOAD_H_

// The two ends of a payload: where a source pushes it, and where a destination,
// or at restore a store, pulls it.
//
// Example:
//
//   // A source:
//   SLUICE_RETURN_IF_ERROR(sink.Write("order 17"));
//   SLUICE_RETURN_IF_ERROR(sink.End({{"orders", 1}}));
//
//   // A destination:
//   while (true) {
//     SLUICE_ASSIGN_OR_RETURN(absl::string_view bytes, reader.Next());
//     if (bytes.empty()) break;  // the end, and nothing is missing
//     SLUICE_RETURN_IF_ERROR(Store(bytes));
//     reader.Release();
//   }
//   const SourceCounts& counts = reader.trailer().counts;  // orders: 1
//
// Threads: each class says its own. Ownership: a sink or reader is lent by the
// run; views are borrowed until they are released. Errors: the first cause of
// the run, whichever side it came from. Cost: Write copies once, Reserve and
// Next not at all; payload ids and index are spooled to disk.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace sluice {

// What a source counted while it streamed: "keys", "rows", "bytes", ... Never
// empty for a source that called End.
using SourceCounts = std::map<std::string, uint64_t>;
// Of the engine: kept in the manifest, given back at restore and to an
// increment on top. Keys are text, values any bytes.
using EngineMetadata = std::map<std::string, std::string>;

// Takes what a store left out or degraded, in a backup as in a restore: the run
// then ends as succeeded with warnings, and the command with exit status 3.
class WarningSink {
 public:
  virtual ~WarningSink() = default;

  // `code` is a stable word, `message` for people; no secret in either.
  virtual void AddWarning(absl::string_view code,
                          absl::string_view message) = 0;
};

// Where a source pushes one consistent snapshot. One thread at a time: a call
// that comes while another is under way is refused, and so is any after End and
// after the source has returned; each of these fails the run. Any error means:
// stop, return it as it is.
class PayloadSink : public WarningSink {
 public:
  // Copies `bytes` into the pipe. Blocks while it is full.
  virtual absl::Status Write(absl::string_view bytes) = 0;
  // An empty chunk to fill in place, at least one byte, valid until Commit;
  // until then neither Write, Reserve nor End may be called. Blocks while the
  // pipe is full.
  virtual absl::StatusOr<absl::Span<char>> Reserve() = 0;
  // Makes the first `bytes` of the reserved chunk part of the payload. 0 gives
  // it back.
  virtual absl::Status Commit(size_t bytes) = 0;

  // Ids of the blocks that the snapshot refers to, 1 to 1,024 bytes each, no
  // control bytes; any order, repeats merged. Memory stays bounded.
  virtual absl::Status AddPayloadIds(
      absl::Span<const absl::string_view> ids) = 0;
  virtual absl::Status SetMetadata(absl::string_view key,
                                   absl::string_view value) = 0;
  // Payload bytes expected in total.
  virtual void SetEstimate(uint64_t bytes) = 0;
  // The explicit end, exactly once, after the last byte. Without it the run
  // fails.
  virtual absl::Status End(const SourceCounts& counts) = 0;

  // OK while the run may go on. For a source that works long without writing.
  virtual absl::Status Poll() const = 0;

  // Whether an index is kept; without, WriteIndex is an error.
  virtual bool keeps_index() const { return false; }
  // Appends to an index of the snapshot: kept beside the payload, given to the
  // next increment (BackupBase), never restored. Before End. Spooled to disk.
  virtual absl::Status WriteIndex(absl::string_view bytes) {
    return absl::UnimplementedError("no index is kept");
  }
};

// Something that a store left out or degraded. `code` is stable; both are
// valid UTF-8 and bounded.
struct PayloadWarning {
  std::string code;
  std::string message;
};

// What is known of a payload once all of it was read.
struct PayloadTrailer {
  SourceCounts counts;
  EngineMetadata metadata;
  uint64_t size_bytes = 0;
  uint64_t xxh3 = 0;  // XXH3-64 of all bytes, as they left the source
  uint64_t payload_id_count = 0;
  std::vector<PayloadWarning> warnings;  // at backup; belongs in the manifest
};

// Pulls a payload. One thread at a time, but for Release, which may be called
// from another.
class PayloadReader {
 public:
  virtual ~PayloadReader() = default;

  // The next bytes; blocks until there are some. Empty: the end, said by the
  // source, and nothing is missing. A view stays valid until it was released;
  // the views still held are never more than the pipe has chunks, so hold few.
  // An error ends the payload for good.
  virtual absl::StatusOr<absl::string_view> Next() = 0;
  // Gives back the oldest view still held.
  virtual void Release() = 0;
  // How many views may be held at once; at least 2.
  virtual size_t max_views() const = 0;

  // Only after Next returned the end.
  virtual const PayloadTrailer& trailer() const = 0;
  // Only after the end: all payload ids, ascending by byte order, distinct. May
  // be called more than once.
  virtual absl::Status ForEachPayloadId(
      const std::function<absl::Status(absl::string_view)>& callback) const = 0;

  // Only after the end, of a payload that comes from a source: the index that
  // was written with it. No bytes: there is none. ForEachIndexChunk may be
  // called more than once and stops at the callback's first error.
  virtual uint64_t index_bytes() const { return 0; }
  virtual absl::Status ForEachIndexChunk(
      const std::function<absl::Status(absl::string_view)>& callback) const {
    return absl::OkStatus();
  }
};

}  // namespace sluice

#endif  // SLUICE_EXECUTOR_PAYLOAD_H_
