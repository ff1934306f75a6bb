#ifndef SLUICE_EXECUTOR_DESTINATION_H_
#define SLUICE_EXECUTOR_DESTINATION_H_

// Where the executor publishes archives and finds them again.
//
// Example:
//
//   SLUICE_ASSIGN_OR_RETURN(const std::vector<Manifest> archives,
//                           destination.List(context));
//   for (const Manifest& manifest : archives) {
//     SLUICE_ASSIGN_OR_RETURN(
//         std::unique_ptr<PayloadReader> payload,
//         destination.GetBackup(context, manifest.backup_id()));
//     SLUICE_RETURN_IF_ERROR(ReadToItsEnd(*payload));
//   }
//
// Threads, errors: the class says. Ownership: what a method takes is borrowed
// for the call; a reader keeps alive what it needs. Cost: every method blocks
// for the place.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sluice/executor/context.h"
#include "sluice/executor/models.pb.h"
#include "sluice/executor/payload.h"

namespace sluice {

// What PutBackup asks on its way.
struct PutOptions {
  // Called once, right before the manifest is committed, the point of no
  // return. An error stops the publish.
  std::function<absl::Status()> before_publish;
  // Called when the payload is stored and publishing begins.
  std::function<void()> on_publishing;
  // Before the manifest is committed every stored byte is read back and
  // compared: costs another reading of the archive. Without, what is read back
  // is the manifest, the list of digests and the size of every object.
  bool read_back_payload = false;
  // What that cost. Called once where it succeeded.
  std::function<void(uint64_t bytes, absl::Duration took)> on_read_back;
};

// Where archives are published and found again. Thread-safe: any method from
// any thread, also at once.
//
// Errors carry the codes of base/error.h: destination_*, archive_not_found,
// archive_damaged, publish_fenced, publish_outcome_unknown.
class Destination {
 public:
  virtual ~Destination() = default;

  // Publishes the payload as archive manifest.backup_id, whole or not at all,
  // and fills in what is known only then: segments, sha256, sizes, counts,
  // metadata, payload ids. OK means: published, and as much of it as `options`
  // says read back and compared.
  // publish_outcome_unknown means that the outcome is unknown. After
  // any other error no archive exists and what was written is gone, or left to
  // the sweep where the place no longer answers. The end of `context` wins
  // until the manifest's commit begins and is not looked at from there on.
  virtual absl::Status PutBackup(const Context& context, Manifest& manifest,
                                 PayloadReader& payload,
                                 const PutOptions& options) = 0;

  virtual absl::StatusOr<Manifest> GetManifest(const Context& context,
                                               absl::string_view backup_id) = 0;
  // The payload; verifies as it streams, so that its end is given only where
  // every byte was right.
  virtual absl::StatusOr<std::unique_ptr<PayloadReader>> GetBackup(
      const Context& context, absl::string_view backup_id) = 0;
  // All payload ids of a published archive, ascending and distinct, proven
  // against the manifest's hash before this returns OK: what `callback` was
  // given before an error is not to be relied on. Stops at the callback's first
  // error and returns it. This one reads the whole payload; a place that keeps
  // the ids apart reads only them.
  virtual absl::Status ForEachPayloadId(
      const Context& context, absl::string_view backup_id,
      const std::function<absl::Status(absl::string_view)>& callback);
  // The index that was written with the payload of `manifest`, an archive of
  // this destination's. Gives its end only where every byte was right.
  // NOT_FOUND where there is none, which is what this one says.
  virtual absl::StatusOr<std::unique_ptr<PayloadReader>> GetIndex(
      const Context& context, const Manifest& manifest);
  // Published archives, oldest first.
  virtual absl::StatusOr<std::vector<Manifest>> List(
      const Context& context) = 0;
  // NOT_FOUND (archive_not_found) where it is not published.
  virtual absl::Status Stat(const Context& context,
                            absl::string_view backup_id) = 0;
  // Unpublishes first, then deletes; a half-done delete is finished by the
  // sweep.
  virtual absl::Status Delete(const Context& context,
                              absl::string_view backup_id) = 0;
  // Tries out what publishing needs; leaves nothing behind.
  virtual absl::Status Validate(const Context& context) = 0;
  virtual absl::Status Close() = 0;
};

}  // namespace sluice

#endif  // SLUICE_EXECUTOR_DESTINATION_H_
