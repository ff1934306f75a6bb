#ifndef SLUICE_PLUGINS_POSTGRES_DATABASE_DATABASE_PROPERTIES_H_
#define SLUICE_PLUGINS_POSTGRES_DATABASE_DATABASE_PROPERTIES_H_

// What a database is beside its contents: owner, encoding, locale, rights,
// settings, comment, limits. pg_dump without --create leaves all of it out.
//
//   SLUICE_ASSIGN_OR_RETURN(PayloadDatabase database,
//                           ReadDatabaseProperties(*connection));
//   connection->Exec(CreateDatabaseSql("copy", database));
//   SLUICE_RETURN_IF_ERROR(
//       ApplyDatabaseProperties(*connection, "copy", database, warn));
//
// Text of `properties` may be a stranger's: it is quoted, or of a fixed list
// (a privilege, by payload_index.h). Errors are the connection's. One thread,
// as the connection.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "sluice/plugins/postgres/client/connection.h"
#include "sluice/plugins/postgres/payload/payload_index.h"

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
// The query behind it, by the catalog of a server of that version.
std::string DatabasePropertiesSql(int server_version);

// CREATE DATABASE `name` with the encoding, locale and tablespace of
// `properties`, for a server of `server_version`.
std::string CreateDatabaseSql(absl::string_view name,
                              const PayloadDatabase& properties,
                              int server_version);

// Gives database `name`, which was just created, the owner, rights, settings,
// comment, limit and flags of `properties`. From another database: the settings
// may be such that a session in `name` would suffer.
//
// Rights and settings that the server refuses, for want of a right or because
// it does not know them, are no reason to lose all that was restored:
// `warn` is told (rights_not_restored, setting_not_restored).
absl::Status ApplyDatabaseProperties(
    Connection& connection, absl::string_view name,
    const PayloadDatabase& properties,
    absl::FunctionRef<void(absl::string_view word, absl::string_view message)>
        warn);

// The elements of a setting that is a list, as pg_db_role_setting holds it:
// "$user", public -> $user and public. Nothing where it is no such list.
absl::optional<std::vector<std::string>> SplitSettingList(
    absl::string_view value);

// GRANT statements that make `grants` of `object` ("DATABASE x", "LARGE OBJECT
// 7"), owned by `owner`, from nothing; "" where there are none to make.
std::string GrantSql(absl::string_view object, absl::string_view owner,
                     const absl::optional<std::vector<PayloadGrant>>& grants);

}  // namespace sluice::postgres

#endif  // SLUICE_PLUGINS_POSTGRES_DATABASE_DATABASE_PROPERTIES_H_
