#ifndef SLUICE_PLUGINS_POSTGRES_RESTORE_RESTORE_PREFLIGHT_H_
#define SLUICE_PLUGINS_POSTGRES_RESTORE_RESTORE_PREFLIGHT_H_

// Whether a server has what a payload needs, before a byte of it is loaded.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "sluice/plugins/postgres/client/connection.h"
#include "sluice/plugins/postgres/payload/payload_index.h"
#include "sluice/plugins/postgres/restore/restore_options.h"

namespace sluice::postgres {

// `target` is a session in the database that is restored into. One
// restore_precondition_failed names all that is missing, so that it is mended
// once: an older server, user objects in the way, sessions and whatever else
// keeps the target from being renamed, rights, roles, tablespaces, extensions
// and their versions, collations of another version. What only differs is added
// to `warnings`. Other errors are the connection's. Some ten queries; two
// seconds where there are sessions that may be ending.
absl::Status CheckTarget(Connection& target, const PayloadHead& head,
                         const RestoreOptions& options,
                         std::vector<std::string>& warnings);

}  // namespace sluice::postgres

#endif  // SLUICE_PLUGINS_POSTGRES_RESTORE_RESTORE_PREFLIGHT_H_
