#ifndef SLUICE_PLUGINS_POSTGRES_BACKUP_TABLE_GUARD_H_
#define SLUICE_PLUGINS_POSTGRES_BACKUP_TABLE_GUARD_H_

// That what a COPY reads is the table that the snapshot holds, and no other
// that has its name meanwhile.
//
//   TableGuard guard(connection, table.oid);
//   SLUICE_ASSIGN_OR_RETURN(const std::string name, guard.Enter(name_before));
//   ... COPY name TO STDOUT, `rows` of them ...
//   SLUICE_ASSIGN_OR_RETURN(const bool same, guard.Proves(rows));
//
// SQL knows tables by name alone, and a lock on a table does not keep its
// schema from being renamed: so two schemas can be exchanged between a lock and
// a COPY, by mistake or on purpose, and exchanged again before anybody looks.
// Enter looks names up by number and locks; Proves asks the server which table
// it has read: its counter of scans in this transaction has risen for one; or
// the session has no other table locked. Both hold whatever was renamed when.
//
// The lock is asked for with NOWAIT: who waits to TRUNCATE or ALTER the table
// waits for the leader of the snapshot, and would make us wait for him. Then
// the error's SQLSTATE is kLockNotAvailable, and the leader, which holds the
// lock, can read the table itself.
//
// A session has a savepoint (SetTableSavepoint), to which each Enter goes back:
// it holds the lock of one table at a time. One thread, as the connection.

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/plugins/postgres/client/connection.h"

namespace sluice::postgres {

// Once for each session that reads tables, in its transaction. What it has
// locked before then, it keeps.
absl::Status SetTableSavepoint(Connection& session);

// ABORTED and retryable: it cannot be shown whose rows were read.
absl::Status NotProven();

class TableGuard {
 public:
  // Borrows the session.
  TableGuard(Connection& session, uint32_t oid)
      : session_(session), oid_(oid) {}

  // Locks the table ACCESS SHARE and returns its name now, quoted; `name` is
  // one that it had. ABORTED and retryable where it is renamed all the while.
  absl::StatusOr<std::string> Enter(absl::string_view name);

  // Whether the statement since Enter, which returned `rows`, has read the
  // table and no other.
  absl::StatusOr<bool> Proves(uint64_t rows);

 private:
  absl::StatusOr<bool> TryEnter(const std::string& name);
  absl::StatusOr<std::string> NameNow();

  Connection& session_;
  const uint32_t oid_;
  std::string name_;
  // Before the statement: how often the table was scanned, and how many rows
  // were returned of it.
  int64_t scans_ = 0;
  int64_t returned_ = 0;
};

}  // namespace sluice::postgres

#endif  // SLUICE_PLUGINS_POSTGRES_BACKUP_TABLE_GUARD_H_
