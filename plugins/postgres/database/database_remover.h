#ifndef SLUICE_PLUGINS_POSTGRES_DATABASE_DATABASE_REMOVER_H_
#define SLUICE_PLUGINS_POSTGRES_DATABASE_DATABASE_REMOVER_H_

// Drops a database of our own, whatever holds it.
//
//   SLUICE_RETURN_IF_ERROR(RemoveDatabase(*admin, options, "sluice-...-new",
//                                         interrupt));
//
// DROP DATABASE WITH (FORCE) ends sessions, and refuses for the rest: a
// template is made none; transactions that were prepared in it are rolled back;
// its subscriptions are disabled, cut from their slots and dropped, so that
// nothing is done at the publisher, whose slot another database uses; its
// replication slots are dropped. One that a DROP has left half-done ("invalid")
// is dropped again.
//
// The DROP itself goes on at the server when the interrupt ends the wait for
// it: a checkpoint that takes long must not keep a database for ever. One
// thread. Errors: those of the connection, and of the DROP.

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/plugins/postgres/client/connection.h"
#include "sluice/plugins/postgres/client/interrupt.h"

namespace sluice::postgres {

// `admin` is in another database of the server; `options` say how to connect
// to that server.
absl::Status RemoveDatabase(Connection& admin, const ConnectionOptions& options,
                            absl::string_view name, const Interrupt& interrupt);

// Whether a DROP of it began and failed, for want of room for its checkpoint or
// by a kill: nobody can connect, and only DROP is possible, again.
absl::StatusOr<bool> IsInvalidDatabase(Connection& admin,
                                       absl::string_view name);

}  // namespace sluice::postgres

#endif  // SLUICE_PLUGINS_POSTGRES_DATABASE_DATABASE_REMOVER_H_
