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

constexpr Migration kMigrations[] = {{1, kVersion1}, {2, kVersion2}};

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

absl::Status EnsureSchema(const Context& context, SqliteDatabase& database,
                          absl::Span<const Migration> migrations) {
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
  for (const Migration& migration : migrations) {
    if (stamp.version < migration.to_version)
      SLUICE_RETURN_IF_ERROR(Apply(context, database, migration, newest));
  }
  return absl::OkStatus();
}

}  // namespace sluice
