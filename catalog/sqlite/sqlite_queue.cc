#include "sluice/catalog/sqlite/sqlite_queue.h"

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/catalog/catalog_error.h"
#include "sluice/catalog/sqlite/happenings.h"
#include "sluice/catalog/sqlite/plan_rows.h"
#include "sluice/catalog/sqlite/rows.h"

namespace sluice {
namespace {

constexpr char kJobInTheWayUrl[] = "sluice/job_in_the_way";

absl::Status AlreadyRunning(absl::string_view job_id) {
  absl::Status status = WithHint(
      MakeError(absl::StatusCode::kAlreadyExists, kBackupAlreadyRunning,
                absl::StrCat("job ", job_id, " does the same and is not over")),
      "wait for it, or end it with `sluice job cancel`");
  status.SetPayload(kJobInTheWayUrl, absl::Cord(job_id));
  return status;
}

absl::StatusOr<std::vector<std::string>> ReadIds(SqliteStatement& select) {
  std::vector<std::string> ids;
  while (true) {
    SLUICE_ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return ids;
    ids.push_back(select.Text(0));
  }
}

// A backup of a store that is being backed up into the same repo waits: it
// would lose at the lease. What a plan has verified by the way, and a purge,
// wait until nothing runs in their repo; while a repo is purged nothing begins.
constexpr char kNextSql[] = R"sql(
SELECT jobs.id FROM jobs JOIN requests ON requests.job_id = jobs.id
WHERE jobs.status = 'pending' AND not_before_ms <= ?1
  AND (?3 = '' OR jobs.id = ?3)
  AND (expires_at_ms = 0 OR expires_at_ms > ?1)
  AND (?2 = 0 OR ?2 > (SELECT count(*) FROM jobs AS running
       WHERE running.status = 'running' AND running.repo_id = jobs.repo_id))
  AND NOT (jobs.kind = 'backup' AND jobs.store_id <> '' AND EXISTS
       (SELECT 1 FROM jobs AS running WHERE running.status = 'running'
        AND running.kind = 'backup' AND running.repo_id = jobs.repo_id
        AND running.store_id = jobs.store_id))
  AND NOT EXISTS (SELECT 1 FROM jobs AS running
       WHERE running.status = 'running' AND running.repo_id = jobs.repo_id
       AND (running.kind = 'purge' OR jobs.kind = 'purge'
            OR (jobs.kind = 'verify' AND jobs.plan_id <> '')))
ORDER BY (SELECT count(*) FROM jobs AS running WHERE running.status = 'running'
          AND running.plan_id = jobs.plan_id), not_before_ms, jobs.id
LIMIT 1)sql";

}  // namespace

std::string JobInTheWay(const absl::Status& status) {
  const absl::optional<absl::Cord> job = status.GetPayload(kJobInTheWayUrl);
  return job.has_value() ? std::string(*job) : "";
}

absl::StatusOr<QueuedRun> SqliteQueue::Enqueue(const Context& context,
                                               const QueuedRun& run) {
  if (run.job.id().empty() || run.job.id() != run.request.job_id() ||
      run.job.status() != BackupJob::PENDING) {
    return InvalidArgument("a queued run is a pending job and its request");
  }
  QueuedRun queued = run;
  SLUICE_RETURN_IF_ERROR(database_->Write(
      context, [&](SqliteConnection& connection) -> absl::Status {
        queued = run;
        if (!run.request.idempotency_key().empty()) {
          SLUICE_ASSIGN_OR_RETURN(
              SqliteStatement same,
              connection.Prepare(
                  "SELECT job_id FROM requests WHERE idempotency_key = ?"));
          SLUICE_ASSIGN_OR_RETURN(
              const bool known,
              same.Bind(run.request.idempotency_key()).Step());
          if (known) {
            const std::string id = same.Text(0);
            SLUICE_ASSIGN_OR_RETURN(const absl::optional<CatalogJob> job,
                                    ReadJob(connection, id));
            SLUICE_ASSIGN_OR_RETURN(const absl::optional<JobRequest> request,
                                    ReadRequest(connection, id));
            queued = {job->job, *request};
            return absl::OkStatus();
          }
        }
        SLUICE_ASSIGN_OR_RETURN(const absl::optional<CatalogJob> same_id,
                                ReadJob(connection, run.job.id()));
        if (same_id.has_value()) {
          return MakeError(
              absl::StatusCode::kAlreadyExists, kNameTaken,
              absl::StrCat("the catalog holds another job ", run.job.id()));
        }
        SLUICE_ASSIGN_OR_RETURN(const std::string other,
                                JobOfSameKey(connection, run));
        if (!other.empty()) return AlreadyRunning(other);
        if (run.job.kind() == BackupJob::BACKUP) {
          SLUICE_ASSIGN_OR_RETURN(
              const std::string purge,
              PurgeOf(connection, run.job.repo_id(), clock_->Now()));
          if (!purge.empty()) return PurgeInTheWay(purge);
        }
        return PutQueuedRun(connection, run, clock_->Now());
      }));
  return queued;
}

absl::StatusOr<JobRequest> SqliteQueue::GetRequest(const Context& context,
                                                   absl::string_view job_id) {
  return database_->Get<JobRequest>(
      context, [&](SqliteConnection& connection) -> absl::StatusOr<JobRequest> {
        SLUICE_ASSIGN_OR_RETURN(absl::optional<JobRequest> request,
                                ReadRequest(connection, job_id));
        if (request.has_value()) return *std::move(request);
        return MakeError(absl::StatusCode::kNotFound, kJobNotFound,
                         absl::StrCat("there is no request of job ", job_id));
      });
}

absl::StatusOr<absl::optional<QueuedRun>> SqliteQueue::Claim(
    const Context& context, const ClaimOptions& options) {
  absl::optional<QueuedRun> claimed;
  Lease lease;
  SLUICE_RETURN_IF_ERROR(database_->Write(
      context, [&](SqliteConnection& connection) -> absl::Status {
        claimed.reset();
        SLUICE_ASSIGN_OR_RETURN(SqliteStatement next,
                                connection.Prepare(kNextSql));
        SLUICE_ASSIGN_OR_RETURN(
            const bool any, next.Bind(absl::ToUnixMillis(options.now))
                                .Bind(static_cast<int64_t>(options.per_repo))
                                .Bind(options.job_id)
                                .Step());
        if (!any) return absl::OkStatus();
        const std::string id = next.Text(0);
        SLUICE_ASSIGN_OR_RETURN(const absl::optional<CatalogJob> entry,
                                ReadJob(connection, id));
        SLUICE_ASSIGN_OR_RETURN(const absl::optional<JobRequest> request,
                                ReadRequest(connection, id));
        BackupJob job = entry->job;
        job.set_status(BackupJob::RUNNING);
        job.set_stage("opening");
        job.set_started_at_ms(absl::ToUnixMillis(clock_->Now()));
        SLUICE_RETURN_IF_ERROR(PutJob(connection, job));
        SLUICE_ASSIGN_OR_RETURN(lease, begin_lease_(connection, id));
        SLUICE_RETURN_IF_ERROR(
            NoteJob(connection, "job.started", job, clock_->Now()));
        claimed = QueuedRun{job, *request};
        return absl::OkStatus();
      }));
  if (claimed.has_value()) hold_(lease);
  return claimed;
}

absl::StatusOr<absl::Time> SqliteQueue::NextNotBefore(const Context& context) {
  int64_t next = INT64_MAX;
  SLUICE_RETURN_IF_ERROR(database_->Read(
      context, [&](SqliteConnection& connection) -> absl::Status {
        SLUICE_ASSIGN_OR_RETURN(
            next,
            connection.QueryInteger(
                "SELECT ifnull(min(not_before_ms), 9223372036854775807) FROM "
                "requests JOIN jobs ON jobs.id = job_id WHERE jobs.status = "
                "'pending'"));
        return absl::OkStatus();
      }));
  return next == INT64_MAX ? absl::InfiniteFuture()
                           : absl::FromUnixMillis(next);
}

absl::StatusOr<size_t> SqliteQueue::EndUnclaimed(const Context& context,
                                                 absl::Time now) {
  size_t ended = 0;
  const auto find = [&](SqliteConnection& connection)
      -> absl::StatusOr<std::vector<std::string>> {
    SLUICE_ASSIGN_OR_RETURN(
        SqliteStatement late,
        connection.Prepare(
            "SELECT jobs.id FROM jobs JOIN requests ON requests.job_id = "
            "jobs.id WHERE jobs.status = 'pending' AND expires_at_ms > 0 AND "
            "expires_at_ms <= ?"));
    late.Bind(absl::ToUnixMillis(now));
    return ReadIds(late);
  };
  // Mostly there is none, and a look costs no write.
  SLUICE_ASSIGN_OR_RETURN(
      const std::vector<std::string> late,
      database_->Get<std::vector<std::string>>(context, find));
  if (late.empty()) return ended;
  SLUICE_RETURN_IF_ERROR(database_->Write(
      context, [&](SqliteConnection& connection) -> absl::Status {
        SLUICE_ASSIGN_OR_RETURN(const std::vector<std::string> ids,
                                find(connection));
        for (const std::string& id : ids) {
          SLUICE_ASSIGN_OR_RETURN(const absl::optional<CatalogJob> entry,
                                  ReadJob(connection, id));
          SLUICE_RETURN_IF_ERROR(EndPendingJob(
              connection, entry->job,
              MakeError(absl::StatusCode::kDeadlineExceeded, kNotClaimed,
                        "no worker began it in time"),
              now));
        }
        ended = ids.size();
        return absl::OkStatus();
      }));
  return ended;
}

absl::StatusOr<std::vector<QueuedRun>> SqliteQueue::ListWaiting(
    const Context& context, absl::Time now) {
  std::vector<QueuedRun> waiting;
  SLUICE_RETURN_IF_ERROR(database_->Read(
      context, [&](SqliteConnection& connection) -> absl::Status {
        SLUICE_ASSIGN_OR_RETURN(
            SqliteStatement select,
            connection.Prepare(
                "SELECT jobs.id FROM jobs JOIN requests ON requests.job_id = "
                "jobs.id WHERE jobs.status = 'pending' AND not_before_ms > ? "
                "ORDER BY jobs.id"));
        select.Bind(absl::ToUnixMillis(now));
        SLUICE_ASSIGN_OR_RETURN(const std::vector<std::string> ids,
                                ReadIds(select));
        for (const std::string& id : ids) {
          SLUICE_ASSIGN_OR_RETURN(const absl::optional<CatalogJob> entry,
                                  ReadJob(connection, id));
          SLUICE_ASSIGN_OR_RETURN(const absl::optional<JobRequest> request,
                                  ReadRequest(connection, id));
          waiting.push_back({entry->job, *request});
        }
        return absl::OkStatus();
      }));
  return waiting;
}

absl::Status SqliteQueue::EndPending(const Context& context,
                                     absl::string_view job_id,
                                     const absl::Status& cause,
                                     absl::Time now) {
  return database_->Write(
      context, [&](SqliteConnection& connection) -> absl::Status {
        SLUICE_ASSIGN_OR_RETURN(const absl::optional<CatalogJob> entry,
                                ReadJob(connection, job_id));
        if (!entry.has_value() || entry->job.status() != BackupJob::PENDING) {
          return absl::OkStatus();
        }
        return EndPendingJob(connection, entry->job, cause, now);
      });
}

absl::StatusOr<size_t> SqliteQueue::DeleteJobs(const Context& context,
                                               absl::Time ended_before) {
  size_t deleted = 0;
  SLUICE_RETURN_IF_ERROR(database_->Write(
      context, [&](SqliteConnection& connection) -> absl::Status {
        constexpr char kOld[] =
            "SELECT id FROM jobs WHERE status IN ('succeeded', 'failed', "
            "'interrupted') AND finished_at_ms < ?1 AND id NOT IN (SELECT "
            "job_id FROM firings WHERE outcome = 'open')";
        for (const std::string& sql :
             {absl::StrCat("DELETE FROM requests WHERE job_id IN (", kOld, ")"),
              absl::StrCat("DELETE FROM warnings WHERE of = 'job' AND id IN (",
                           kOld, ")"),
              absl::StrCat("DELETE FROM jobs WHERE id IN (", kOld, ")")}) {
          SLUICE_ASSIGN_OR_RETURN(SqliteStatement remove,
                                  connection.Prepare(sql));
          SLUICE_RETURN_IF_ERROR(
              remove.Bind(absl::ToUnixMillis(ended_before)).Run());
        }
        deleted = static_cast<size_t>(connection.Changes());
        return absl::OkStatus();
      }));
  return deleted;
}

}  // namespace sluice
