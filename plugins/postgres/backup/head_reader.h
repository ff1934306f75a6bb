#ifndef SLUICE_PLUGINS_POSTGRES_BACKUP_HEAD_READER_H_
#define SLUICE_PLUGINS_POSTGRES_BACKUP_HEAD_READER_H_

// What the head of a payload says beside its tables: the database, and all that
// a target must have before a row can go there. As the connection's snapshot
// shows it. Needs no rights but to connect; no password is ever asked for.
//
//   SLUICE_ASSIGN_OR_RETURN(PayloadHead head, ReadHead(connection));
//
// One thread, as the connection.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "sluice/plugins/postgres/client/connection.h"
#include "sluice/plugins/postgres/payload/payload_index.h"

namespace sluice::postgres {

// All but tables, pg_dump_version and store_id.
absl::StatusOr<PayloadHead> ReadHead(Connection& connection);

// The state of every sequence that `snapshot` shows. Sequences are part of no
// snapshot: read after it was taken, each is at least as far as the snapshot's
// rows have used it. They are read by `other`, which is in no transaction, in
// short ones, because each is locked until the end of the one that read it.
// Those that a server in recovery cannot read go into `left_out`. ABORTED and
// retryable where another object has the name of one meanwhile.
absl::StatusOr<std::vector<PayloadSequence>> ReadSequences(
    Connection& snapshot, Connection& other,
    std::vector<std::string>* left_out);

// The store's id: docs/adr/0009-…. The one that the database bears, else one
// that follows from the server and the database's OID.
absl::StatusOr<std::string> ReadStoreId(Connection& connection);
// The one that the database bears, "" where it bears none.
absl::StatusOr<std::string> ReadOwnStoreId(Connection& connection);

}  // namespace sluice::postgres

#endif  // SLUICE_PLUGINS_POSTGRES_BACKUP_HEAD_READER_H_
