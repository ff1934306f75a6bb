#ifndef SLUICE_SERVICE_RUNNER_H_
#define SLUICE_SERVICE_RUNNER_H_

// One run of the executor under a catalog: with its lease, its cancel requests,
// and its last look at the lease before the publish. What a service and the
// command do alike.
//
// Example:
//
//   auto [context, cancel] = Context::WithCancel(Context::Background());
//   BackupRequest request;
//   request.source = source;
//   request.store_id = "orders";
//   const BackupResult result =
//       RunBackup({context, cancel}, catalog, repo, request);
//
// Blocks until the run is over. Any thread; runs at the same time share nothing
// but the catalog.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "sluice/catalog/catalog.h"
#include "sluice/executor/context.h"
#include "sluice/executor/executor.h"
#include "sluice/service/opened_repo.h"

namespace sluice::service {

// Who runs, and what is told of the run. The callbacks come as RunBackupOptions
// says, each may be empty.
struct RunOwner {
  Context context;
  // Ends `context`. Called when the catalog is asked to cancel the job; may be
  // called after the run.
  Context::CancelFunction cancel;
  std::function<void(const BackupJob&)> on_job_created = nullptr;
  std::function<void(const RunProgress&)> on_progress = nullptr;
  // How long a source may take to return once the run was cancelled.
  absl::Duration abandon_after = absl::Seconds(2);
};

struct BackupRequest {
  // The job that the caller has claimed for it; none: it gets one of its own.
  absl::optional<BackupJob> claimed;
  std::shared_ptr<Backupable> source;
  std::string store_id;
  ArchiveOrigin origin;
  // The archive that an increment builds on; null: a full backup. Borrowed.
  const Manifest* base = nullptr;
  bool allow_empty = false;
  bool read_back = false;
  std::function<void(uint64_t bytes, absl::Duration took)> on_read_back;
};

BackupResult RunBackup(const RunOwner& owner, Catalog& catalog,
                       const OpenedRepo& repo, const BackupRequest& request);

struct RestoreRequest {
  absl::optional<BackupJob> claimed = {};  // as in BackupRequest
  std::shared_ptr<Backupable> target;
  std::string backup_id;
  // The store whose archive may be restored into a target with another id;
  // empty: none.
  std::string from_store;
};

// A restore needs the repo alone: `catalog` may be null, and where it takes no
// job in time, `on_catalog_lost` is told why and the restore goes on.
RestoreResult RunRestore(
    const RunOwner& owner, Catalog* catalog, const OpenedRepo& repo,
    const RestoreRequest& request,
    const std::function<void(const absl::Status&)>& on_catalog_lost);

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_RUNNER_H_
