#ifndef SLUICE_DESTINATIONS_ARCHIVE_ARCHIVE_DESTINATION_H_
#define SLUICE_DESTINATIONS_ARCHIVE_ARCHIVE_DESTINATION_H_

// Archives over any place that can keep named objects: the one implementation
// of executor::Destination.
//
//   auto store = std::make_shared<LocalStore>("/mnt/backups");
//   InitRepo(context, *store, {.id = NewUlid(*clock)});        // once
//   auto archives = ArchiveDestination::Create(store, clock, {});
//   executor.RunBackup(context, source, archives, repo, ...);
//   archives->Verify(context, id, nullptr);
//
// Every verb first opens the repo (sluice-repo.json): a place without it, or
// with another id than `options.repo_id`, is refused as destination_not_found
// and nothing is changed. Ids are checked before they become part of a name.
//
// Thread-safe. Errors: see Destination; those of the place pass through with
// their codes. Beside other verbs on the same archive, from any process:
//
//   | beside     | PutBackup | Delete            | Sweep     | reading
//   | PutBackup  | one wins  | not published yet | left alone| not listed yet
//   | Delete     |           | both succeed, or  | either    |
//   archive_not_found |            |           | archive_not_found | finishes
//   | or archive_damaged
//
// Delete: the manifest is replaced by a tombstone in one step, so the archive
// is unlisted at once and its name stays taken; then the other objects go. Half
// done, it is finished by Delete again or by the sweep; the tombstone stays 30
// days.

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/base/clock.h"
#include "sluice/destinations/archive/archive_options.h"
#include "sluice/destinations/archive/object_store.h"
#include "sluice/destinations/archive/repo.h"
#include "sluice/destinations/archive/sweep.h"
#include "sluice/destinations/archive/verify.h"
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
  // Only archives whose manifest can be read and is valid; see ListAll.
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
    absl::StatusOr<Manifest> manifest;  // archive_damaged, archive_unsupported
  };
  // Also those whose manifest is damaged or of a newer version. Who must not
  // miss one (a hold, retention) asks here. An error of the place ends it.
  absl::StatusOr<std::vector<Entry>> ListAll(const Context& context);

  // `progress` may be null.
  absl::StatusOr<Manifest> Verify(const Context& context,
                                  absl::string_view backup_id,
                                  const VerifyProgress& progress);
  absl::StatusOr<SweepReport> Sweep(const Context& context);
  absl::StatusOr<RepoInfo> Repo(const Context& context);

 private:
  absl::Status DeleteObjects(const Context& context,
                             absl::string_view backup_id, bool& found_any);

  const std::shared_ptr<ObjectStore> store_;
  Clock* const clock_;
  const ArchiveOptions options_;
};

}  // namespace sluice

#endif  // SLUICE_DESTINATIONS_ARCHIVE_ARCHIVE_DESTINATION_H_
