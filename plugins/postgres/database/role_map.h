#ifndef SLUICE_PLUGINS_POSTGRES_DATABASE_ROLE_MAP_H_
#define SLUICE_PLUGINS_POSTGRES_DATABASE_ROLE_MAP_H_

// Restores what belonged to a role that is not here to another that is.
//
// Statements in an archive of pg_dump name the old role, so a placeholder of
// that name, which cannot log in and has no right, stands in while they run;
// then all that it owns and may is handed on, and it is dropped. Its comment
// tells whose restore it serves, so a leftover is recognised as a leftover
// database is (staging_database.h).
//
// Functions of one connection: no other thread. Errors are the connection's.

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/plugins/postgres/client/connection.h"

namespace sluice::postgres {

// From a role of the archive to one of the server.
using RoleMap = std::map<std::string, std::string>;

// "old:new,other:new". source_config_invalid for any other form.
absl::StatusOr<RoleMap> ParseRoleMap(absl::string_view text);

// The role itself where it is not mapped.
std::string MappedRole(const RoleMap& roles, const std::string& role);

// Fails where one of them is there already: it is then no placeholder.
absl::Status CreatePlaceholders(Connection& admin, const RoleMap& roles,
                                absl::string_view target_oid);
// Those of the restore into this target, whoever made them.
absl::Status DropPlaceholders(Connection& admin, absl::string_view target_oid);
// The oids of targets that have placeholders, each once.
absl::StatusOr<std::vector<std::string>> TargetsWithPlaceholders(
    Connection& admin);

// In the restored database: owners, rights on everything, default rights,
// policies and user mappings.
absl::Status HandOnRoles(Connection& restored, const RoleMap& roles);

}  // namespace sluice::postgres

#endif  // SLUICE_PLUGINS_POSTGRES_DATABASE_ROLE_MAP_H_
