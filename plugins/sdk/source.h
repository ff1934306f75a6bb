#ifndef SLUICE_PLUGINS_SDK_SOURCE_H_
#define SLUICE_PLUGINS_SDK_SOURCE_H_

// What the author of a store's plugin writes: one class.
//
// Example, at namespace scope:
//
//   class OrdersSource final : public sdk::Source {
//    public:
//     absl::StatusOr<SourceInfo> Describe(const Run& run) override;
//     absl::Status Backup(const Run& run, const BackupRequest& request,
//                         Sink& sink) override {
//       const Orders snapshot = TakeSnapshot();
//       for (const Order& order : snapshot) {
//         SLUICE_RETURN_IF_ERROR(sink.Write(order.bytes()));
//       }
//       return sink.End({{"orders", snapshot.size()}});
//     }
//     absl::Status Restore(const Run& run, RestoreRequest& request) override {
//       for (Payload* payload : request.payloads()) {
//         while (true) {
//           SLUICE_ASSIGN_OR_RETURN(absl::string_view bytes, payload->Next());
//           if (bytes.empty()) break;
//           SLUICE_RETURN_IF_ERROR(Stage(bytes));
//         }
//       }
//       return MakeVisible();
//     }
//   };
//
// plugins/sdk/factory.h turns the class into the C table. Exceptions are caught
// at the boundary; use absl::Status all the same.
//
// Threads: each class says its own. Ownership: what a call is given is borrowed
// until it returns; views of a payload until its next call. Errors: words
// source_* of base/error.h, those that sluice_plugin.h lists; without one it
// follows from the code. Cost: Sink::Write copies once into the pipe, Reserve
// and Payload::Next not at all.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "sluice/plugins/sdk/run.h"

namespace sluice::sdk {

using Counts = std::map<std::string, uint64_t>;
using Metadata = std::map<std::string, std::string>;

// Where a source pushes one consistent snapshot. On the thread that runs
// Backup, or threads that it joins before it returns, one at a time. Any error
// means: stop, and return it as it is.
class Sink {
 public:
  virtual ~Sink() = default;

  // Copies `bytes` into the pipe. Blocks while that is full.
  virtual absl::Status Write(absl::string_view bytes) = 0;
  // An empty chunk, at least one byte, to fill in place; valid until Commit.
  // Saves the copy of Write. Blocks while the pipe is full.
  virtual absl::StatusOr<absl::Span<char>> Reserve() = 0;
  // Makes the first `bytes` of the chunk part of the payload; 0 gives it back.
  virtual absl::Status Commit(size_t bytes) = 0;
  // Ids of the blocks that the snapshot refers to: 1 to 1,024 bytes each, no
  // control bytes; any order, any number, repeats are merged.
  virtual absl::Status AddPayloadIds(
      absl::Span<const absl::string_view> ids) = 0;
  // Of the engine: given back at restore, and to an increment on top.
  virtual absl::Status SetMetadata(absl::string_view key,
                                   absl::string_view value) = 0;
  // Payload bytes expected in total; may be called again.
  virtual void SetEstimate(uint64_t bytes) = 0;
  // Something was left out or degraded: the run succeeds with warnings. `word`
  // is stable, `message` for people and holds no secret.
  virtual void AddWarning(absl::string_view word,
                          absl::string_view message) = 0;
  // The explicit end, exactly once, after the last byte. Without it the run
  // fails, whatever Backup returns.
  virtual absl::Status End(const Counts& counts) = 0;

  // Whether the host keeps an index; without, WriteIndex is an error.
  virtual bool keeps_index() const { return false; }
  // Appends to an index of the snapshot, which comes back to the next increment
  // (BackupRequest::base_indexes) and is never restored. Before End.
  virtual absl::Status WriteIndex(absl::string_view bytes) {
    return absl::UnimplementedError("the host keeps no index");
  }
};

// One payload of the chain being restored. Threads as for Sink.
class Payload {
 public:
  virtual ~Payload() = default;

  virtual absl::string_view backup_id() const = 0;
  virtual const Metadata& metadata() const = 0;
  virtual const Counts& counts() const = 0;
  virtual uint64_t size() const = 0;  // bytes in total
  // The next bytes, valid until the next call; empty: the end, and every byte
  // was right. Any error means: discard what was staged.
  virtual absl::StatusOr<absl::string_view> Next() = 0;
};

class RestoreRequest {
 public:
  virtual ~RestoreRequest() = default;

  // The archive's store; the target takes the id over if it keeps one.
  virtual absl::string_view store_id() const = 0;
  // The chain, full first. Read in this order, each to its end.
  virtual absl::Span<Payload* const> payloads() const = 0;
  // As Sink::AddWarning.
  virtual void AddWarning(absl::string_view word,
                          absl::string_view message) = 0;
};

// What to back up on top of.
struct BackupRequest {
  bool has_base = false;  // false: a full backup, and the rest is empty
  std::string base_backup_id;
  Metadata base_metadata;
  Counts base_counts;
  // The indexes of the base's chain, full first, the base's own last; empty
  // where an archive of it has none. Borrowed for the call. Proven only by
  // their end: after an error go on without, as a full backup.
  std::vector<Payload*> base_indexes;
};

struct SourceInfo {
  std::string store_id;  // 1 to 128 bytes of [A-Za-z0-9._-]; empty: none (yet)
  bool empty = false;    // nothing in it: a restore may go here
  bool increments = false;  // Backup can build on a base
};

// A store. One call at a time; calls may come from different threads.
class Source {
 public:
  virtual ~Source() = default;

  // Looks, changes nothing.
  virtual absl::StatusOr<SourceInfo> Describe(const Run& run) = 0;
  // Streams one consistent snapshot and calls End. Where an increment on the
  // base is not possible, streams a full one and sets kFullMetadata to "1".
  virtual absl::Status Backup(const Run& run, const BackupRequest& request,
                              Sink& sink) = 0;
  // Fills the empty store. All or nothing: what was staged becomes visible only
  // after the last payload gave its end.
  virtual absl::Status Restore(const Run& run, RestoreRequest& request) = 0;
};

inline constexpr absl::string_view kFullMetadata = "sluice.full";
// Why, in half a sentence, for people.
inline constexpr absl::string_view kFullReasonMetadata = "sluice.full_reason";

}  // namespace sluice::sdk

#endif  // SLUICE_PLUGINS_SDK_SOURCE_H_
