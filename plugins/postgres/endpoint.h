#ifndef SLUICE_PLUGINS_POSTGRES_ENDPOINT_H_
#define SLUICE_PLUGINS_POSTGRES_ENDPOINT_H_

// Where a database is, from the options of a URI:
//
//   postgresql://alice@db.example:5433/orders?sslmode=verify-full
//   postgresql:?service=nightly
//
// Hosts are as libpq takes them: a name, an address, [::1], a folder of sockets
// (host=/var/run/postgresql), several separated by commas. What a URI leaves
// out comes from the service file, the environment and ~/.pgpass. Pure
// functions; errors are source_config_invalid and show no value.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/plugins/postgres/backup/backup.h"
#include "sluice/plugins/postgres/client/connection.h"
#include "sluice/plugins/sdk/options.h"

namespace sluice::postgres {

// The keywords of libpq that an option of the same name passes on.
inline constexpr absl::string_view kPassedOn[] = {"host",
                                                  "hostaddr",
                                                  "port",
                                                  "user",
                                                  "dbname",
                                                  "service",
                                                  "passfile",
                                                  "application_name",
                                                  "options",
                                                  "keepalives",
                                                  "keepalives_idle",
                                                  "keepalives_interval",
                                                  "keepalives_count",
                                                  "tcp_user_timeout",
                                                  "sslmode",
                                                  "sslrootcert",
                                                  "sslcert",
                                                  "sslkey",
                                                  "sslcrl",
                                                  "sslcrldir",
                                                  "sslsni",
                                                  "ssl_min_protocol_version",
                                                  "ssl_max_protocol_version",
                                                  "requirepeer",
                                                  "gssencmode",
                                                  "krbsrvname",
                                                  "channel_binding",
                                                  "target_session_attrs"};

// connect_timeout= is a duration, or a number of seconds as libpq has it: 0 or
// less is for ever, 1 is 2.
absl::StatusOr<ConnectionOptions> ConnectionFrom(const sdk::Options& options);

// SCHEMA.TABLE.COLUMN, several separated by commas; each name as SQL has it: in
// double quotes where it holds a dot, a comma or capitals.
absl::StatusOr<std::vector<PayloadIdColumn>> ParsePayloadIds(
    absl::string_view text);

}  // namespace sluice::postgres

#endif  // SLUICE_PLUGINS_POSTGRES_ENDPOINT_H_
