#include "sluice/plugins/postgres/snapshot.h"

#include <poll.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/postgres/quote.h"
#include "sluice/plugins/postgres/sql_error.h"
#include "sluice/plugins/postgres/table_list.h"
#include "sluice/plugins/sdk/workers.h"

namespace sluice::postgres {
namespace {

constexpr size_t kTablesPerLock = 500;
constexpr absl::string_view kInvalidSchema = "3F000";
constexpr absl::string_view kDeadlock = "40P01";
constexpr absl::string_view kUndefinedObject = "42704";

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

// Whether `locked` holds all of `now`, of the same names.
bool HoldsAll(const std::vector<TableIdentity>& locked,
              const std::vector<TableIdentity>& now) {
  auto candidate = locked.begin();
  for (const TableIdentity& table : now) {
    while (candidate != locked.end() && candidate->oid < table.oid) ++candidate;
    if (candidate == locked.end() || candidate->oid != table.oid ||
        candidate->schema != table.schema || candidate->name != table.name) {
      return false;
    }
  }
  return true;
}

}  // namespace

bool Snapshot::IsWorthAnotherTry(const absl::Status& status) {
  const std::string state = SqlStateOf(status);
  return state == kLockNotAvailable || state == kUndefinedTable ||
         state == kInvalidSchema || state == kDeadlock ||
         state == kUndefinedObject ||
         (status.code() == absl::StatusCode::kAborted && IsRetryable(status) &&
          state.empty());
}

absl::StatusOr<std::unique_ptr<Snapshot>> Snapshot::Take(
    const SnapshotOptions& options, const Interrupt* interrupt,
    absl::FunctionRef<absl::Status(Snapshot&)> when_taken) {
  std::unique_ptr<Snapshot> snapshot(new Snapshot());
  SLUICE_RETURN_IF_ERROR(snapshot->Open(options, interrupt));
  const absl::Time deadline = absl::Now() + options.patience;
  while (true) {
    ++snapshot->attempts_;
    absl::Status status = snapshot->TryOnce(options);
    if (status.ok()) status = when_taken(*snapshot);
    if (status.ok()) break;
    if (!IsWorthAnotherTry(status)) return status;
    if (absl::Now() >= deadline) {
      return WithHint(
          Annotate(status, absl::StrCat("no snapshot in ", snapshot->attempts_,
                                        " attempts")),
          "a long ALTER, TRUNCATE or VACUUM FULL holds a table; the backup "
          "needs an instant without");
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
  SLUICE_ASSIGN_OR_RETURN(control_,
                          Connection::Open(options.connection, interrupt));
  SLUICE_ASSIGN_OR_RETURN(leader_,
                          Connection::Open(options.connection, interrupt));
  for (int i = 0; i < options.workers; ++i) {
    workers_.emplace_back();
    SLUICE_ASSIGN_OR_RETURN(workers_.back(),
                            Connection::Open(options.connection, interrupt));
  }
  return absl::OkStatus();
}

absl::Status Snapshot::TryOnce(const SnapshotOptions& options) {
  SLUICE_ASSIGN_OR_RETURN(const std::vector<TableIdentity> to_lock,
                          ListTables(*control_));
  const std::vector<std::string> locks = LockStatements(to_lock);
  SLUICE_RETURN_IF_ERROR(LockAll(locks, options.lock_wait));
  SLUICE_ASSIGN_OR_RETURN(const std::vector<TableIdentity> locked,
                          ListTables(*control_));
  SLUICE_ASSIGN_OR_RETURN(
      const Result exported,
      leader_->Exec("SELECT pg_catalog.pg_export_snapshot()"));
  id_ = exported.Text(0, 0);
  SLUICE_ASSIGN_OR_RETURN(const std::vector<TableIdentity> seen,
                          ListTables(*leader_));
  // Nothing that is locked can have got another file since: `seen` and
  // `locked` differ only in tables that are not.
  if (seen != locked) return Changed("a table was made or rewritten");
  if (!HoldsAll(to_lock, seen)) return Changed("a table was made or renamed");
  for (const auto& worker : workers_) {
    SLUICE_RETURN_IF_ERROR(
        worker
            ->Exec(absl::StrCat("SET TRANSACTION SNAPSHOT ", QuoteLiteral(id_)))
            .status());
  }
  return absl::OkStatus();
}

// At the same time: who waits for a running ALTER together is let in together,
// before the next ALTER that waits behind.
absl::Status Snapshot::LockAll(const std::vector<std::string>& locks,
                               absl::Duration lock_wait) {
  return sdk::RunWorkers(
      1 + static_cast<int>(workers_.size()),
      [&](int worker) {
        Connection& connection =
            worker == 0 ? *leader_ : *workers_[static_cast<size_t>(worker) - 1];
        return BeginAndLock(connection, locks, lock_wait);
      },
      [] {});  // each waits no longer than lock_wait
}

absl::Status Snapshot::BeginAndLock(Connection& connection,
                                    const std::vector<std::string>& locks,
                                    absl::Duration lock_wait) {
  // None of these fixes the transaction's snapshot.
  SLUICE_RETURN_IF_ERROR(
      connection.Exec("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
          .status());
  SLUICE_RETURN_IF_ERROR(
      connection
          .Exec(absl::StrCat("SET LOCAL lock_timeout = ",
                             absl::ToInt64Milliseconds(lock_wait)))
          .status());
  for (const std::string& lock : locks) {
    absl::Status status = connection.Exec(lock).status();
    if (SqlStateOf(status) == "53200") {
      status = WithHint(std::move(status),
                        "raise max_locks_per_transaction on the server, or "
                        "lower jobs=: each session locks every table");
    }
    SLUICE_RETURN_IF_ERROR(status);
  }
  return absl::OkStatus();
}

absl::Status Snapshot::GiveBack() {
  SLUICE_RETURN_IF_ERROR(leader_->Exec("ROLLBACK").status());
  for (const auto& worker : workers_) {
    SLUICE_RETURN_IF_ERROR(worker->Exec("ROLLBACK").status());
  }
  return absl::OkStatus();
}

}  // namespace sluice::postgres
