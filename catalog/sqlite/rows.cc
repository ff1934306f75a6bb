#include "sluice/catalog/sqlite/rows.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/catalog/catalog_error.h"

namespace sluice {
namespace {

struct StatusEntry {
  BackupJob::Status status;
  const char* word;
};
constexpr StatusEntry kStatuses[] = {{BackupJob::STATUS_UNSPECIFIED, ""},
                                     {BackupJob::PENDING, "pending"},
                                     {BackupJob::RUNNING, "running"},
                                     {BackupJob::SUCCEEDED, "succeeded"},
                                     {BackupJob::FAILED, "failed"},
                                     {BackupJob::INTERRUPTED, "interrupted"}};

BackupJob::Status StatusOf(absl::string_view word) {
  for (const StatusEntry& entry : kStatuses)
    if (word == entry.word) return entry.status;
  return BackupJob::STATUS_UNSPECIFIED;
}

struct KindEntry {
  BackupJob::Kind kind;
  const char* word;
};
constexpr KindEntry kKinds[] = {
    {BackupJob::KIND_UNSPECIFIED, ""}, {BackupJob::BACKUP, "backup"},
    {BackupJob::RESTORE, "restore"},   {BackupJob::VERIFY, "verify"},
    {BackupJob::PRUNE, "prune"},       {BackupJob::PURGE, "purge"},
    {BackupJob::DRILL, "drill"}};

BackupJob::Kind KindOf(absl::string_view word) {
  for (const KindEntry& entry : kKinds)
    if (word == entry.word) return entry.kind;
  return BackupJob::KIND_UNSPECIFIED;
}

// SQLite's integers are signed; sizes keep their bits.
int64_t Signed(uint64_t value) { return static_cast<int64_t>(value); }
uint64_t Unsigned(int64_t value) { return static_cast<uint64_t>(value); }

template <typename Warnings>
absl::Status PutWarnings(SqliteConnection& connection, absl::string_view of,
                         absl::string_view id, const Warnings& warnings) {
  SLUICE_ASSIGN_OR_RETURN(
      SqliteStatement clear,
      connection.Prepare("DELETE FROM warnings WHERE of = ? AND id = ?"));
  SLUICE_RETURN_IF_ERROR(clear.Bind(of).Bind(id).Run());
  SLUICE_ASSIGN_OR_RETURN(
      SqliteStatement insert,
      connection.Prepare("INSERT INTO warnings VALUES (?, ?, ?, ?, ?)"));
  int64_t position = 0;
  for (const Warning& warning : warnings) {
    SLUICE_RETURN_IF_ERROR(insert.Bind(of)
                               .Bind(id)
                               .Bind(position++)
                               .Bind(warning.code())
                               .Bind(warning.message())
                               .Run());
    insert.Reset();
  }
  return absl::OkStatus();
}

// For ReadWarnings, any number of times.
absl::StatusOr<SqliteStatement> PrepareWarnings(SqliteConnection& connection) {
  return connection.Prepare(
      "SELECT code, message FROM warnings WHERE of = ? AND id = ? ORDER BY "
      "position");
}

template <typename Model>
absl::Status ReadWarnings(SqliteStatement& select, absl::string_view of,
                          Model& model) {
  select.Reset();
  select.Bind(of).Bind(model.id());
  while (true) {
    SLUICE_ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) return absl::OkStatus();
    Warning* warning = model.add_warnings();
    warning->set_code(select.Text(0));
    warning->set_message(select.Text(1));
  }
}

constexpr char kRepoColumns[] =
    "id, name, kind, config, encryption_required, encryption_algorithm, "
    "encryption_key_ids, key_refs, created_at_ms, updated_at_ms";

BackupRepo RepoOf(const SqliteStatement& row) {
  BackupRepo repo;
  repo.set_id(row.Text(0));
  repo.set_name(row.Text(1));
  repo.set_kind(row.Text(2));
  repo.set_config(row.Text(3));
  Encryption encryption;
  encryption.set_required(row.Integer(4) != 0);
  encryption.set_algorithm(row.Text(5));
  for (absl::string_view key :
       absl::StrSplit(row.Text(6), '\n', absl::SkipEmpty()))
    encryption.add_key_ids(std::string(key));
  if (encryption.ByteSizeLong() > 0) *repo.mutable_encryption() = encryption;
  for (absl::string_view key :
       absl::StrSplit(row.Text(7), '\n', absl::SkipEmpty()))
    repo.add_key_refs(std::string(key));
  repo.set_created_at_ms(row.Integer(8));
  repo.set_updated_at_ms(row.Integer(9));
  return repo;
}

constexpr char kRecordColumns[] =
    "id, repo_id, job_id, store_id, store_kind, created_at_ms, finished_at_ms, "
    "sha256, size_bytes, plain_size_bytes, base_backup_id, pinned, damaged, "
    "payload_id_count, plan_id, pin_reason, pin_ends_at_ms, verified_depth, "
    "verified_at_ms, restored_at_ms, source_counts";

BackupRecord::Depth DepthOf(int64_t value) {
  const int depth = static_cast<int>(value);
  return BackupRecord::Depth_IsValid(depth)
             ? static_cast<BackupRecord::Depth>(depth)
             : BackupRecord::NOT_VERIFIED;
}

// "name=count" a line: what a source counts has a name of one word.
std::string CountsText(const BackupRecord& record) {
  const std::map<std::string, uint64_t> sorted(record.source_counts().begin(),
                                               record.source_counts().end());
  return absl::StrJoin(sorted, "\n", absl::PairFormatter("="));
}

void ReadCounts(const std::string& text, BackupRecord& record) {
  for (absl::string_view line : absl::StrSplit(text, '\n', absl::SkipEmpty())) {
    const size_t end = line.rfind('=');
    uint64_t count = 0;
    if (end == absl::string_view::npos ||
        !absl::SimpleAtoi(line.substr(end + 1), &count)) {
      continue;
    }
    (*record.mutable_source_counts())[std::string(line.substr(0, end))] = count;
  }
}

BackupRecord RecordOf(const SqliteStatement& row) {
  BackupRecord record;
  record.set_id(row.Text(0));
  record.set_repo_id(row.Text(1));
  record.set_job_id(row.Text(2));
  record.set_store_id(row.Text(3));
  record.set_store_kind(row.Text(4));
  record.set_created_at_ms(row.Integer(5));
  record.set_finished_at_ms(row.Integer(6));
  record.set_sha256(row.Text(7));
  record.set_size_bytes(Unsigned(row.Integer(8)));
  record.set_plain_size_bytes(Unsigned(row.Integer(9)));
  record.set_base_backup_id(row.Text(10));
  record.set_pinned(row.Integer(11) != 0);
  record.set_damaged(row.Integer(12) != 0);
  record.set_payload_id_count(Unsigned(row.Integer(13)));
  record.set_plan_id(row.Text(14));
  record.set_pin_reason(row.Text(15));
  record.set_pin_ends_at_ms(row.Integer(16));
  record.set_verified_depth(DepthOf(row.Integer(17)));
  record.set_verified_at_ms(row.Integer(18));
  record.set_restored_at_ms(row.Integer(19));
  ReadCounts(row.Text(20), record);
  return record;
}

constexpr char kJobColumns[] =
    "jobs.id, kind, status, repo_id, store_id, store_kind, backup_id, "
    "record_id, progress, bytes_done, bytes_estimated, created_at_ms, "
    "started_at_ms, finished_at_ms, error, error_code, stage, "
    "cancel_requested, fence, owner, pid, start_ticks, machine_id, boot_id, "
    "pid_namespace, time_namespace, length_ms, expires_at_ms, "
    "expires_at_boot_ms, plan_id, base_backup_id";
constexpr char kJobTables[] =
    " FROM jobs LEFT JOIN leases ON leases.job_id = jobs.id";

// A column more, of lists: most rows have no warnings, and to ask for those of
// each takes as long as to read them all.
constexpr int kJobHasWarnings = 31;
constexpr char kJobHasWarningsColumn[] =
    ", EXISTS (SELECT 1 FROM warnings WHERE of = 'job' AND warnings.id = "
    "jobs.id)";
constexpr int kRecordHasWarnings = 21;
constexpr char kRecordHasWarningsColumn[] =
    ", EXISTS (SELECT 1 FROM warnings WHERE of = 'record' AND warnings.id = "
    "records.id)";

Lease LeaseOf(const SqliteStatement& row) {
  Lease lease;
  lease.job_id = row.Text(0);
  lease.fence = row.Integer(18);
  lease.owner = row.Text(19);
  lease.process.pid = row.Integer(20);
  lease.process.start_ticks = row.Integer(21);
  lease.process.machine_id = row.Text(22);
  lease.process.boot_id = row.Text(23);
  lease.process.pid_namespace = row.Text(24);
  lease.process.time_namespace = row.Text(25);
  lease.length = absl::Milliseconds(row.Integer(26));
  lease.expires_at = absl::FromUnixMillis(row.Integer(27));
  lease.expires_at_boot = absl::Milliseconds(row.Integer(28));
  return lease;
}

CatalogJob JobOf(const SqliteStatement& row) {
  CatalogJob entry;
  BackupJob& job = entry.job;
  job.set_id(row.Text(0));
  job.set_kind(KindOf(row.Text(1)));
  job.set_status(StatusOf(row.Text(2)));
  job.set_repo_id(row.Text(3));
  job.set_store_id(row.Text(4));
  job.set_store_kind(row.Text(5));
  job.set_backup_id(row.Text(6));
  job.set_record_id(row.Text(7));
  job.set_progress(static_cast<uint32_t>(row.Integer(8)));
  job.set_bytes_done(Unsigned(row.Integer(9)));
  job.set_bytes_estimated(Unsigned(row.Integer(10)));
  job.set_created_at_ms(row.Integer(11));
  job.set_started_at_ms(row.Integer(12));
  job.set_finished_at_ms(row.Integer(13));
  job.set_error(row.Text(14));
  job.set_error_code(row.Text(15));
  job.set_stage(row.Text(16));
  job.set_plan_id(row.Text(29));
  job.set_base_backup_id(row.Text(30));
  entry.cancel_requested = row.Integer(17) != 0;
  if (row.Integer(18) != 0) entry.lease = LeaseOf(row);
  return entry;
}

// SELECT for a filter, and what is bound to it.
struct Selection {
  std::string sql;
  std::vector<std::string> texts;
  // Its rows come so, as an index gives them; they are wanted oldest first.
  bool newest_first = false;
};

// `sorts`: an index of the conditions is worth more than one of the order.
Selection SelectionFor(absl::string_view columns, absl::string_view table,
                       const CatalogFilter& filter,
                       std::vector<std::string> conditions,
                       bool sorts = false) {
  Selection selection;
  for (const auto& [column, value] :
       {std::make_pair("repo_id", filter.repo_id),
        std::make_pair("store_id", filter.store_id),
        std::make_pair("plan_id", filter.plan_id)}) {
    if (value.empty()) continue;
    conditions.push_back(absl::StrCat(column, " = ?"));
    selection.texts.push_back(value);
  }
  if (!filter.before_id.empty()) {
    conditions.push_back(
        absl::StrCat("(created_at_ms, id) < (SELECT created_at_ms, id FROM ",
                     table, " WHERE id = ?)"));
    selection.texts.push_back(filter.before_id);
  }
  selection.sql = absl::StrCat(
      "SELECT ", columns,
      conditions.empty()
          ? ""
          : absl::StrCat(" WHERE ", absl::StrJoin(conditions, " AND ")));
  // With its sign it is no column of an index.
  const absl::string_view by_time = sorts ? "+created_at_ms" : "created_at_ms";
  if (filter.in_order_of_recording) {
    absl::StrAppend(&selection.sql, " ORDER BY rowid");
  } else if (filter.limit == 0) {
    absl::StrAppend(&selection.sql, " ORDER BY ", by_time, ", id");
  } else {
    selection.newest_first = true;
    absl::StrAppend(&selection.sql, " ORDER BY ", by_time,
                    " DESC, id DESC LIMIT ",
                    static_cast<int64_t>(filter.limit));
  }
  return selection;
}

absl::StatusOr<SqliteStatement> Prepared(SqliteConnection& connection,
                                         const Selection& selection) {
  SLUICE_ASSIGN_OR_RETURN(SqliteStatement select,
                          connection.Prepare(selection.sql));
  for (const std::string& text : selection.texts) select.Bind(text);
  return select;
}

absl::string_view NotFoundWord(absl::string_view table) {
  if (table == "jobs") return kJobNotFound;
  if (table == "plans") return kPlanNotFound;
  if (table == "tokens") return kTokenNotFound;
  return table == "repos" ? kRepoNotFound : kRecordNotFound;
}

std::string EscapedLike(absl::string_view prefix) {
  std::string pattern;
  for (const char c : prefix) {
    if (c == '%' || c == '_' || c == '\\') pattern += '\\';
    pattern += c;
  }
  return pattern + "%";
}

}  // namespace

absl::string_view StatusWord(BackupJob::Status status) {
  for (const StatusEntry& entry : kStatuses)
    if (entry.status == status) return entry.word;
  return "";
}

absl::string_view KindWord(BackupJob::Kind kind) {
  for (const KindEntry& entry : kKinds)
    if (entry.kind == kind) return entry.word;
  return "";
}

absl::StatusOr<std::string> FindId(SqliteConnection& connection,
                                   absl::string_view table,
                                   absl::string_view id_or_prefix) {
  const absl::string_view kind = table.substr(0, table.size() - 1);
  if (id_or_prefix.empty()) {
    return InvalidArgument(absl::StrCat("the ", kind, " id is empty"));
  }
  // An exact match comes first: an id may be the prefix of another.
  SLUICE_ASSIGN_OR_RETURN(
      SqliteStatement select,
      connection.Prepare(absl::StrCat(
          "SELECT id, id = ?1 FROM ", table,
          " WHERE id = ?1 OR id LIKE ?2 ESCAPE '\\' ORDER BY id <> ?1, id "
          "LIMIT 2")));
  select.Bind(id_or_prefix).Bind(EscapedLike(id_or_prefix));
  SLUICE_ASSIGN_OR_RETURN(const bool found, select.Step());
  if (!found) {
    return MakeError(absl::StatusCode::kNotFound, NotFoundWord(table),
                     absl::StrCat("there is no ", kind, " ", id_or_prefix));
  }
  const std::string id = select.Text(0);
  if (select.Integer(1) != 0) return id;
  SLUICE_ASSIGN_OR_RETURN(const bool another, select.Step());
  if (another) {
    return MakeError(absl::StatusCode::kInvalidArgument, kAmbiguousId,
                     absl::StrCat(id_or_prefix, " begins more than one ", kind,
                                  " id: ", id, ", ", select.Text(0)));
  }
  return id;
}

absl::Status PutRepo(SqliteConnection& connection, const BackupRepo& repo) {
  SLUICE_ASSIGN_OR_RETURN(
      SqliteStatement put,
      connection.Prepare(absl::StrCat("REPLACE INTO repos (", kRepoColumns,
                                      ") VALUES (?,?,?,?,?,?,?,?,?,?)")));
  return put.Bind(repo.id())
      .Bind(repo.name())
      .Bind(repo.kind())
      .Bind(repo.config())
      .Bind(int64_t{repo.encryption().required()})
      .Bind(repo.encryption().algorithm())
      .Bind(absl::StrJoin(repo.encryption().key_ids(), "\n"))
      .Bind(absl::StrJoin(repo.key_refs(), "\n"))
      .Bind(int64_t{repo.created_at_ms()})
      .Bind(int64_t{repo.updated_at_ms()})
      .Run();
}

absl::Status PutRecord(SqliteConnection& connection,
                       const BackupRecord& record) {
  SLUICE_ASSIGN_OR_RETURN(
      SqliteStatement put,
      connection.Prepare(absl::StrCat("REPLACE INTO records (", kRecordColumns,
                                      ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,"
                                      "?,?,?,?,?,?,?)")));
  SLUICE_RETURN_IF_ERROR(put.Bind(record.id())
                             .Bind(record.repo_id())
                             .Bind(record.job_id())
                             .Bind(record.store_id())
                             .Bind(record.store_kind())
                             .Bind(int64_t{record.created_at_ms()})
                             .Bind(int64_t{record.finished_at_ms()})
                             .Bind(record.sha256())
                             .Bind(Signed(record.size_bytes()))
                             .Bind(Signed(record.plain_size_bytes()))
                             .Bind(record.base_backup_id())
                             .Bind(int64_t{record.pinned()})
                             .Bind(int64_t{record.damaged()})
                             .Bind(Signed(record.payload_id_count()))
                             .Bind(record.plan_id())
                             .Bind(record.pin_reason())
                             .Bind(int64_t{record.pin_ends_at_ms()})
                             .Bind(int64_t{record.verified_depth()})
                             .Bind(int64_t{record.verified_at_ms()})
                             .Bind(int64_t{record.restored_at_ms()})
                             .Bind(CountsText(record))
                             .Run());
  return PutWarnings(connection, "record", record.id(), record.warnings());
}

absl::Status PutJob(SqliteConnection& connection, const BackupJob& job) {
  SLUICE_ASSIGN_OR_RETURN(
      SqliteStatement put,
      connection.Prepare(
          "INSERT INTO jobs (id, kind, status, repo_id, store_id, store_kind, "
          "backup_id, record_id, progress, bytes_done, bytes_estimated, "
          "created_at_ms, started_at_ms, finished_at_ms, error, error_code, "
          "stage, plan_id, base_backup_id) VALUES "
          "(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) "
          "ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, status = "
          "excluded.status, repo_id = excluded.repo_id, store_id = "
          "excluded.store_id, store_kind = excluded.store_kind, backup_id = "
          "excluded.backup_id, record_id = excluded.record_id, progress = "
          "excluded.progress, bytes_done = excluded.bytes_done, "
          "bytes_estimated = excluded.bytes_estimated, started_at_ms = "
          "excluded.started_at_ms, finished_at_ms = excluded.finished_at_ms, "
          "error = excluded.error, error_code = excluded.error_code, stage = "
          "excluded.stage, base_backup_id = excluded.base_backup_id"));
  SLUICE_RETURN_IF_ERROR(put.Bind(job.id())
                             .Bind(KindWord(job.kind()))
                             .Bind(StatusWord(job.status()))
                             .Bind(job.repo_id())
                             .Bind(job.store_id())
                             .Bind(job.store_kind())
                             .Bind(job.backup_id())
                             .Bind(job.record_id())
                             .Bind(int64_t{job.progress()})
                             .Bind(Signed(job.bytes_done()))
                             .Bind(Signed(job.bytes_estimated()))
                             .Bind(int64_t{job.created_at_ms()})
                             .Bind(int64_t{job.started_at_ms()})
                             .Bind(int64_t{job.finished_at_ms()})
                             .Bind(job.error())
                             .Bind(job.error_code())
                             .Bind(job.stage())
                             .Bind(job.plan_id())
                             .Bind(job.base_backup_id())
                             .Run());
  return PutWarnings(connection, "job", job.id(), job.warnings());
}

absl::Status PutLease(SqliteConnection& connection, const Lease& lease) {
  SLUICE_ASSIGN_OR_RETURN(
      SqliteStatement put,
      connection.Prepare(
          "REPLACE INTO leases (job_id, fence, owner, pid, start_ticks, "
          "machine_id, boot_id, pid_namespace, time_namespace, length_ms, "
          "expires_at_ms, expires_at_boot_ms) VALUES "
          "(?,?,?,?,?,?,?,?,?,?,?,?)"));
  return put.Bind(lease.job_id)
      .Bind(lease.fence)
      .Bind(lease.owner)
      .Bind(lease.process.pid)
      .Bind(lease.process.start_ticks)
      .Bind(lease.process.machine_id)
      .Bind(lease.process.boot_id)
      .Bind(lease.process.pid_namespace)
      .Bind(lease.process.time_namespace)
      .Bind(absl::ToInt64Milliseconds(lease.length))
      .Bind(absl::ToUnixMillis(lease.expires_at))
      .Bind(absl::ToInt64Milliseconds(lease.expires_at_boot))
      .Run();
}

absl::StatusOr<absl::optional<BackupRepo>> ReadRepo(
    SqliteConnection& connection, absl::string_view id) {
  SLUICE_ASSIGN_OR_RETURN(
      SqliteStatement select,
      connection.Prepare(
          absl::StrCat("SELECT ", kRepoColumns, " FROM repos WHERE id = ?")));
  SLUICE_ASSIGN_OR_RETURN(const bool row, select.Bind(id).Step());
  if (!row) return absl::optional<BackupRepo>();
  return absl::make_optional(RepoOf(select));
}

absl::StatusOr<absl::optional<BackupRecord>> ReadRecord(
    SqliteConnection& connection, absl::string_view id) {
  SLUICE_ASSIGN_OR_RETURN(
      SqliteStatement select,
      connection.Prepare(absl::StrCat("SELECT ", kRecordColumns,
                                      " FROM records WHERE id = ?")));
  SLUICE_ASSIGN_OR_RETURN(const bool row, select.Bind(id).Step());
  if (!row) return absl::optional<BackupRecord>();
  BackupRecord record = RecordOf(select);
  SLUICE_ASSIGN_OR_RETURN(SqliteStatement warnings,
                          PrepareWarnings(connection));
  SLUICE_RETURN_IF_ERROR(ReadWarnings(warnings, "record", record));
  return absl::make_optional(std::move(record));
}

absl::StatusOr<absl::optional<CatalogJob>> ReadJob(SqliteConnection& connection,
                                                   absl::string_view id) {
  SLUICE_ASSIGN_OR_RETURN(
      SqliteStatement select,
      connection.Prepare(absl::StrCat("SELECT ", kJobColumns, kJobTables,
                                      " WHERE jobs.id = ?")));
  SLUICE_ASSIGN_OR_RETURN(const bool row, select.Bind(id).Step());
  if (!row) return absl::optional<CatalogJob>();
  CatalogJob entry = JobOf(select);
  SLUICE_ASSIGN_OR_RETURN(SqliteStatement warnings,
                          PrepareWarnings(connection));
  SLUICE_RETURN_IF_ERROR(ReadWarnings(warnings, "job", entry.job));
  return absl::make_optional(std::move(entry));
}

absl::StatusOr<std::vector<BackupRepo>> ReadRepos(
    SqliteConnection& connection) {
  SLUICE_ASSIGN_OR_RETURN(
      SqliteStatement select,
      connection.Prepare(
          absl::StrCat("SELECT ", kRepoColumns, " FROM repos ORDER BY name")));
  return select.All<BackupRepo>(&RepoOf);
}

absl::StatusOr<std::vector<BackupRecord>> ReadRecords(
    SqliteConnection& connection, const CatalogFilter& filter) {
  std::vector<BackupRecord> records;
  std::vector<std::string> conditions;
  if (filter.pinned_only) conditions.push_back("pinned <> 0");
  const Selection selection = SelectionFor(
      absl::StrCat(kRecordColumns, kRecordHasWarningsColumn, " FROM records"),
      "records", filter, std::move(conditions));
  SLUICE_ASSIGN_OR_RETURN(SqliteStatement select,
                          Prepared(connection, selection));
  SLUICE_ASSIGN_OR_RETURN(SqliteStatement warnings,
                          PrepareWarnings(connection));
  while (true) {
    SLUICE_ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) break;
    records.push_back(RecordOf(select));
    if (select.Integer(kRecordHasWarnings) == 0) continue;
    SLUICE_RETURN_IF_ERROR(ReadWarnings(warnings, "record", records.back()));
  }
  if (selection.newest_first) std::reverse(records.begin(), records.end());
  return records;
}

absl::StatusOr<std::vector<CatalogJob>> ReadJobs(SqliteConnection& connection,
                                                 const CatalogFilter& filter) {
  std::vector<CatalogJob> jobs;
  std::vector<std::string> conditions;
  if (filter.unfinished_only) {
    conditions.push_back(
        "status NOT IN ('succeeded', 'failed', 'interrupted')");
  }
  if (filter.status != BackupJob::STATUS_UNSPECIFIED) {
    conditions.push_back(
        absl::StrCat("status = '", StatusWord(filter.status), "'"));
  }
  if (filter.kind != BackupJob::KIND_UNSPECIFIED) {
    conditions.push_back(absl::StrCat("kind = '", KindWord(filter.kind), "'"));
  }
  // Of all jobs few are not over, and they have indexes of their own. SQLite
  // does not know how few, and would walk through all of them by their times.
  const bool is_of_few = filter.unfinished_only ||
                         filter.status == BackupJob::PENDING ||
                         filter.status == BackupJob::RUNNING;
  const Selection selection =
      SelectionFor(absl::StrCat(kJobColumns, kJobHasWarningsColumn, kJobTables),
                   "jobs", filter, std::move(conditions), is_of_few);
  SLUICE_ASSIGN_OR_RETURN(SqliteStatement select,
                          Prepared(connection, selection));
  SLUICE_ASSIGN_OR_RETURN(SqliteStatement warnings,
                          PrepareWarnings(connection));
  while (true) {
    SLUICE_ASSIGN_OR_RETURN(const bool row, select.Step());
    if (!row) break;
    jobs.push_back(JobOf(select));
    if (select.Integer(kJobHasWarnings) == 0) continue;
    SLUICE_RETURN_IF_ERROR(ReadWarnings(warnings, "job", jobs.back().job));
  }
  if (selection.newest_first) std::reverse(jobs.begin(), jobs.end());
  return jobs;
}

absl::StatusOr<int64_t> DrawFence(SqliteConnection& connection) {
  SLUICE_RETURN_IF_ERROR(
      connection.Execute("UPDATE catalog SET last_fence = last_fence + 1"));
  return connection.QueryInteger("SELECT last_fence FROM catalog");
}

}  // namespace sluice
