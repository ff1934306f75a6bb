#ifndef SLUICE_EXECUTOR_BACKUPABLE_H_
#define SLUICE_EXECUTOR_BACKUPABLE_H_

// What the executor asks of a store: one consistent snapshot into a sink, and a
// chain of payloads back into an empty store.
//
// Example, at namespace scope:
//
//   class Greeting final : public Backupable {
//    public:
//     std::string store_kind() const override { return "greeting"; }
//     absl::StatusOr<StoreInfo> Describe(const Context& context) override {
//       StoreInfo info;
//       info.empty = text_.empty();
//       return info;
//     }
//     absl::Status Backup(const Context& context, BackupBase* base,
//                         PayloadSink& sink) override {
//       SLUICE_RETURN_IF_ERROR(sink.Write(text_));
//       return sink.End({{"greetings", 1}});
//     }
//     absl::Status Restore(const Context& context, absl::string_view store_id,
//                          absl::Span<RestorePayload> chain,
//                          WarningSink& warnings) override {
//       std::string staged;
//       while (true) {
//         SLUICE_ASSIGN_OR_RETURN(absl::string_view bytes,
//                                 chain[0].reader->Next());
//         if (bytes.empty()) break;  // all of it was right
//         staged.append(bytes.data(), bytes.size());
//         chain[0].reader->Release();
//       }
//       text_ = std::move(staged);
//       return absl::OkStatus();
//     }
//
//    private:
//     std::string text_ = "hello";
//   };
//
// Threads: one call at a time; a call may come from any thread. Ownership: what
// a call is given is borrowed until it returns, and the executor holds a
// reference to the store for as long as a call is under way. Errors: words
// source_* of base/error.h; one of the sink or of a reader is returned as it
// is. Cost: bytes travel in chunks of the pipe; a store buffers nothing of its
// own.

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "sluice/executor/context.h"
#include "sluice/executor/models.pb.h"
#include "sluice/executor/payload.h"

namespace sluice {

// What a store says of itself.
struct StoreInfo {
  std::string store_id;     // empty: it has none (yet)
  bool empty = false;       // a restore may go here
  bool increments = false;  // Backup can build on a base
};

// One link of a chain at restore: the archive's manifest, and its bytes. The
// reader gives its end only after hash, seal and end mark were checked.
struct RestorePayload {
  Manifest manifest;
  std::unique_ptr<PayloadReader> reader;
};

// Metadata by which a source that streamed all, although it was given a base,
// says why, in half a sentence for people. As in sluice_plugin.h, backup().
inline constexpr char kFullReasonKey[] = "sluice.full_reason";

// What an increment is made on. The source's, for the call.
struct BackupBase {
  Manifest manifest;
  // The indexes (PayloadSink::WriteIndex) of the archives of its chain, full
  // first, its own last, each with its archive's manifest; none where one of
  // them has no index. Bytes are proven only by a reader's end.
  std::vector<RestorePayload> indexes;
};

// A store that can be backed up and restored into.
class Backupable {
 public:
  virtual ~Backupable() = default;

  virtual std::string store_kind() const = 0;
  virtual absl::StatusOr<StoreInfo> Describe(const Context& context) = 0;

  // Streams one consistent snapshot into `sink` and calls its End. `base` is
  // what to build an increment on, or null for a full backup; where no
  // increment is possible it streams all and sets metadata "sluice.full" to
  // "1", and "sluice.full_reason" for people. Returns within a second of the
  // context's end; the executor abandons a source that does not
  // (source_unresponsive).
  virtual absl::Status Backup(const Context& context, BackupBase* base,
                              PayloadSink& sink) = 0;

  // Fills the empty store from `chain`, full first; each reader is to be read
  // to its end. `store_id` is the archive's: a store that keeps an id takes it
  // over. All or nothing: what was staged becomes visible only after the last
  // reader gave its end. What could not be brought back as it was goes into
  // `warnings`.
  virtual absl::Status Restore(const Context& context,
                               absl::string_view store_id,
                               absl::Span<RestorePayload> chain,
                               WarningSink& warnings) = 0;

  // The executor gave up waiting for a call that is still under way, after the
  // context had ended. Called from another thread than that call's; must not
  // block. A plugin's adaptor then refuses new runs of that plugin.
  virtual void OnAbandoned() {}
};

}  // namespace sluice

#endif  // SLUICE_EXECUTOR_BACKUPABLE_H_
