#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "catalog/sqlite/sqlite_catalog_impl.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/catalog/sqlite/rows.h"

namespace sluice {
namespace {

// Progress is for people to look at; each write of it costs a sync.
constexpr absl::Duration kProgressInterval = absl::Seconds(1);

constexpr char kLost[] = "its lease ran out, or another process took it";

}  // namespace

absl::Status FencedError(absl::string_view job_id, absl::string_view why) {
  return MakeError(absl::StatusCode::kFailedPrecondition, kPublishFenced,
                   absl::StrCat("job ", job_id, ": ", why));
}

// --- leases

absl::Status SqliteCatalog::CheckNotHeld(absl::string_view job_id) const {
  if (!held_.Find(job_id)) return absl::OkStatus();
  return MakeError(
      absl::StatusCode::kFailedPrecondition, kBackupAlreadyRunning,
      absl::StrCat("job ", job_id, " is still run by this process"));
}

absl::StatusOr<Lease> SqliteCatalog::BeginLease(SqliteConnection& connection,
                                                absl::string_view job_id) {
  SLUICE_RETURN_IF_ERROR(CheckNotHeld(job_id));
  Lease lease;
  lease.job_id = std::string(job_id);
  SLUICE_ASSIGN_OR_RETURN(lease.fence, DrawFence(connection));
  lease.owner = owner_;
  lease.process = self_;
  lease.length = options_.lease;
  lease.expires_at = options_.clock->Now() + options_.lease;
  lease.expires_at_boot = options_.clock->SinceBoot() + options_.lease;
  SLUICE_RETURN_IF_ERROR(PutLease(connection, lease));
  return lease;
}

absl::StatusOr<bool> SqliteCatalog::RenewRow(SqliteConnection& connection,
                                             const HeldJobs::View& held,
                                             absl::Duration& ends) {
  SLUICE_ASSIGN_OR_RETURN(
      SqliteStatement update,
      connection.Prepare("UPDATE leases SET expires_at_ms = ?, "
                         "expires_at_boot_ms = ? WHERE job_id = ? AND fence = "
                         "?"));
  const absl::Duration since_boot = options_.clock->SinceBoot();
  // Waiting for other writers may have taken longer than the lease had left.
  if (since_boot >= held.ends) return false;
  ends = since_boot + options_.lease;
  SLUICE_RETURN_IF_ERROR(
      update.Bind(absl::ToUnixMillis(options_.clock->Now() + options_.lease))
          .Bind(absl::ToInt64Milliseconds(ends))
          .Bind(held.job_id)
          .Bind(held.fence)
          .Run());
  return connection.Changes() > 0;
}

absl::Status SqliteCatalog::CheckLease(const Context& context,
                                       absl::string_view job_id) {
  return RenewAnd(context, job_id,
                  [](SqliteConnection&) { return absl::OkStatus(); });
}

absl::Status SqliteCatalog::BeginPublish(const Context& context,
                                         absl::string_view job_id) {
  return RenewAnd(
      context, job_id, [&](SqliteConnection& connection) -> absl::Status {
        SLUICE_ASSIGN_OR_RETURN(
            SqliteStatement mark,
            connection.Prepare("UPDATE jobs SET stage = 'publishing' WHERE id "
                               "= ?"));
        return mark.Bind(job_id).Run();
      });
}

absl::Status SqliteCatalog::RenewAnd(const Context& context,
                                     absl::string_view job_id,
                                     SqliteDatabase::Body then) {
  LoseLapsed();
  const absl::optional<HeldJobs::View> held = held_.Find(job_id);
  if (!held || held->lost) return FencedError(job_id, kLost);
  bool ours = false;
  absl::Duration ends;
  SLUICE_RETURN_IF_ERROR(
      database_->Write(context, [&](SqliteConnection& connection) {
        SLUICE_ASSIGN_OR_RETURN(ours, RenewRow(connection, *held, ends));
        return ours ? then(connection) : absl::OkStatus();
      }));
  if (!ours) {
    held_.Lose(job_id, held->fence, FencedError(job_id, kLost));
    return FencedError(job_id, kLost);
  }
  held_.Renewed(job_id, held->fence, ends);
  return absl::OkStatus();
}

absl::Status SqliteCatalog::TakeOver(const Context& context,
                                     absl::string_view job_id) {
  SLUICE_RETURN_IF_ERROR(CheckNotHeld(job_id));
  Lease lease;
  SLUICE_RETURN_IF_ERROR(database_->Write(
      context, [&](SqliteConnection& connection) -> absl::Status {
        SLUICE_ASSIGN_OR_RETURN(const absl::optional<CatalogJob> entry,
                                ReadJob(connection, job_id));
        if (!entry) return JobNotFoundError(job_id);
        if (IsTerminal(entry->job)) return FinishedError(entry->job);
        if (entry->job.status() == BackupJob::PENDING) {
          return MakeError(absl::StatusCode::kFailedPrecondition,
                           kBackupAlreadyRunning,
                           absl::StrCat("job ", job_id, " waits for a worker"));
        }
        if (entry->lease && IsLive(*entry->lease, Judge()))
          return MakeError(absl::StatusCode::kFailedPrecondition,
                           kBackupAlreadyRunning,
                           absl::StrCat("job ", job_id, " is alive, of ",
                                        entry->lease->owner));
        SLUICE_ASSIGN_OR_RETURN(lease, BeginLease(connection, job_id));
        return absl::OkStatus();
      }));
  held_.Add(job_id, lease.fence, lease.expires_at_boot);
  return absl::OkStatus();
}

absl::Status SqliteCatalog::Release(const Context& context,
                                    absl::string_view job_id) {
  const absl::optional<HeldJobs::View> held = held_.Find(job_id);
  if (!held) return absl::OkStatus();
  held_.Remove(job_id);
  return database_->Write(context, [&](SqliteConnection& connection) {
    SLUICE_ASSIGN_OR_RETURN(
        SqliteStatement end,
        connection.Prepare("UPDATE leases SET expires_at_ms = 0, "
                           "expires_at_boot_ms = 0 WHERE job_id = ? AND fence "
                           "= ?"));
    return end.Bind(job_id).Bind(held->fence).Run();
  });
}

// --- the heartbeat's thread. What fails here is tried again at the next tick,
// until the lease runs out.

void SqliteCatalog::Heartbeat() {
  while (held_.AwaitTick(*options_.clock, options_.cancel_poll)) {
    LoseLapsed();
    RenewAndWriteProgress();
    PollCancel();
  }
}

void SqliteCatalog::LoseLapsed() {
  const absl::Duration since_boot = options_.clock->SinceBoot();
  for (const HeldJobs::View& held : held_.All()) {
    if (!held.lost && since_boot >= held.ends) {
      held_.Lose(held.job_id, held.fence,
                 FencedError(held.job_id, "its lease ran out"));
    }
  }
}

void SqliteCatalog::RenewAndWriteProgress() {
  const absl::Duration since_boot = options_.clock->SinceBoot();
  std::vector<HeldJobs::View> all = held_.All();
  bool renew = false;
  bool write_progress = false;
  for (const HeldJobs::View& held : all) {
    if (held.lost) continue;
    renew |= since_boot >= held.ends - options_.lease * 3 / 4;
    write_progress |= held.progress_unwritten;
  }
  write_progress &= since_boot >= progress_written_at_ + kProgressInterval;
  if (!renew && !write_progress) return;

  std::vector<HeldJobs::View> lost;
  std::vector<std::pair<HeldJobs::View, absl::Duration>> renewed;
  const absl::Status status = database_->Write(
      alive_.first, [&](SqliteConnection& connection) -> absl::Status {
        SLUICE_ASSIGN_OR_RETURN(
            SqliteStatement update,
            // What BeginPublish noted stays, whatever order the writes came in.
            connection.Prepare("UPDATE jobs SET progress = max(progress, ?1), "
                               "bytes_done = max(bytes_done, ?2), stage = CASE "
                               "WHEN stage = 'publishing' AND ?3 IN "
                               "('starting', 'streaming') THEN stage ELSE ?3 "
                               "END WHERE id = ?4"));
        for (const HeldJobs::View& held : all) {
          if (held.lost) continue;
          absl::Duration ends;
          SLUICE_ASSIGN_OR_RETURN(const bool ours,
                                  RenewRow(connection, held, ends));
          if (!ours) {
            lost.push_back(held);
            continue;
          }
          renewed.emplace_back(held, ends);
          if (!held.progress_unwritten) continue;
          SLUICE_RETURN_IF_ERROR(
              update.Bind(int64_t{held.progress->percent})
                  .Bind(static_cast<int64_t>(held.progress->bytes_done))
                  .Bind(held.progress->stage)
                  .Bind(held.job_id)
                  .Run());
          update.Reset();
        }
        return absl::OkStatus();
      });
  if (!status.ok()) return;
  progress_written_at_ = since_boot;
  for (const auto& [held, ends] : renewed) {
    held_.Renewed(held.job_id, held.fence, ends);
    if (held.progress_unwritten)
      held_.ProgressWritten(held.job_id, *held.progress);
  }
  for (const HeldJobs::View& held : lost) {
    held_.Lose(held.job_id, held.fence,
               FencedError(held.job_id, "another process took its lease"));
  }
}

void SqliteCatalog::PollCancel() {
  std::vector<std::string> requested;
  const std::vector<HeldJobs::View> all = held_.All();
  const absl::Status status = database_->Read(
      alive_.first, [&](SqliteConnection& connection) -> absl::Status {
        SLUICE_ASSIGN_OR_RETURN(
            SqliteStatement select,
            connection.Prepare(
                "SELECT cancel_requested FROM jobs WHERE id = ?"));
        for (const HeldJobs::View& held : all) {
          if (!held.wants_cancel) continue;
          SLUICE_ASSIGN_OR_RETURN(const bool row,
                                  select.Bind(held.job_id).Step());
          if (row && select.Integer(0) != 0) requested.push_back(held.job_id);
          select.Reset();
        }
        return absl::OkStatus();
      });
  if (!status.ok()) return;
  for (const std::string& job_id : requested) {
    held_.Cancel(job_id,
                 absl::CancelledError("cancelled by `sluice job cancel`"));
  }
}

}  // namespace sluice
