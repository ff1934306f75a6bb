#ifndef SLUICE_PLUGINS_POSTGRES_BACKUP_SNAPSHOT_H_
#define SLUICE_PLUGINS_POSTGRES_BACKUP_SNAPSHOT_H_

// One snapshot of a database, seen by several sessions, that no TRUNCATE and no
// ALTER can empty behind its back.
//
//   SLUICE_ASSIGN_OR_RETURN(
//       Snapshot snapshot,
//       Snapshot::Take(options, &interrupt, [&](Snapshot& taken) {
//         return ReadDefinitions(taken.leader());
//       }));
//   ... snapshot.leader() and snapshot.workers(), each on one thread ...
//
// TRUNCATE and a rewriting ALTER are not part of any snapshot: rows that an
// older one should see are gone. So the leader locks every table ACCESS SHARE
// first, which lets all reads and writes pass but those two, and fixes its
// snapshot only then: it exports one, the workers import it. Tables that came
// up in between, and were not locked, show when the list is read again under
// the snapshot: then all begins anew. What is locked is compared by number, not
// by name, for a schema can be renamed at any time, whoever holds its tables.
//
// Workers lock nothing here: each table has one lock in the server's table of
// them, however many sessions read. row_copier.h locks what it reads.
//
// The leader waits only briefly. Whoever waits to ALTER a table behind one of
// its locks may hold another that it asks for next; so all locks are given
// back, the ALTER goes through, and all begins anew. So does a `when_taken`
// that returns what IsWorthAnotherTry; what may be no passing fault, such as an
// object that is gone, a few times only. That goes on for `patience`, then the
// last reason is the error, with the table and who holds it.
//
// The transactions are read-only and last as long as the object.

#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "sluice/plugins/postgres/backup/table_list.h"
#include "sluice/plugins/postgres/client/connection.h"
#include "sluice/plugins/postgres/client/interrupt.h"

namespace sluice::postgres {

struct SnapshotOptions {
  ConnectionOptions connection;
  int workers = 1;
  // Of one attempt, in whole ms; no longer than what is left of `patience`.
  absl::Duration lock_wait = absl::Seconds(2);
  absl::Duration patience = absl::Minutes(5);  // of all attempts
};

class Snapshot {
 public:
  static absl::StatusOr<std::unique_ptr<Snapshot>> Take(
      const SnapshotOptions& options, const Interrupt* interrupt,
      absl::FunctionRef<absl::Status(Snapshot&)> when_taken);

  // What SET TRANSACTION SNAPSHOT takes.
  const std::string& id() const { return id_; }
  Connection& leader() { return *leader_; }
  // One that is in no transaction; only for `when_taken`.
  Connection& control() { return *control_; }
  const std::vector<std::unique_ptr<Connection>>& workers() { return workers_; }
  // Attempts that it took, for people.
  int attempts() const { return attempts_; }

  // A lock that did not come, a table or another object that went away
  // meanwhile.
  static bool IsWorthAnotherTry(const absl::Status& status);

 private:
  Snapshot() = default;

  absl::Status Open(const SnapshotOptions& options, const Interrupt* interrupt);
  absl::Status TryOnce(absl::Duration lock_wait);
  absl::Status BeginAndLock(const std::vector<TableIdentity>& tables,
                            absl::Duration lock_wait);
  absl::Status CheckLocked(const std::vector<TableIdentity>& tables);
  absl::Status CheckNames();
  absl::Status Import(Connection& worker);
  absl::StatusOr<std::vector<TableIdentity>> ListCommitted();
  // `status` with the table that somebody else holds, where one is found.
  absl::Status NameHolder(const absl::Status& status);
  absl::Status GiveBack();

  std::unique_ptr<Connection> control_;  // sees what is committed by now
  std::unique_ptr<Connection> leader_;
  std::vector<std::unique_ptr<Connection>> workers_;
  std::vector<TableIdentity> seen_;
  std::string id_;
  int attempts_ = 0;
};

}  // namespace sluice::postgres

#endif  // SLUICE_PLUGINS_POSTGRES_BACKUP_SNAPSHOT_H_
