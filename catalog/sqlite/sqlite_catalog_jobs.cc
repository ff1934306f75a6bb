#include <algorithm>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "catalog/sqlite/sqlite_catalog_impl.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/catalog/sqlite/plan_rows.h"
#include "sluice/catalog/sqlite/rows.h"

namespace sluice {
namespace {

// The same end, told again: a write whose answer was lost.
bool SameEnd(const BackupJob& a, const BackupJob& b) {
  return a.status() == b.status() && a.record_id() == b.record_id() &&
         a.error_code() == b.error_code() && a.error() == b.error();
}

}  // namespace

absl::Status FinishedError(const BackupJob& job) {
  return MakeError(absl::StatusCode::kFailedPrecondition, kJobFinished,
                   absl::StrCat("job ", job.id(), " has ended already"));
}

absl::Status JobNotFoundError(absl::string_view job_id) {
  return MakeError(absl::StatusCode::kNotFound, kJobNotFound,
                   absl::StrCat("there is no job ", job_id));
}

// --- jobs, as the executor sees them

// Takes the lease of every dead job that backs up the same store into the same
// repo, so that an owner who was only stopped cannot go on beside us. The live
// one that may be among them is the answer.
absl::Status SqliteCatalog::EndDeadLeases(SqliteConnection& connection,
                                          const BackupJob& job) {
  CatalogFilter filter;
  filter.repo_id = job.repo_id();
  filter.store_id = job.store_id();
  filter.unfinished_only = true;
  SLUICE_ASSIGN_OR_RETURN(const std::vector<CatalogJob> others,
                          ReadJobs(connection, filter));
  for (const CatalogJob& other : others) {
    if (other.job.kind() != BackupJob::BACKUP || !other.lease ||
        other.job.id() == job.id()) {
      continue;
    }
    if (IsLive(*other.lease, Judge())) {
      return WithHint(
          MakeError(absl::StatusCode::kAlreadyExists, kBackupAlreadyRunning,
                    absl::StrCat("job ", other.job.id(), " of ",
                                 other.lease->owner, " is backing up store ",
                                 job.store_id(), " into this repo")),
          "wait for it, or end it with `sluice job cancel`");
    }
    SLUICE_RETURN_IF_ERROR(EndLease(connection, *other.lease));
  }
  return absl::OkStatus();
}

// Over, and of nobody's number; the row still tells whose it was.
absl::Status SqliteCatalog::EndLease(SqliteConnection& connection, Lease over) {
  SLUICE_ASSIGN_OR_RETURN(over.fence, DrawFence(connection));
  over.expires_at = absl::UnixEpoch();
  over.expires_at_boot = absl::ZeroDuration();
  return PutLease(connection, over);
}

// A purge looks for other jobs before each archive that it takes, and not
// between that look and the taking: so nothing may begin beside it. One that
// waits would take what is made now.
absl::Status SqliteCatalog::CheckNoPurge(SqliteConnection& connection,
                                         const std::string& repo_id) {
  SLUICE_ASSIGN_OR_RETURN(const std::string id,
                          PurgeOf(connection, repo_id, options_.clock->Now()));
  if (id.empty()) return absl::OkStatus();
  SLUICE_ASSIGN_OR_RETURN(const absl::optional<CatalogJob> purge,
                          ReadJob(connection, id));
  if (!purge->lease || IsLive(*purge->lease, Judge())) {
    return PurgeInTheWay(id);
  }
  return EndLease(connection, *purge->lease);
}

bool SqliteCatalog::IsClaimed(const CatalogJob& entry) const {
  const absl::optional<HeldJobs::View> held = held_.Find(entry.job.id());
  return held && !held->lost && entry.lease &&
         entry.lease->fence == held->fence &&
         entry.job.status() == BackupJob::RUNNING &&
         entry.job.stage() == "opening";
}

absl::Status SqliteCatalog::PutFirstRow(SqliteConnection& connection,
                                        const BackupJob& job,
                                        absl::optional<Lease>& lease) {
  SLUICE_ASSIGN_OR_RETURN(const absl::optional<CatalogJob> same,
                          ReadJob(connection, job.id()));
  const bool claimed = same.has_value() && IsClaimed(*same);
  if (same && !claimed) return NameTakenError(absl::StrCat("job ", job.id()));
  if (job.kind() == BackupJob::BACKUP && !IsTerminal(job)) {
    // One that was claimed has been the only one since then.
    if (!claimed) {
      SLUICE_RETURN_IF_ERROR(CheckNoPurge(connection, job.repo_id()));
    }
    SLUICE_RETURN_IF_ERROR(EndDeadLeases(connection, job));
  }
  SLUICE_RETURN_IF_ERROR(PutJob(connection, job));
  if (claimed) return absl::OkStatus();
  const absl::Time now = options_.clock->Now();
  if (IsTerminal(job)) return NoteJobEnded(connection, job, now);
  SLUICE_ASSIGN_OR_RETURN(lease, BeginLease(connection, job.id()));
  return NoteJob(connection, "job.started", job, now);
}

absl::Status SqliteCatalog::CreateBackupJob(const Context& context,
                                            const BackupJob& job) {
  if (job.id().empty()) {
    return InvalidArgument("the job id is empty");
  }
  absl::optional<Lease> lease;
  SLUICE_RETURN_IF_ERROR(
      database_->Write(context, [&](SqliteConnection& connection) {
        lease.reset();
        return PutFirstRow(connection, job, lease);
      }));
  if (lease) held_.Add(job.id(), lease->fence, lease->expires_at_boot);
  return absl::OkStatus();
}

absl::Status SqliteCatalog::UpdateBackupJob(const Context& context,
                                            const BackupJob& job) {
  const absl::optional<HeldJobs::View> held = held_.Find(job.id());
  const absl::Status status =
      WriteUrgently(context, [&](SqliteConnection& connection) -> absl::Status {
        SLUICE_ASSIGN_OR_RETURN(const absl::optional<CatalogJob> before,
                                ReadJob(connection, job.id()));
        if (!before) return JobNotFoundError(job.id());
        if (IsTerminal(before->job)) {
          return SameEnd(before->job, job) ? absl::OkStatus()
                                           : FinishedError(before->job);
        }
        if (!held || !before->lease || before->lease->fence != held->fence)
          return FencedError(job.id(), "another process owns it now");
        BackupJob after = job;
        // Progress never goes back, whatever order its writes came in.
        const HeldJobs::Progress told =
            held->progress.value_or(HeldJobs::Progress());
        after.set_progress(
            std::max({job.progress(), before->job.progress(), told.percent}));
        after.set_bytes_done(std::max(
            {job.bytes_done(), before->job.bytes_done(), told.bytes_done}));
        SLUICE_RETURN_IF_ERROR(PutJob(connection, after));
        if (!IsTerminal(job)) return absl::OkStatus();
        SLUICE_ASSIGN_OR_RETURN(
            SqliteStatement end,
            connection.Prepare("DELETE FROM leases WHERE job_id = ?"));
        SLUICE_RETURN_IF_ERROR(end.Bind(job.id()).Run());
        after.set_plan_id(before->job.plan_id());
        return NoteJobEnded(connection, after, options_.clock->Now());
      });
  // Its run is over, whatever became of the row; what failed for want of room
  // or time is tried again.
  const std::string word = ErrorCodeOf(status);
  if (IsTerminal(job) &&
      (status.ok() || word == kJobFinished || word == kPublishFenced))
    held_.Remove(job.id());
  return status;
}

absl::Status SqliteCatalog::UpdateBackupJobProgress(const Context& context,
                                                    absl::string_view job_id,
                                                    uint32_t progress,
                                                    uint64_t bytes_done,
                                                    absl::string_view stage) {
  SLUICE_RETURN_IF_ERROR(context.status());
  if (!held_.SetProgress(job_id, {progress, bytes_done, std::string(stage)}))
    return FencedError(job_id, "is not held by this process");
  return absl::OkStatus();
}

// --- jobs, as people see them

void SqliteCatalog::Complete(CatalogJob& entry) const {
  if (IsTerminal(entry.job)) return;
  entry.live = entry.lease && IsLive(*entry.lease, Judge());
  entry.owner_ended =
      entry.lease && IsProvablyDead(self_, entry.lease->process);
  const absl::optional<HeldJobs::View> held = held_.Find(entry.job.id());
  if (!held || !held->progress) return;
  entry.job.set_progress(
      std::max(entry.job.progress(), held->progress->percent));
  entry.job.set_bytes_done(
      std::max(entry.job.bytes_done(), held->progress->bytes_done));
  entry.job.set_stage(held->progress->stage);
}

absl::StatusOr<CatalogJob> SqliteCatalog::GetJob(
    const Context& context, absl::string_view id_or_prefix) {
  SLUICE_ASSIGN_OR_RETURN(
      CatalogJob job,
      database_->Get<CatalogJob>(context, [&](SqliteConnection& connection) {
        return RowOf(connection, FindId(connection, "jobs", id_or_prefix),
                     &ReadJob);
      }));
  Complete(job);
  return job;
}

absl::StatusOr<std::vector<CatalogJob>> SqliteCatalog::ListJobs(
    const Context& context, const CatalogFilter& filter) {
  SLUICE_ASSIGN_OR_RETURN(std::vector<CatalogJob> jobs,
                          database_->Get<std::vector<CatalogJob>>(
                              context, [&](SqliteConnection& connection) {
                                return ReadJobs(connection, filter);
                              }));
  for (CatalogJob& entry : jobs) Complete(entry);
  return jobs;
}

absl::Status SqliteCatalog::RequestCancel(const Context& context,
                                          absl::string_view id_or_prefix) {
  return database_->Write(
      context, [&](SqliteConnection& connection) -> absl::Status {
        SLUICE_ASSIGN_OR_RETURN(const std::string id,
                                FindId(connection, "jobs", id_or_prefix));
        SLUICE_ASSIGN_OR_RETURN(const absl::optional<CatalogJob> entry,
                                ReadJob(connection, id));
        if (IsTerminal(entry->job)) return FinishedError(entry->job);
        if (entry->job.status() == BackupJob::PENDING) {
          return EndPendingJob(
              connection, entry->job,
              absl::CancelledError("cancelled before it began"),
              options_.clock->Now());
        }
        SLUICE_ASSIGN_OR_RETURN(
            SqliteStatement update,
            connection.Prepare(
                "UPDATE jobs SET cancel_requested = 1 WHERE id = ?"));
        return update.Bind(id).Run();
      });
}

}  // namespace sluice
