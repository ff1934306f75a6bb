#ifndef SLUICE_CATALOG_SQLITE_ROWS_H_
#define SLUICE_CATALOG_SQLITE_ROWS_H_

// The models as rows of the catalog's tables. Each function is part of its
// caller's transaction; errors are those of sqlite.h, and the *_not_found and
// ambiguous_id that catalog.h names.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "sluice/base/status_macros.h"
#include "sluice/catalog/catalog.h"
#include "sluice/catalog/lease.h"
#include "sluice/catalog/sqlite/sqlite.h"
#include "sluice/executor/models.pb.h"

namespace sluice {

// "pending", "backup", …; empty where it is unspecified.
absl::string_view StatusWord(BackupJob::Status status);
absl::string_view KindWord(BackupJob::Kind kind);

// The one full id that `id_or_prefix` names in `table` ("jobs", "records",
// "repos", "plans", "tokens").
absl::StatusOr<std::string> FindId(SqliteConnection& connection,
                                   absl::string_view table,
                                   absl::string_view id_or_prefix);

// Insert the row, or replace the one of that id.
absl::Status PutRepo(SqliteConnection& connection, const BackupRepo& repo);
absl::Status PutRecord(SqliteConnection& connection,
                       const BackupRecord& record);
// Keeps what the row says of cancel_requested, and what a job was made with: its
// plan and created_at.
absl::Status PutJob(SqliteConnection& connection, const BackupJob& job);
absl::Status PutLease(SqliteConnection& connection, const Lease& lease);

// By full id; nullopt where there is none.
absl::StatusOr<absl::optional<BackupRepo>> ReadRepo(
    SqliteConnection& connection, absl::string_view id);
absl::StatusOr<absl::optional<BackupRecord>> ReadRecord(
    SqliteConnection& connection, absl::string_view id);
// `live` is left for the caller to judge.
absl::StatusOr<absl::optional<CatalogJob>> ReadJob(SqliteConnection& connection,
                                                   absl::string_view id);

// The row of an id that FindId has found.
template <typename Row>
absl::StatusOr<Row> RowOf(SqliteConnection& connection,
                          const absl::StatusOr<std::string>& id,
                          absl::StatusOr<absl::optional<Row>> (*read)(
                              SqliteConnection&, absl::string_view)) {
  SLUICE_RETURN_IF_ERROR(id.status());
  SLUICE_ASSIGN_OR_RETURN(absl::optional<Row> row, read(connection, *id));
  return *std::move(row);
}

absl::StatusOr<std::vector<BackupRepo>> ReadRepos(SqliteConnection& connection);
// Oldest first.
absl::StatusOr<std::vector<BackupRecord>> ReadRecords(
    SqliteConnection& connection, const CatalogFilter& filter);
absl::StatusOr<std::vector<CatalogJob>> ReadJobs(SqliteConnection& connection,
                                                 const CatalogFilter& filter);

// The next fencing number, never given before.
absl::StatusOr<int64_t> DrawFence(SqliteConnection& connection);

}  // namespace sluice

#endif  // SLUICE_CATALOG_SQLITE_ROWS_H_
