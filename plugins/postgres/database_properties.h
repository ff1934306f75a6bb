#ifndef SLUICE_PLUGINS_POSTGRES_DATABASE_PROPERTIES_H_
#define SLUICE_PLUGINS_POSTGRES_DATABASE_PROPERTIES_H_

// What a database is beside its contents: owner, encoding, locale, rights,
// settings, comment, limits. pg_dump without --create leaves all of it out.
//
//   SLUICE_ASSIGN_OR_RETURN(PayloadDatabase database,
//                           ReadDatabaseProperties(*connection));
//   connection->Exec(CreateDatabaseSql("copy", database));
//   SLUICE_RETURN_IF_ERROR(
//       ApplyDatabaseProperties(*connection, "copy", database));
//
// Errors are the connection's. One thread, as the connection.

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/plugins/postgres/connection.h"
#include "sluice/plugins/postgres/payload_index.h"

namespace sluice::postgres {

// Where the store's id is kept: ALTER DATABASE ... SET of this. It is no part
// of `settings`: it belongs to the store, not to its owner's choices.
inline constexpr absl::string_view kStoreIdSetting = "sluice.store_id";

// Of the database that `connection` is in. How many objects in it are a user's:
// schemas, relations, types, functions, large objects and so on.
absl::StatusOr<uint64_t> CountDefinitions(Connection& connection);
// Whether nothing in it is.
absl::StatusOr<bool> IsEmptyDatabase(Connection& connection);

// Of the database that `connection` is in.
absl::StatusOr<PayloadDatabase> ReadDatabaseProperties(Connection& connection);

// CREATE DATABASE `name` with the encoding, locale and tablespace of
// `properties`, for a server of `server_version`.
std::string CreateDatabaseSql(absl::string_view name,
                              const PayloadDatabase& properties,
                              int server_version);

// Gives database `name`, which was just created, the owner, rights, settings,
// comment, limit and flags of `properties`. From another database: the settings
// may be such that a session in `name` would suffer.
absl::Status ApplyDatabaseProperties(Connection& connection,
                                     absl::string_view name,
                                     const PayloadDatabase& properties);

// GRANT statements that make `grants` of `object` ("DATABASE x", "LARGE OBJECT
// 7"), owned by `owner`, from nothing; "" where there are none to make.
std::string GrantSql(absl::string_view object, absl::string_view owner,
                     const absl::optional<std::vector<PayloadGrant>>& grants);

}  // namespace sluice::postgres

#endif  // SLUICE_PLUGINS_POSTGRES_DATABASE_PROPERTIES_H_
