#include "sluice/service/runner.h"

#include <utility>

#include "sluice/base/clock.h"
#include "sluice/base/status_macros.h"
#include "sluice/service/optional_jobs.h"

namespace sluice::service {
namespace {

// The hooks that backup and restore have in common. `catalog` may be null.
template <typename Options>
void Watch(const RunOwner& owner, Catalog* catalog, Options& options) {
  options.abandon_after = owner.abandon_after;
  options.on_progress = owner.on_progress;
  options.on_job_created = [catalog, cancel = owner.cancel,
                            tell = owner.on_job_created](const BackupJob& job) {
    // A request may come while the run ends: it holds what it needs.
    if (catalog != nullptr) catalog->OnCancelRequested(job.id(), cancel);
    if (tell) tell(job);
  };
}

}  // namespace

BackupResult RunBackup(const RunOwner& owner, Catalog& catalog,
                       const OpenedRepo& repo, const BackupRequest& request) {
  RunBackupOptions options;
  Watch(owner, &catalog, options);
  options.claimed = request.claimed;
  options.base = request.base;
  options.origin = request.origin;
  options.allow_empty = request.allow_empty;
  options.read_back = request.read_back;
  options.on_read_back = request.on_read_back;
  options.before_publish = [&](const BackupJob& job) -> absl::Status {
    // A purge may have forgotten it between its opening and this job, which
    // none has run beside since.
    if (!repo.row.name().empty()) {
      SLUICE_RETURN_IF_ERROR(
          catalog.GetRepo(owner.context, repo.row.id()).status());
    }
    return catalog.BeginPublish(owner.context, job.id());
  };
  const Executor executor(&catalog, Clock::Real());
  return executor.RunBackup(owner.context, request.source, repo.destination,
                            repo.row, request.store_id,
                            request.source->store_kind(), options);
}

RestoreResult RunRestore(
    const RunOwner& owner, Catalog* catalog, const OpenedRepo& repo,
    const RestoreRequest& request,
    const std::function<void(const absl::Status&)>& on_catalog_lost) {
  OptionalJobs jobs(catalog, on_catalog_lost);
  RunRestoreOptions options;
  Watch(owner, catalog, options);
  options.claimed = request.claimed;
  options.from_store_id = request.from_store;
  const Executor executor(&jobs, Clock::Real());
  return executor.RunRestore(owner.context, request.target, repo.destination,
                             repo.row, request.backup_id, options);
}

}  // namespace sluice::service
