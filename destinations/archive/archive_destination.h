#ifndef SLUICE_DESTINATIONS_ARCHIVE_ARCHIVE_DESTINATION_H_
#define SLUICE_DESTINATIONS_ARCHIVE_ARCHIVE_DESTINATION_H_

// Archives over any place that can keep named objects: the one implementation
// of Destination.
//
// Example:
//
//   SLUICE_ASSIGN_OR_RETURN(std::shared_ptr<ObjectStore> place,
//                           host.OpenPlace("local:/mnt/backups"));
//   RepoInfo wanted;
//   wanted.id = NewUlid(*clock);
//   // Once:
//   SLUICE_RETURN_IF_ERROR(InitRepo(context, *place, wanted).status());
//   auto archives = ArchiveDestination::Create(place, clock, {});
//   executor.RunBackup(context, source, archives, repo, "orders", "memory",
//                      {});
//   SLUICE_RETURN_IF_ERROR(archives->Verify(context, id, nullptr).status());
//
// Every verb first opens the repo (sluice-repo.json): a place without it, or
// with another id than `options.repo_id`, is refused as destination_not_found
// and nothing is changed. Ids are checked before they become part of a name.
//
// Thread-safe. Errors: see Destination; those of the place pass through with
// their codes. Beside other verbs on the same archive, from any process:
//
//   beside    | PutBackup | Delete            | Sweep      | reading
//   ----------|-----------|-------------------|------------|------------------
//   PutBackup | one wins  | not published yet | left alone | not listed yet
//   Delete    |           | both succeed, or  | either     | archive_not_found
//             |           | archive_not_found | finishes   | or archive_damaged
//
// Delete: the manifest is replaced by a tombstone in one step, so the archive
// is unlisted at once and its name stays taken; then the other objects go. Half
// done, it is finished by Delete again or by the sweep; the tombstone stays 30
// days. Deleting needs no room: where a full disk has none for the tombstone,
// the manifest itself is deleted first and the tombstone follows.
//
// Each archive stands for itself: one whose manifest is damaged, missing or
// unreadable is an entry of ListAll with its error, and no other call on
// another archive is the worse for it.
//
// Ownership: the place is shared with readers that were given out; the clock is
// borrowed, and outlives both. Cost: PutBackup writes each byte once (and reads
// it back where PutOptions says so); it has a thread that hashes and one that
// renews the lease. GetBackup and Verify read each byte once, with a thread
// that hashes, one that reads ahead, and the memory of
// ArchiveOptions::read_ahead. List and ListAll read the manifest of each
// archive that the repo's index does not hold.

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/base/clock.h"
#include "sluice/destinations/archive/archive_options.h"
#include "sluice/destinations/archive/object_store.h"
#include "sluice/destinations/archive/protocol/end_attempt.h"
#include "sluice/destinations/archive/protocol/fence.h"
#include "sluice/destinations/archive/protocol/repo.h"
#include "sluice/destinations/archive/protocol/sweep.h"
#include "sluice/destinations/archive/read/verify.h"
#include "sluice/executor/context.h"
#include "sluice/executor/destination.h"
#include "sluice/executor/models.pb.h"
#include "sluice/executor/payload.h"

namespace sluice {

class ArchiveDestination final : public Destination {
 public:
  // Does no I/O. `clock` must outlive the destination.
  static std::shared_ptr<ArchiveDestination> Create(
      std::shared_ptr<ObjectStore> store, Clock* clock,
      const ArchiveOptions& options);
  ArchiveDestination(std::shared_ptr<ObjectStore> store, Clock* clock,
                     const ArchiveOptions& options);

  absl::Status PutBackup(const Context& context, Manifest& manifest,
                         PayloadReader& payload,
                         const PutOptions& options) override;
  absl::StatusOr<Manifest> GetManifest(const Context& context,
                                       absl::string_view backup_id) override;
  absl::StatusOr<std::unique_ptr<PayloadReader>> GetBackup(
      const Context& context, absl::string_view backup_id) override;
  absl::Status ForEachPayloadId(
      const Context& context, absl::string_view backup_id,
      const std::function<absl::Status(absl::string_view)>& callback) override;
  absl::StatusOr<std::unique_ptr<PayloadReader>> GetIndex(
      const Context& context, const Manifest& manifest) override;
  // Only archives whose manifest is valid; see ListAll. An error where one
  // cannot be read, or is of a newer version: nobody knows what it refers to.
  absl::StatusOr<std::vector<Manifest>> List(const Context& context) override;
  absl::Status Stat(const Context& context,
                    absl::string_view backup_id) override;
  absl::Status Delete(const Context& context,
                      absl::string_view backup_id) override;
  absl::Status Validate(const Context& context) override;
  absl::Status Close() override;

  // --- beside the executor's interface

  struct Entry {
    std::string backup_id;
    // archive_damaged (also where the manifest is missing and the payload is
    // there), archive_unsupported, or why this one cannot be read:
    // destination_permission_denied, destination_io_error.
    absl::StatusOr<Manifest> manifest;
  };
  // Also those whose manifest is damaged, missing, unreadable or of a newer
  // version. Who must not miss one (a hold, retention) asks here. An error only
  // where the place as a whole does not answer.
  absl::StatusOr<std::vector<Entry>> ListAll(const Context& context);

  // All that a restore checks short of the store itself, the chain that the
  // archive builds on too (of its bases the manifests). `progress` and `found`
  // may be null.
  absl::StatusOr<Manifest> Verify(const Context& context,
                                  absl::string_view backup_id,
                                  const VerifyProgress& progress,
                                  VerifyFindings* found = nullptr);
  absl::StatusOr<SweepReport> Sweep(const Context& context,
                                    const SweepOptions& sweep = {});
  absl::StatusOr<RepoInfo> Repo(const Context& context);

  // Of one attempt, by the protocol's own rules and this destination's grace
  // window: see protocol/end_attempt.h and protocol/fence.h. `by` stands in the
  // tombstone.
  absl::StatusOr<NameState> StateOf(const Context& context,
                                    absl::string_view backup_id);
  absl::StatusOr<bool> IsBeingWritten(const Context& context,
                                      absl::string_view backup_id);
  absl::StatusOr<EndedAttempt> End(const Context& context,
                                   absl::string_view backup_id,
                                   absl::string_view reason,
                                   absl::string_view by);

 private:
  absl::Status DeletePublished(const Context& context,
                               absl::string_view backup_id);
  absl::Status DeleteUnpublished(const Context& context,
                                 absl::string_view backup_id);

  const std::shared_ptr<ObjectStore> store_;
  Clock* const clock_;
  const ArchiveOptions options_;
};

}  // namespace sluice

#endif  // SLUICE_DESTINATIONS_ARCHIVE_ARCHIVE_DESTINATION_H_
