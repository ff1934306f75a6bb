#include "sluice/plugins/postgres/backup/snapshot.h"

#include <poll.h>

#include <algorithm>
#include <cstdint>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/postgres/backup/table_list.h"
#include "sluice/plugins/postgres/client/quote.h"
#include "sluice/plugins/postgres/client/sql_error.h"

namespace sluice::postgres {
namespace {

constexpr size_t kTablesPerLock = 500;
constexpr absl::string_view kDeadlock = "40P01";
constexpr absl::string_view kUndefinedObject = "42704";
constexpr absl::string_view kUndefinedFunction = "42883";
constexpr absl::string_view kInternalError = "XX000";
constexpr int kAttemptsForWhatIsGone = 5;

// Relations that the session has locked, of whatever strength.
constexpr absl::string_view kLockedSql = R"(
SELECT DISTINCT l.relation
FROM pg_catalog.pg_locks l
WHERE l.pid = pg_catalog.pg_backend_pid() AND l.locktype = 'relation'
  AND l.granted AND l.database = (
    SELECT d.oid FROM pg_catalog.pg_database d
    WHERE d.datname = pg_catalog.current_database()))";

// Who holds a table so that it cannot be locked, or is before us in its queue.
constexpr absl::string_view kHolderSql = R"(
SELECT l.relation::pg_catalog.regclass::pg_catalog.text, l.pid
FROM pg_catalog.pg_locks l
WHERE l.mode = 'AccessExclusiveLock' AND l.locktype = 'relation'
  AND l.relation >= 16384 AND l.database = (
    SELECT d.oid FROM pg_catalog.pg_database d
    WHERE d.datname = pg_catalog.current_database())
  AND l.relation IN (SELECT c.oid FROM pg_catalog.pg_class c
                     WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S'))
ORDER BY l.granted DESC, l.relation LIMIT 1)";

// LOCK TABLE statements for `tables`.
std::vector<std::string> LockStatements(
    const std::vector<TableIdentity>& tables) {
  std::vector<std::string> statements;
  for (size_t i = 0; i < tables.size(); ++i) {
    if (i % kTablesPerLock == 0) {
      if (i > 0) absl::StrAppend(&statements.back(), " IN ACCESS SHARE MODE");
      statements.push_back("LOCK TABLE ONLY ");
    } else {
      absl::StrAppend(&statements.back(), ", ONLY ");
    }
    absl::StrAppend(&statements.back(),
                    QuoteQualified(tables[i].schema, tables[i].name));
  }
  if (!statements.empty()) {
    absl::StrAppend(&statements.back(), " IN ACCESS SHARE MODE");
  }
  return statements;
}

absl::Status Changed(absl::string_view what) {
  return WithRetryable(
      MakeError(absl::StatusCode::kAborted, kSourceFailed,
                absl::StrCat("while tables were locked, ", what)),
      true);
}

// What says that an object was dropped while definitions were read, and may
// also say that a catalog is damaged.
bool IsGone(const absl::Status& status) {
  const std::string state = SqlStateOf(status);
  return state == kUndefinedObject || state == kUndefinedFunction ||
         (state == kInternalError &&
          (absl::StrContains(status.message(), "cache lookup failed") ||
           absl::StrContains(status.message(), "could not find") ||
           absl::StrContains(status.message(), "could not open relation") ||
           absl::StrContains(status.message(), "does not exist")));
}

}  // namespace

bool Snapshot::IsWorthAnotherTry(const absl::Status& status) {
  const std::string state = SqlStateOf(status);
  return state == kLockNotAvailable || state == kUndefinedTable ||
         state == kInvalidSchema || state == kDeadlock || IsGone(status) ||
         (status.code() == absl::StatusCode::kAborted && IsRetryable(status) &&
          state.empty());
}

absl::StatusOr<std::unique_ptr<Snapshot>> Snapshot::Take(
    const SnapshotOptions& options, const Interrupt* interrupt,
    absl::FunctionRef<absl::Status(Snapshot&)> when_taken) {
  std::unique_ptr<Snapshot> snapshot(new Snapshot());
  SLUICE_RETURN_IF_ERROR(snapshot->Open(options, interrupt));
  const absl::Time deadline = absl::Now() + options.patience;
  int gone = 0;
  while (true) {
    ++snapshot->attempts_;
    const absl::Duration left =
        std::max(deadline - absl::Now(), absl::Milliseconds(1));
    absl::Status status = snapshot->TryOnce(std::min(options.lock_wait, left));
    if (status.ok()) status = when_taken(*snapshot);
    if (status.ok()) status = snapshot->CheckNames();
    if (status.ok()) break;
    if (!IsWorthAnotherTry(status)) return status;
    const bool over = absl::Now() >= deadline;
    if (over) status = snapshot->NameHolder(status);
    if (over || (IsGone(status) && ++gone >= kAttemptsForWhatIsGone)) {
      return WithHint(
          Annotate(status, absl::StrCat("no snapshot in ", snapshot->attempts_,
                                        " attempts")),
          "something holds or changes definitions all the while, such as a "
          "long ALTER, TRUNCATE or VACUUM FULL; the backup needs an instant "
          "without: lock_timeout=");
    }
    SLUICE_RETURN_IF_ERROR(snapshot->GiveBack());
    SLUICE_RETURN_IF_ERROR(interrupt->status());
    // Those who waited for us go first.
    poll(nullptr, 0, std::min(50, 5 * snapshot->attempts_));
  }
  snapshot->control_.reset();
  return snapshot;
}

absl::Status Snapshot::Open(const SnapshotOptions& options,
                            const Interrupt* interrupt) {
  ConnectionOptions connection = options.connection;
  connection.in_transactions = true;
  SLUICE_ASSIGN_OR_RETURN(control_, Connection::Open(connection, interrupt));
  SLUICE_ASSIGN_OR_RETURN(leader_, Connection::Open(connection, interrupt));
  for (int i = 0; i < options.workers; ++i) {
    workers_.emplace_back();
    SLUICE_ASSIGN_OR_RETURN(workers_.back(),
                            Connection::Open(connection, interrupt));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<TableIdentity>> Snapshot::ListCommitted() {
  SLUICE_RETURN_IF_ERROR(
      control_->Begin("ISOLATION LEVEL READ COMMITTED, READ ONLY"));
  absl::StatusOr<std::vector<TableIdentity>> tables = ListTables(*control_);
  SLUICE_RETURN_IF_ERROR(control_->Exec("ROLLBACK").status());
  return tables;
}

absl::Status Snapshot::TryOnce(absl::Duration lock_wait) {
  SLUICE_ASSIGN_OR_RETURN(const std::vector<TableIdentity> to_lock,
                          ListCommitted());
  SLUICE_RETURN_IF_ERROR(BeginAndLock(to_lock, lock_wait));
  SLUICE_ASSIGN_OR_RETURN(const std::vector<TableIdentity> locked,
                          ListCommitted());
  SLUICE_ASSIGN_OR_RETURN(
      const Result exported,
      leader_->Exec("SELECT pg_catalog.pg_export_snapshot()"));
  id_ = exported.Text(0, 0);
  SLUICE_ASSIGN_OR_RETURN(seen_, ListTables(*leader_));
  // Nothing that is locked can have got another file since: the two differ only
  // in tables that are not, and in names.
  if (seen_ != locked) return Changed("a table was made, renamed or rewritten");
  SLUICE_RETURN_IF_ERROR(CheckLocked(seen_));
  for (const auto& worker : workers_) {
    SLUICE_RETURN_IF_ERROR(Import(*worker));
  }
  return absl::OkStatus();
}

absl::Status Snapshot::BeginAndLock(const std::vector<TableIdentity>& tables,
                                    absl::Duration lock_wait) {
  // None of these fixes the transaction's snapshot.
  SLUICE_RETURN_IF_ERROR(
      leader_->Begin("ISOLATION LEVEL REPEATABLE READ, READ ONLY"));
  SLUICE_RETURN_IF_ERROR(
      leader_
          ->Exec(absl::StrCat("SET LOCAL lock_timeout = ",
                              absl::ToInt64Milliseconds(absl::Ceil(
                                  lock_wait, absl::Milliseconds(1)))))
          .status());
  for (const std::string& lock : LockStatements(tables)) {
    absl::Status status = leader_->Exec(lock).status();
    if (SqlStateOf(status) == "53200") {
      status = WithHint(std::move(status),
                        "raise max_locks_per_transaction on the server: a "
                        "backup locks every table once");
    }
    SLUICE_RETURN_IF_ERROR(status);
  }
  return absl::OkStatus();
}

// A name may have led to another table while it was locked by it.
absl::Status Snapshot::CheckLocked(const std::vector<TableIdentity>& tables) {
  SLUICE_ASSIGN_OR_RETURN(const Result rows, leader_->Exec(kLockedSql));
  std::set<int64_t> locked;
  for (int row = 0; row < rows.rows(); ++row) {
    locked.insert(rows.Integer(row, 0));
  }
  for (const TableIdentity& table : tables) {
    if (locked.count(table.oid) == 0) {
      return Changed(absl::StrCat("table ",
                                  QuoteQualified(table.schema, table.name),
                                  " was made or renamed"));
    }
  }
  return absl::OkStatus();
}

// Definitions name each other by what is committed, not by the snapshot: they
// fit together only if nothing was renamed meanwhile.
absl::Status Snapshot::CheckNames() {
  SLUICE_ASSIGN_OR_RETURN(const std::vector<TableIdentity> now,
                          ListCommitted());
  auto table = now.begin();
  for (const TableIdentity& seen : seen_) {
    while (table != now.end() && table->oid < seen.oid) ++table;
    if (table == now.end() || !(*table == seen)) {
      return Changed(absl::StrCat(
          "table ", QuoteQualified(seen.schema, seen.name), " was renamed"));
    }
  }
  return absl::OkStatus();
}

absl::Status Snapshot::Import(Connection& worker) {
  SLUICE_RETURN_IF_ERROR(
      worker.Begin("ISOLATION LEVEL REPEATABLE READ, READ ONLY"));
  return worker
      .Exec(absl::StrCat("SET TRANSACTION SNAPSHOT ", QuoteLiteral(id_)))
      .status();
}

absl::Status Snapshot::NameHolder(const absl::Status& status) {
  if (SqlStateOf(status) != kLockNotAvailable) return status;
  if (!control_->Begin("READ ONLY").ok()) return status;
  const absl::StatusOr<Result> holder = control_->Exec(kHolderSql);
  control_->Exec("ROLLBACK").status().IgnoreError();
  if (!holder.ok() || holder->rows() == 0) return status;
  return Annotate(
      status, absl::StrCat("table ", holder->Get(0, 0),
                           " is locked by server process ", holder->Get(0, 1)));
}

absl::Status Snapshot::GiveBack() {
  SLUICE_RETURN_IF_ERROR(leader_->Exec("ROLLBACK").status());
  for (const auto& worker : workers_) {
    SLUICE_RETURN_IF_ERROR(worker->Exec("ROLLBACK").status());
  }
  return absl::OkStatus();
}

}  // namespace sluice::postgres
