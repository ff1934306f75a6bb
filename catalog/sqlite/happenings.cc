#include "sluice/catalog/sqlite/happenings.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/catalog/sqlite/rows.h"

namespace sluice {
namespace {

absl::Status AddRun(SqliteConnection& connection, const BackupJob& job) {
  CatalogTotal total;
  total.plan_id = job.plan_id();
  total.repo_id = job.repo_id();
  total.value = 1;
  total.metric = "runs";
  total.label = std::string(StatusWord(job.status()));
  SLUICE_RETURN_IF_ERROR(AddToTotalRow(connection, total));
  // One that never began has no duration.
  if (job.started_at_ms() == 0) return absl::OkStatus();
  const int64_t took =
      std::max<int64_t>(0, job.finished_at_ms() - job.started_at_ms());
  total.metric = "run_seconds";
  for (const int64_t bound : RunSecondsBuckets()) {
    if (took > bound * 1000) continue;
    total.label = absl::StrCat(bound);
    SLUICE_RETURN_IF_ERROR(AddToTotalRow(connection, total));
  }
  total.label = "+Inf";
  SLUICE_RETURN_IF_ERROR(AddToTotalRow(connection, total));
  total.metric = "run_milliseconds";
  total.label = "";
  total.value = took;
  return AddToTotalRow(connection, total);
}

absl::Status RememberStore(SqliteConnection& connection, const BackupJob& job) {
  SLUICE_ASSIGN_OR_RETURN(
      SqliteStatement update,
      connection.Prepare("UPDATE plan_targets SET store_id = ? WHERE plan_id = "
                         "? AND repo_id = ?"));
  return update.Bind(job.store_id())
      .Bind(job.plan_id())
      .Bind(job.repo_id())
      .Run();
}

}  // namespace

absl::Status AppendEvent(SqliteConnection& connection,
                         const CatalogEvent& event) {
  SLUICE_ASSIGN_OR_RETURN(
      SqliteStatement insert,
      connection.Prepare("INSERT INTO events (at_ms, type, plan_id, repo_id, "
                         "job_id, record_id, word) VALUES (?,?,?,?,?,?,?)"));
  return insert.Bind(absl::ToUnixMillis(event.at))
      .Bind(event.type)
      .Bind(event.plan_id)
      .Bind(event.repo_id)
      .Bind(event.job_id)
      .Bind(event.record_id)
      .Bind(event.word)
      .Run();
}

absl::Status AddToTotalRow(SqliteConnection& connection,
                           const CatalogTotal& by) {
  SLUICE_ASSIGN_OR_RETURN(
      SqliteStatement put,
      connection.Prepare("INSERT INTO totals VALUES (?,?,?,?,?) ON CONFLICT "
                         "DO UPDATE SET value = value + excluded.value"));
  return put.Bind(by.metric)
      .Bind(by.plan_id)
      .Bind(by.repo_id)
      .Bind(by.label)
      .Bind(by.value)
      .Run();
}

absl::Status NoteJob(SqliteConnection& connection, absl::string_view type,
                     const BackupJob& job, absl::Time at) {
  CatalogEvent event;
  event.at = at;
  event.type = std::string(type);
  event.plan_id = job.plan_id();
  event.repo_id = job.repo_id();
  event.job_id = job.id();
  event.record_id = job.record_id();
  event.word = std::string(StatusWord(job.status()));
  return AppendEvent(connection, event);
}

absl::Status NoteJobEnded(SqliteConnection& connection, const BackupJob& job,
                          absl::Time at) {
  SLUICE_RETURN_IF_ERROR(NoteJob(connection, "job.finished", job, at));
  // It is in nobody's way any more, and not sought among those that may be.
  SLUICE_ASSIGN_OR_RETURN(
      SqliteStatement over,
      connection.Prepare("UPDATE requests SET open_key = '' WHERE job_id = ?"));
  SLUICE_RETURN_IF_ERROR(over.Bind(job.id()).Run());
  if (job.kind() != BackupJob::BACKUP) return absl::OkStatus();
  SLUICE_RETURN_IF_ERROR(AddRun(connection, job));
  if (job.status() != BackupJob::SUCCEEDED || job.plan_id().empty()) {
    return absl::OkStatus();
  }
  return RememberStore(connection, job);
}

absl::Status EndPendingJob(SqliteConnection& connection, BackupJob job,
                           const absl::Status& cause, absl::Time now) {
  job.set_status(BackupJob::INTERRUPTED);
  job.set_error(std::string(cause.message()));
  job.set_error_code(ErrorCodeOf(cause));
  job.set_finished_at_ms(absl::ToUnixMillis(now));
  SLUICE_RETURN_IF_ERROR(PutJob(connection, job));
  return NoteJobEnded(connection, job, now);
}

const std::vector<int64_t>& RunSecondsBuckets() {
  static const auto* const kBuckets = new std::vector<int64_t>{
      1, 5, 15, 60, 300, 900, 3600, 4 * 3600, 24 * 3600};
  return *kBuckets;
}

absl::Status SqliteEvents::Append(const Context& context,
                                  const CatalogEvent& event) {
  return database_->Write(context, [&](SqliteConnection& connection) {
    return AppendEvent(connection, event);
  });
}

absl::StatusOr<std::vector<CatalogEvent>> SqliteEvents::Read(
    const Context& context, int64_t after, size_t limit) {
  return database_->Get<std::vector<CatalogEvent>>(
      context,
      [&](SqliteConnection& connection)
          -> absl::StatusOr<std::vector<CatalogEvent>> {
        SLUICE_ASSIGN_OR_RETURN(
            SqliteStatement select,
            connection.Prepare("SELECT id, at_ms, type, plan_id, repo_id, "
                               "job_id, record_id, word FROM events WHERE id > "
                               "? ORDER BY id LIMIT ?"));
        select.Bind(after).Bind(static_cast<int64_t>(limit));
        return select.All<CatalogEvent>([](const SqliteStatement& row) {
          return CatalogEvent{
              row.Integer(0), absl::FromUnixMillis(row.Integer(1)),
              row.Text(2),    row.Text(3),
              row.Text(4),    row.Text(5),
              row.Text(6),    row.Text(7)};
        });
      });
}

absl::StatusOr<EventLog::Range> SqliteEvents::Bounds(const Context& context) {
  Range range;
  const auto read = [&](SqliteConnection& connection) -> absl::Status {
    SLUICE_ASSIGN_OR_RETURN(
        range.first,
        connection.QueryInteger("SELECT ifnull(min(id), 0) FROM events"));
    SLUICE_ASSIGN_OR_RETURN(
        range.last,
        connection.QueryInteger("SELECT ifnull(max(seq), 0) FROM "
                                "sqlite_sequence WHERE name = 'events'"));
    return absl::OkStatus();
  };
  SLUICE_RETURN_IF_ERROR(database_->Read(context, read));
  return range;
}

absl::StatusOr<int64_t> SqliteEvents::DataVersion(const Context& context) {
  int64_t version = 0;
  SLUICE_RETURN_IF_ERROR(database_->Configure(
      context, [&](SqliteConnection& connection) -> absl::Status {
        SLUICE_ASSIGN_OR_RETURN(version,
                                connection.QueryInteger("PRAGMA data_version"));
        return absl::OkStatus();
      }));
  return version;
}

absl::StatusOr<size_t> SqliteEvents::DeleteEvents(const Context& context,
                                                  absl::Time before) {
  return database_->Delete(context, "DELETE FROM events WHERE at_ms < ?",
                           absl::ToUnixMillis(before));
}

absl::StatusOr<std::vector<CatalogTotal>> SqliteEvents::Totals(
    const Context& context) {
  return database_->Get<std::vector<CatalogTotal>>(
      context,
      [](SqliteConnection& connection)
          -> absl::StatusOr<std::vector<CatalogTotal>> {
        SLUICE_ASSIGN_OR_RETURN(
            SqliteStatement select,
            connection.Prepare("SELECT metric, plan_id, repo_id, label, value "
                               "FROM totals ORDER BY metric, plan_id, repo_id, "
                               "label"));
        return select.All<CatalogTotal>([](const SqliteStatement& row) {
          return CatalogTotal{row.Text(0), row.Text(1), row.Text(2),
                              row.Text(3), row.Integer(4)};
        });
      });
}

absl::Status SqliteEvents::AddToTotal(const Context& context,
                                      const CatalogTotal& by) {
  return database_->Write(context, [&](SqliteConnection& connection) {
    return AddToTotalRow(connection, by);
  });
}

}  // namespace sluice
