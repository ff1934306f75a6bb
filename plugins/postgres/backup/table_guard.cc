#include "sluice/plugins/postgres/backup/table_guard.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/postgres/client/quote.h"
#include "sluice/plugins/postgres/client/sql_error.h"

namespace sluice::postgres {
namespace {

constexpr int kAttempts = 20;
constexpr absl::string_view kBackToSavepoint =
    "ROLLBACK TO SAVEPOINT sluice_table;";

std::string CountersSql(uint32_t oid) {
  return absl::StrCat("pg_catalog.pg_stat_get_xact_numscans(", oid,
                      "), pg_catalog.pg_stat_get_xact_tuples_returned(", oid,
                      ")");
}

// Tables that the session has locked, but for the one of number `oid` and what
// belongs to it: its TOAST table, and indexes. A system catalog is none.
std::string OthersLockedSql(uint32_t oid) {
  return absl::StrCat(
      "SELECT count(*) FROM pg_catalog.pg_locks l"
      " WHERE l.pid = pg_catalog.pg_backend_pid()"
      " AND l.locktype = 'relation' AND l.relation >= 16384"
      " AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d"
      "  WHERE d.datname = pg_catalog.current_database())"
      " AND l.relation <> ",
      oid,
      " AND l.relation <> (SELECT c.reltoastrelid FROM pg_catalog.pg_class c"
      "  WHERE c.oid = ",
      oid,
      ") AND pg_catalog.pg_index_column_has_property(l.relation, 1,"
      " 'orderable') IS NULL");
}

}  // namespace

absl::Status SetTableSavepoint(Connection& session) {
  return session.Exec("SAVEPOINT sluice_table").status();
}

absl::Status NotProven() {
  // With a SQLSTATE, so that whoever knows the table names it: object in use.
  absl::Status status =
      SqlError("55006",
               "it cannot be shown that the rows are its own: its schema was "
               "renamed while they were read");
  return WithRetryable(std::move(status), true);
}

// Whether `name` is the table's; then it is locked.
absl::StatusOr<bool> TableGuard::TryEnter(const std::string& name) {
  const absl::StatusOr<Result> row = session_.Exec(
      absl::StrCat(kBackToSavepoint, "LOCK TABLE ONLY ", name,
                   " IN ACCESS SHARE MODE NOWAIT; SELECT ", QuoteLiteral(name),
                   "::pg_catalog.regclass::pg_catalog.oid = ", oid_, ", ",
                   CountersSql(oid_)));
  if (!row.ok()) {
    const std::string state = SqlStateOf(row.status());
    const bool gone = state == kUndefinedTable || state == kInvalidSchema ||
                      state == kWrongObjectType;
    if (gone) return false;
    return row.status();
  }
  scans_ = row->Integer(0, 1);
  returned_ = row->Integer(0, 2);
  return row->Bool(0, 0);
}

absl::StatusOr<std::string> TableGuard::NameNow() {
  // Not what the snapshot shows: regclass looks at what is committed.
  SLUICE_ASSIGN_OR_RETURN(
      const Result row,
      session_.Exec(absl::StrCat(
          kBackToSavepoint, "SELECT ", oid_,
          "::pg_catalog.oid::pg_catalog.regclass::pg_catalog.text")));
  return row.Text(0, 0);
}

absl::StatusOr<std::string> TableGuard::Enter(absl::string_view name) {
  name_ = std::string(name);
  for (int i = 0; i < kAttempts; ++i) {
    SLUICE_ASSIGN_OR_RETURN(const bool entered, TryEnter(name_));
    if (entered) return name_;
    SLUICE_ASSIGN_OR_RETURN(name_, NameNow());
  }
  return NotProven();
}

absl::StatusOr<bool> TableGuard::Proves(uint64_t rows) {
  SLUICE_ASSIGN_OR_RETURN(
      const Result counters,
      session_.Exec(absl::StrCat("SELECT ", CountersSql(oid_))));
  // A COPY of a table is one scan; a query over a range of pages counts as
  // none, but its rows are counted. Without track_counts nothing is.
  if (counters.Integer(0, 0) > scans_) return true;
  const int64_t returned = counters.Integer(0, 1) - returned_;
  if (rows > 0 && returned > 0 && static_cast<uint64_t>(returned) >= rows) {
    return true;
  }
  SLUICE_ASSIGN_OR_RETURN(const Result others,
                          session_.Exec(OthersLockedSql(oid_)));
  return others.Integer(0, 0) == 0;
}

}  // namespace sluice::postgres
