#include "sluice/plugins/postgres/restore/restore_preflight.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/optional.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/postgres/database/database_properties.h"
#include "sluice/plugins/postgres/database/role_map.h"

namespace sluice::postgres {
namespace {

// Of a long list the first are named.
constexpr size_t kMaxNamed = 20;
constexpr int kLooksForSessions = 20;  // a tenth of a second apart

struct Findings {
  std::vector<std::string> missing;  // in words
  std::vector<std::string> hints;
  size_t rights = 0;  // so many of `missing` are the role's rights
};

std::string ListOf(const std::vector<std::string>& names) {
  const size_t named = std::min(names.size(), kMaxNamed);
  std::string list = absl::StrJoin(
      names.begin(), names.begin() + static_cast<long>(named), ", ");
  if (named < names.size()) {
    absl::StrAppend(&list, " and ", names.size() - named, " more");
  }
  return list;
}

void AddMissing(const char* what, const std::vector<std::string>& names,
                const char* hint, Findings& findings) {
  if (names.empty()) return;
  findings.missing.push_back(absl::StrCat(what, " ", ListOf(names)));
  findings.hints.push_back(hint);
}

absl::StatusOr<std::set<std::string>> FirstColumn(Connection& connection,
                                                  absl::string_view sql) {
  SLUICE_ASSIGN_OR_RETURN(const Result result, connection.Exec(sql));
  std::set<std::string> values;
  for (int row = 0; row < result.rows(); ++row) {
    values.insert(result.Text(row, 0));
  }
  return values;
}

absl::Status CheckRoles(Connection& target, const PayloadHead& head,
                        const RestoreOptions& options, Findings& findings) {
  if (options.no_owner && options.no_privileges) return absl::OkStatus();
  SLUICE_ASSIGN_OR_RETURN(
      const std::set<std::string> present,
      FirstColumn(target, "SELECT rolname FROM pg_catalog.pg_roles"));
  std::set<std::string> missing_once;
  std::vector<std::string> here;
  for (const PayloadRole& role : head.roles) {
    const std::string needed = MappedRole(options.role_map, role.name);
    if (present.count(needed) == 0) missing_once.insert(needed);
  }
  for (const auto& [role, successor] : options.role_map) {
    if (present.count(role) > 0) here.push_back(role);
    if (present.count(successor) == 0) missing_once.insert(successor);
  }
  const std::vector<std::string> missing(missing_once.begin(),
                                         missing_once.end());
  AddMissing("that roles be absent that are mapped:", here,
             "map only roles that this server has not (role_map)", findings);
  AddMissing(
      "roles", missing,
      "create the roles (CREATE ROLE), name others with role_map=OLD:NEW, "
      "or restore with no_owner=1 and no_privileges=1",
      findings);
  return absl::OkStatus();
}

// Beside those of tables and indexes, those of settings: a session in the
// restored database would complain of each that is not here.
std::set<std::string> NeededTablespaces(const PayloadHead& head) {
  std::set<std::string> needed(head.tablespaces.begin(),
                               head.tablespaces.end());
  for (const PayloadSetting& setting : head.database.settings) {
    if (setting.name != "temp_tablespaces") continue;
    const absl::optional<std::vector<std::string>> names =
        SplitSettingList(setting.value);
    if (names.has_value()) needed.insert(names->begin(), names->end());
  }
  needed.erase("");  // the default
  return needed;
}

absl::Status CheckTablespaces(Connection& target, const PayloadHead& head,
                              Findings& findings) {
  SLUICE_ASSIGN_OR_RETURN(
      const std::set<std::string> present,
      FirstColumn(target, "SELECT spcname FROM pg_catalog.pg_tablespace"));
  std::vector<std::string> missing;
  for (const std::string& name : NeededTablespaces(head)) {
    if (present.count(name) == 0) missing.push_back(name);
  }
  AddMissing("tablespaces", missing,
             "create the tablespaces (CREATE TABLESPACE)", findings);
  return absl::OkStatus();
}

// Whoever is in the target when the names are changed keeps it from being
// renamed, hours later. A session that was closed a moment ago is still listed:
// so this looks several times. Of another's session only a superuser sees the
// type.
absl::Status CheckSessions(Connection& target, Findings& findings) {
  std::string sessions;
  for (int attempt = 0; attempt < kLooksForSessions; ++attempt) {
    SLUICE_ASSIGN_OR_RETURN(
        const Result found,
        target.Exec(
            "SELECT coalesce(string_agg(DISTINCT coalesce(usename,"
            " backend_type), ', '), '')"
            " FROM pg_catalog.pg_stat_activity"
            " WHERE datname = pg_catalog.current_database()"
            " AND pid <> pg_catalog.pg_backend_pid()"
            " AND coalesce(backend_type, usename) NOT IN ('autovacuum worker', "
            "'parallel worker')"
            " AND leader_pid IS DISTINCT FROM pg_catalog.pg_backend_pid()"));
    sessions = found.Text(0, 0);
    if (sessions.empty()) break;
    SLUICE_RETURN_IF_ERROR(
        target.Exec("SELECT pg_catalog.pg_sleep(0.1)").status());
  }
  if (!sessions.empty()) {
    findings.missing.push_back(absl::StrCat(
        "a database that nobody is connected to (here: ", sessions, ")"));
    findings.hints.push_back(
        "close every session in the database that is restored into");
  }
  SLUICE_ASSIGN_OR_RETURN(
      const std::set<std::string> holders,
      FirstColumn(target,
                  "SELECT 'prepared transaction ' || gid"
                  " FROM pg_catalog.pg_prepared_xacts"
                  " WHERE database = pg_catalog.current_database()"
                  " UNION ALL SELECT 'replication slot ' || slot_name"
                  " FROM pg_catalog.pg_replication_slots"
                  " WHERE database = pg_catalog.current_database()"));
  AddMissing("a database without",
             std::vector<std::string>(holders.begin(), holders.end()),
             "end the prepared transactions and drop the slots in it",
             findings);
  return absl::OkStatus();
}

// Rights that are needed at the very end.
absl::Status CheckRights(Connection& target, const PayloadHead& head,
                         const RestoreOptions& options, Findings& findings) {
  SLUICE_ASSIGN_OR_RETURN(
      const Result rights,
      target.ExecParams(
          "SELECT r.rolsuper, pg_catalog.pg_has_role(d.datdba, 'USAGE'),"
          " coalesce((SELECT pg_catalog.pg_has_role(o.oid, 'MEMBER')"
          "  FROM pg_catalog.pg_roles o WHERE o.rolname = $1), true)"
          " FROM pg_catalog.pg_roles r, pg_catalog.pg_database d"
          " WHERE r.rolname = current_user"
          " AND d.datname = pg_catalog.current_database()",
          {Param(MappedRole(options.role_map, head.database.owner))}));
  if (rights.Bool(0, 0)) return absl::OkStatus();
  if (!rights.Bool(0, 1)) {
    findings.missing.push_back("to be the owner of the database here");
    ++findings.rights;
    findings.hints.push_back(
        "restore as a superuser, or as the owner of the database");
  }
  if (!options.no_owner && !rights.Bool(0, 2)) {
    findings.missing.push_back(
        absl::StrCat("membership in role ",
                     MappedRole(options.role_map, head.database.owner),
                     ", which owned the database"));
    ++findings.rights;
    findings.hints.push_back("restore as a superuser, or with no_owner=1");
  }
  return absl::OkStatus();
}

absl::Status CheckExtensions(Connection& target, const PayloadHead& head,
                             const RestoreOptions& options, Findings& findings,
                             std::vector<std::string>& warnings) {
  SLUICE_ASSIGN_OR_RETURN(
      const Result result,
      target.Exec("SELECT v.name, v.version, e.default_version"
                  " FROM pg_catalog.pg_available_extension_versions v"
                  " JOIN pg_catalog.pg_available_extensions e USING (name)"));
  std::set<std::pair<std::string, std::string>> available;
  std::map<std::string, std::string> defaults;
  for (int row = 0; row < result.rows(); ++row) {
    available.emplace(result.Text(row, 0), result.Text(row, 1));
    defaults[result.Text(row, 0)] = result.Text(row, 2);
  }
  std::vector<std::string> missing;
  bool other_versions = false;
  for (const PayloadExtension& extension : head.extensions) {
    const std::string named =
        absl::StrCat(extension.name, " ", extension.version);
    const auto here = defaults.find(extension.name);
    const bool exact = available.count({extension.name, extension.version}) > 0;
    if (here == defaults.end() || (!exact && !options.any_extension_version)) {
      other_versions |= here != defaults.end();
      missing.push_back(
          here == defaults.end()
              ? named
              : absl::StrCat(named, " (here ", here->second, ")"));
    } else if (here->second != extension.version) {
      warnings.push_back(absl::StrCat("extension ", named,
                                      " comes back in this server's default "
                                      "version, ",
                                      here->second));
    }
  }
  AddMissing("extensions", missing,
             other_versions
                 ? "install the extensions' packages, in these versions, or "
                   "take the versions that are here: "
                   "extension_version=available"
                 : "install the extensions' packages, in these versions",
             findings);
  return absl::OkStatus();
}

absl::Status CheckCollations(Connection& target, const PayloadHead& head,
                             const RestoreOptions& options,
                             Findings& findings) {
  if (options.any_collation || head.collations.empty()) return absl::OkStatus();
  SLUICE_ASSIGN_OR_RETURN(
      const Result result,
      target.Exec("SELECT n.nspname, c.collname,"
                  " pg_catalog.pg_collation_actual_version(c.oid)"
                  " FROM pg_catalog.pg_collation c"
                  " JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace"
                  " WHERE n.nspname = 'pg_catalog'"));
  std::map<std::pair<std::string, std::string>, std::string> present;
  for (int row = 0; row < result.rows(); ++row) {
    present[{result.Text(row, 0), result.Text(row, 1)}] = result.Text(row, 2);
  }
  std::vector<std::string> differing;
  for (const PayloadCollation& collation : head.collations) {
    const auto found = present.find({collation.schema, collation.name});
    // One of a user's own is created with the rest.
    if (found == present.end() && collation.schema != "pg_catalog") continue;
    const std::string here = found == present.end() ? "none" : found->second;
    if (here == collation.version) continue;
    differing.push_back(absl::StrCat(collation.name, " (version ",
                                     collation.version, ", here ", here, ")"));
  }
  AddMissing("collations", differing,
             "restore with any_collation=1 if text may sort otherwise here",
             findings);
  return absl::OkStatus();
}

absl::Status CheckDatabase(Connection& target, const PayloadHead& head,
                           Findings& findings,
                           std::vector<std::string>& warnings) {
  if (target.server_version() / 10'000 < head.server_version / 10'000) {
    findings.missing.push_back(absl::StrCat(
        "a server of version ", head.server_version / 10'000,
        " or later (this is ", target.server_version() / 10'000, ")"));
    findings.hints.push_back("restore into a newer server");
  }
  SLUICE_ASSIGN_OR_RETURN(const bool empty, IsEmptyDatabase(target));
  if (!empty) {
    findings.missing.push_back("a database without any object of a user's");
    findings.hints.push_back("create an empty one (createdb -T template0)");
  }
  SLUICE_ASSIGN_OR_RETURN(const PayloadDatabase here,
                          ReadDatabaseProperties(target));
  const PayloadDatabase& there = head.database;
  const auto compare = [&](absl::string_view what, const std::string& theirs,
                           const std::string& ours) {
    if (theirs == ours) return;
    warnings.push_back(absl::StrCat("the database's ", what, " was ", theirs,
                                    ", here it is ", ours));
  };
  compare("encoding", there.encoding, here.encoding);
  compare("locale provider", there.locale_provider, here.locale_provider);
  compare("collation", there.collate, here.collate);
  compare("character type", there.ctype, here.ctype);
  compare("provider's locale", there.icu_locale, here.icu_locale);
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckTarget(Connection& target, const PayloadHead& head,
                         const RestoreOptions& options,
                         std::vector<std::string>& warnings) {
  Findings findings;
  SLUICE_RETURN_IF_ERROR(CheckDatabase(target, head, findings, warnings));
  if (!options.in_place) {
    SLUICE_RETURN_IF_ERROR(CheckSessions(target, findings));
  }
  SLUICE_RETURN_IF_ERROR(CheckRights(target, head, options, findings));
  SLUICE_RETURN_IF_ERROR(CheckRoles(target, head, options, findings));
  SLUICE_RETURN_IF_ERROR(CheckTablespaces(target, head, findings));
  SLUICE_RETURN_IF_ERROR(
      CheckExtensions(target, head, options, findings, warnings));
  SLUICE_RETURN_IF_ERROR(CheckCollations(target, head, options, findings));
  if (findings.missing.empty()) return absl::OkStatus();
  const bool rights_alone = findings.rights == findings.missing.size();
  return WithHint(
      MakeError(
          rights_alone ? absl::StatusCode::kPermissionDenied
                       : absl::StatusCode::kFailedPrecondition,
          rights_alone ? kSourcePermissionDenied : kRestorePreconditionFailed,
          absl::StrCat("the archive needs what is not here: ",
                       absl::StrJoin(findings.missing, "; "))),
      absl::StrJoin(findings.hints, "; "));
}

}  // namespace sluice::postgres
