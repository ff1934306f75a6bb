#include "sluice/catalog/sqlite/schema.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"

namespace sluice {
namespace {

constexpr int64_t kApplicationId = 0x534c5543;  // "SLUC"

// Times are milliseconds since the epoch, UTC; sizes bytes. Words instead of
// numbers where a person may look with the sqlite3 command.
constexpr char kVersion1[] = R"sql(
CREATE TABLE catalog (
  one INTEGER PRIMARY KEY CHECK (one = 1),
  id TEXT NOT NULL,
  last_fence INTEGER NOT NULL
) STRICT;
INSERT INTO catalog VALUES (1, lower(hex(randomblob(16))), 0);

CREATE TABLE repos (
  id TEXT PRIMARY KEY NOT NULL,
  name TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  config TEXT NOT NULL,
  encryption_required INTEGER NOT NULL,
  encryption_algorithm TEXT NOT NULL,
  encryption_key_ids TEXT NOT NULL,  -- one a line
  schedule TEXT NOT NULL,
  keep_count INTEGER NOT NULL,
  keep_age_days INTEGER NOT NULL,
  created_at_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE jobs (
  id TEXT PRIMARY KEY NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('', 'backup', 'restore')),
  state TEXT NOT NULL CHECK (state IN
    ('', 'pending', 'running', 'succeeded', 'failed', 'interrupted')),
  repo_id TEXT NOT NULL,
  store_id TEXT NOT NULL,
  store_kind TEXT NOT NULL,
  backup_id TEXT NOT NULL,
  record_id TEXT NOT NULL,
  progress INTEGER NOT NULL,
  bytes_done INTEGER NOT NULL,
  bytes_estimated INTEGER NOT NULL,
  created_at_ms INTEGER NOT NULL,
  started_at_ms INTEGER NOT NULL,
  finished_at_ms INTEGER NOT NULL,
  error TEXT NOT NULL,
  error_code TEXT NOT NULL,
  stage TEXT NOT NULL,
  cancel_requested INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX jobs_by_time ON jobs (created_at_ms, id);
CREATE INDEX jobs_unfinished ON jobs (repo_id, store_id)
  WHERE state NOT IN ('succeeded', 'failed', 'interrupted');

CREATE TABLE records (
  id TEXT PRIMARY KEY NOT NULL,
  repo_id TEXT NOT NULL,
  job_id TEXT NOT NULL,
  store_id TEXT NOT NULL,
  store_kind TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  finished_at_ms INTEGER NOT NULL,
  sha256 TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  plain_size_bytes INTEGER NOT NULL,
  base_backup_id TEXT NOT NULL,
  pinned INTEGER NOT NULL,
  damaged INTEGER NOT NULL,
  payload_id_count INTEGER NOT NULL
) STRICT;
CREATE INDEX records_by_repo ON records (repo_id, created_at_ms, id);

CREATE TABLE warnings (
  of TEXT NOT NULL CHECK (of IN ('job', 'record')),
  id TEXT NOT NULL,
  position INTEGER NOT NULL,
  code TEXT NOT NULL,
  message TEXT NOT NULL,
  PRIMARY KEY (of, id, position)
) STRICT, WITHOUT ROWID;

-- Who owns each job that is not terminal.
CREATE TABLE leases (
  job_id TEXT PRIMARY KEY NOT NULL REFERENCES jobs (id),
  fence INTEGER NOT NULL UNIQUE,
  owner TEXT NOT NULL,
  pid INTEGER NOT NULL,
  start_ticks INTEGER NOT NULL,
  machine_id TEXT NOT NULL,
  boot_id TEXT NOT NULL,
  pid_namespace TEXT NOT NULL,
  time_namespace TEXT NOT NULL,
  length_ms INTEGER NOT NULL,
  expires_at_ms INTEGER NOT NULL,
  expires_at_boot_ms INTEGER NOT NULL
) STRICT;
)sql";

// A job has a status, the word of all interfaces; SQLite carries the new name
// into the column's CHECK and the index's WHERE.
constexpr char kVersion2[] = R"sql(
ALTER TABLE jobs RENAME COLUMN state TO status;
)sql";

// What is to come: plans, requests, firings; what happened: events, totals; who
// may ask: tokens, audit. Schedule and retention leave the repo, which holds
// archives of several plans. `jobs` is made anew, for its kinds; `leases` with
// it, as it refers to it.
constexpr char kVersion3[] = R"sql(
CREATE TABLE repos_3 (
  id TEXT PRIMARY KEY NOT NULL,
  name TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  config TEXT NOT NULL,
  encryption_required INTEGER NOT NULL,
  encryption_algorithm TEXT NOT NULL,
  encryption_key_ids TEXT NOT NULL,  -- one a line
  key_refs TEXT NOT NULL,  -- one a line
  created_at_ms INTEGER NOT NULL,
  updated_at_ms INTEGER NOT NULL
) STRICT;
INSERT INTO repos_3 SELECT id, name, kind, config, encryption_required,
  encryption_algorithm, encryption_key_ids, '', created_at_ms, created_at_ms
  FROM repos;
DROP TABLE repos;
ALTER TABLE repos_3 RENAME TO repos;

CREATE TABLE leases_2 AS SELECT * FROM leases;
DROP TABLE leases;
CREATE TABLE jobs_3 (
  id TEXT PRIMARY KEY NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN
    ('', 'backup', 'restore', 'verify', 'prune', 'purge', 'drill')),
  status TEXT NOT NULL CHECK (status IN
    ('', 'pending', 'running', 'succeeded', 'failed', 'interrupted')),
  plan_id TEXT NOT NULL,
  repo_id TEXT NOT NULL,
  store_id TEXT NOT NULL,
  store_kind TEXT NOT NULL,
  backup_id TEXT NOT NULL,
  base_backup_id TEXT NOT NULL,
  record_id TEXT NOT NULL,
  progress INTEGER NOT NULL,
  bytes_done INTEGER NOT NULL,
  bytes_estimated INTEGER NOT NULL,
  created_at_ms INTEGER NOT NULL,
  started_at_ms INTEGER NOT NULL,
  finished_at_ms INTEGER NOT NULL,
  error TEXT NOT NULL,
  error_code TEXT NOT NULL,
  stage TEXT NOT NULL,
  cancel_requested INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO jobs_3 SELECT id, kind, status, '', repo_id, store_id, store_kind,
  backup_id, '', record_id, progress, bytes_done, bytes_estimated,
  created_at_ms, started_at_ms, finished_at_ms, error, error_code, stage,
  cancel_requested FROM jobs;
DROP TABLE jobs;
ALTER TABLE jobs_3 RENAME TO jobs;
CREATE INDEX jobs_by_time ON jobs (created_at_ms, id);
CREATE INDEX jobs_by_end ON jobs (finished_at_ms);
CREATE INDEX jobs_unfinished ON jobs (repo_id, store_id)
  WHERE status NOT IN ('succeeded', 'failed', 'interrupted');

CREATE TABLE leases (
  job_id TEXT PRIMARY KEY NOT NULL REFERENCES jobs (id),
  fence INTEGER NOT NULL UNIQUE,
  owner TEXT NOT NULL,
  pid INTEGER NOT NULL,
  start_ticks INTEGER NOT NULL,
  machine_id TEXT NOT NULL,
  boot_id TEXT NOT NULL,
  pid_namespace TEXT NOT NULL,
  time_namespace TEXT NOT NULL,
  length_ms INTEGER NOT NULL,
  expires_at_ms INTEGER NOT NULL,
  expires_at_boot_ms INTEGER NOT NULL
) STRICT;
INSERT INTO leases SELECT * FROM leases_2;
DROP TABLE leases_2;

ALTER TABLE records ADD COLUMN plan_id TEXT NOT NULL DEFAULT '';
ALTER TABLE records ADD COLUMN pin_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE records ADD COLUMN pin_ends_at_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE records ADD COLUMN verified_depth INTEGER NOT NULL DEFAULT 0;
ALTER TABLE records ADD COLUMN verified_at_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE records ADD COLUMN restored_at_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE records ADD COLUMN source_counts TEXT NOT NULL DEFAULT '';
CREATE INDEX records_by_plan ON records (plan_id, repo_id, created_at_ms, id);

CREATE TABLE plans (
  id TEXT PRIMARY KEY NOT NULL,
  name TEXT NOT NULL UNIQUE,
  paused INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  created_at_ms INTEGER NOT NULL,
  updated_at_ms INTEGER NOT NULL,
  spec TEXT NOT NULL  -- JSON of PlanSpec
) STRICT;
-- A plan in one of its repos. No due time: run_at_ms is NULL.
CREATE TABLE plan_targets (
  plan_id TEXT NOT NULL REFERENCES plans (id),
  repo_id TEXT NOT NULL,
  position INTEGER NOT NULL,
  next_due_ms INTEGER,
  run_at_ms INTEGER,
  last_fired_ms INTEGER,
  store_id TEXT NOT NULL,
  PRIMARY KEY (plan_id, repo_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX plan_targets_due ON plan_targets (run_at_ms)
  WHERE run_at_ms IS NOT NULL;

CREATE TABLE requests (
  job_id TEXT PRIMARY KEY NOT NULL REFERENCES jobs (id),
  open_key TEXT NOT NULL,  -- at most one of each is pending or running
  idempotency_key TEXT,
  not_before_ms INTEGER NOT NULL,
  expires_at_ms INTEGER NOT NULL,  -- 0: never
  request TEXT NOT NULL  -- JSON of JobRequest
) STRICT;
CREATE UNIQUE INDEX requests_by_key ON requests (idempotency_key)
  WHERE idempotency_key IS NOT NULL;
CREATE INDEX requests_by_open_key ON requests (open_key);
CREATE INDEX jobs_pending ON jobs (id) WHERE status = 'pending';
CREATE INDEX jobs_running ON jobs (plan_id) WHERE status = 'running';

CREATE TABLE firings (
  plan_id TEXT NOT NULL,
  repo_id TEXT NOT NULL,
  due_at_ms INTEGER NOT NULL,
  outcome TEXT NOT NULL CHECK (outcome IN ('open', 'succeeded', 'failed',
    'interrupted', 'skipped', 'missed')),
  reason TEXT NOT NULL,
  job_id TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  fired_at_ms INTEGER NOT NULL,
  finished_at_ms INTEGER NOT NULL,
  record_id TEXT NOT NULL,
  size_bytes INTEGER NOT NULL,
  duration_ms INTEGER NOT NULL,
  PRIMARY KEY (plan_id, repo_id, due_at_ms)
) STRICT, WITHOUT ROWID;
CREATE INDEX firings_open ON firings (job_id) WHERE outcome = 'open';
CREATE INDEX firings_by_due ON firings (due_at_ms);

CREATE TABLE events (
  id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
  at_ms INTEGER NOT NULL,
  type TEXT NOT NULL,
  plan_id TEXT NOT NULL,
  repo_id TEXT NOT NULL,
  job_id TEXT NOT NULL,
  record_id TEXT NOT NULL,
  word TEXT NOT NULL
) STRICT;
CREATE TABLE totals (
  metric TEXT NOT NULL,
  plan_id TEXT NOT NULL,
  repo_id TEXT NOT NULL,
  label TEXT NOT NULL,
  value INTEGER NOT NULL,
  PRIMARY KEY (metric, plan_id, repo_id, label)
) STRICT, WITHOUT ROWID;

CREATE TABLE tokens (
  id TEXT PRIMARY KEY NOT NULL,
  sha256 TEXT NOT NULL UNIQUE,
  role TEXT NOT NULL,
  plan_id TEXT NOT NULL,
  label TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  expires_at_ms INTEGER,    -- NULL: never
  revoked_at_ms INTEGER,    -- NULL: it is not
  last_used_at_ms INTEGER   -- NULL: never
) STRICT;
CREATE TABLE audit (
  id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
  at_ms INTEGER NOT NULL,
  who TEXT NOT NULL,
  action TEXT NOT NULL,
  target TEXT NOT NULL,
  outcome TEXT NOT NULL
) STRICT;

-- Messages to people that are not delivered yet, or could not be.
CREATE TABLE outbox (
  id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
  at_ms INTEGER NOT NULL,
  channel TEXT NOT NULL,
  subject TEXT NOT NULL,
  body TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  next_attempt_ms INTEGER,  -- NULL: given up
  error TEXT NOT NULL
) STRICT;

CREATE TABLE nodes (
  id TEXT PRIMARY KEY NOT NULL,
  name TEXT NOT NULL,
  labels TEXT NOT NULL,  -- a JSON object
  schema_min INTEGER NOT NULL,
  schema_max INTEGER NOT NULL,
  draining INTEGER NOT NULL,
  seen_at_ms INTEGER NOT NULL
) STRICT;

-- Of the installation: one row a name.
CREATE TABLE settings (
  name TEXT PRIMARY KEY NOT NULL,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

constexpr Migration kMigrations[] = {
    {1, kVersion1}, {2, kVersion2}, {3, kVersion3}};

struct Stamp {
  int64_t application_id = 0;
  int64_t version = 0;
  int64_t tables = 0;
};

absl::StatusOr<Stamp> ReadStamp(SqliteConnection& connection) {
  Stamp stamp;
  SLUICE_ASSIGN_OR_RETURN(stamp.application_id,
                          connection.QueryInteger("PRAGMA application_id"));
  SLUICE_ASSIGN_OR_RETURN(stamp.version,
                          connection.QueryInteger("PRAGMA user_version"));
  SLUICE_ASSIGN_OR_RETURN(
      stamp.tables,
      connection.QueryInteger("SELECT count(*) FROM sqlite_schema"));
  return stamp;
}

absl::Status CheckStamp(const Stamp& stamp, int64_t newest) {
  const bool empty = stamp.application_id == 0 && stamp.tables == 0;
  if (stamp.application_id != kApplicationId && !empty) {
    return WithHint(
        MakeError(absl::StatusCode::kFailedPrecondition, kCatalogUnavailable,
                  "catalog: the file is another program's database"),
        "give --catalog the path of a Sluice catalog, or of a new file");
  }
  if (stamp.version > newest) {
    return WithHint(
        MakeError(
            absl::StatusCode::kFailedPrecondition, kCatalogNewer,
            absl::StrCat("catalog: written by a newer Sluice (version ",
                         stamp.version, ", this one knows ", newest, ")")),
        "update sluice; the catalog was left as it is");
  }
  return absl::OkStatus();
}

// One step, unless another process took it meanwhile.
absl::Status Apply(const Context& context, SqliteDatabase& database,
                   const Migration& migration, int64_t newest) {
  return database.Write(context, [&](SqliteConnection& connection) {
    SLUICE_ASSIGN_OR_RETURN(const Stamp stamp, ReadStamp(connection));
    SLUICE_RETURN_IF_ERROR(CheckStamp(stamp, newest));
    if (stamp.version >= migration.to_version) return absl::OkStatus();
    SLUICE_RETURN_IF_ERROR(connection.Execute(migration.sql));
    return connection.Execute(
        absl::StrCat("PRAGMA application_id = ", kApplicationId,
                     "; PRAGMA user_version = ", migration.to_version));
  });
}

absl::Status UseLog(SqliteConnection& connection) {
  SLUICE_ASSIGN_OR_RETURN(SqliteStatement pragma,
                          connection.Prepare("PRAGMA journal_mode = WAL"));
  SLUICE_ASSIGN_OR_RETURN(const bool row, pragma.Step());
  if (row && pragma.Text(0) == "wal") return absl::OkStatus();
  return WithHint(
      MakeError(absl::StatusCode::kFailedPrecondition, kCatalogUnavailable,
                "catalog: the file system cannot share memory, which several "
                "processes at one catalog need"),
      "put the catalog on a local disk (--catalog)");
}

}  // namespace

absl::Span<const Migration> CatalogMigrations() { return kMigrations; }

absl::Status EnsureSchema(
    const Context& context, SqliteDatabase& database,
    absl::Span<const Migration> migrations,
    const std::function<absl::Status(int64_t version)>& before_migration) {
  const int64_t newest = migrations.empty() ? 0 : migrations.back().to_version;
  Stamp stamp;
  const absl::Status looked =
      database.Read(context, [&](SqliteConnection& connection) {
        SLUICE_ASSIGN_OR_RETURN(stamp, ReadStamp(connection));
        return CheckStamp(stamp, newest);
      });
  if (!looked.ok()) {
    database.LeaveAsItIs();
    return looked;
  }
  SLUICE_RETURN_IF_ERROR(
      database.Configure(context, [](SqliteConnection& connection) {
        SLUICE_RETURN_IF_ERROR(connection.Execute(
            "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA "
            "cell_size_check = ON; PRAGMA temp_store = MEMORY"));
        return UseLog(connection);
      }));
  if (stamp.version > 0 && stamp.version < newest && before_migration) {
    SLUICE_RETURN_IF_ERROR(before_migration(stamp.version));
  }
  for (const Migration& migration : migrations) {
    if (stamp.version < migration.to_version)
      SLUICE_RETURN_IF_ERROR(Apply(context, database, migration, newest));
  }
  return absl::OkStatus();
}

}  // namespace sluice
