#ifndef SLUICE_PLUGINS_POSTGRES_DATABASE_LEFTOVERS_H_
#define SLUICE_PLUGINS_POSTGRES_DATABASE_LEFTOVERS_H_

// What restores that died have left on a server, and how it is told from what
// one that is alive still needs.
//
//   sluice-restore-OID-new   what was being filled; dropped
//   sluice-restore-OID-old   an empty target after the names were changed;
//                            dropped while it is still empty
//   roles                    placeholders of a role map (role_map.h)
//
// OID is the target's. A restore holds an advisory lock of that OID in the
// database that it administers from; the server lets go of it when the restore
// dies, however it dies. Advisory locks are a database's own, and restores may
// administer from different ones, so pg_locks, which shows them all, is asked
// as well.
//
// One thread. Errors are the connections'.

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/plugins/postgres/client/connection.h"
#include "sluice/plugins/postgres/client/interrupt.h"

namespace sluice::postgres {

std::string StagingName(absl::string_view oid);
std::string OldName(absl::string_view oid);

// A session in a database that is not `target`: a database that one is in
// cannot be renamed or dropped. "postgres", else "template1".
absl::StatusOr<std::unique_ptr<Connection>> OpenAdmin(
    ConnectionOptions options, absl::string_view target,
    const Interrupt* interrupt);

// Whether the lock of this target is this session's now; false: a restore into
// it is alive.
absl::StatusOr<bool> TryLockTarget(Connection& admin, absl::string_view oid);
// Waits until the lock is this session's.
absl::Status LockTarget(Connection& admin, absl::string_view oid);

// Removes what no living restore needs. `own_oid`: of the target whose lock
// this session holds; what is left of that one must go, and is an error where
// it does not. What is left of others is not worth one. "": there is none.
// The names of databases that could not be removed.
absl::StatusOr<std::vector<std::string>> RemoveLeftovers(
    Connection& admin, const ConnectionOptions& options,
    absl::string_view own_oid, const Interrupt& interrupt);

// Drops `name`, which was a target and was empty then, unless somebody has
// created something in it since.
absl::Status DropOldDatabase(Connection& admin,
                             const ConnectionOptions& options,
                             absl::string_view name,
                             const Interrupt& interrupt);

// For a run that only passes by: looks, through a session in any database,
// whether there is something left that this role may remove, and removes it.
// Returns in words what is left; "" for nothing, or where it cannot tell.
std::string SweepLeftovers(Connection& connection,
                           const ConnectionOptions& options,
                           const Interrupt& interrupt);

}  // namespace sluice::postgres

#endif  // SLUICE_PLUGINS_POSTGRES_DATABASE_LEFTOVERS_H_
