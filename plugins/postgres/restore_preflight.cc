#include "sluice/plugins/postgres/restore_preflight.h"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/postgres/database_properties.h"
#include "sluice/plugins/postgres/role_map.h"

namespace sluice::postgres {
namespace {

// Of a long list the first are named.
constexpr size_t kMaxNamed = 20;

struct Findings {
  std::vector<std::string> missing;  // in words
  std::vector<std::string> hints;
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

absl::Status CheckTablespaces(Connection& target, const PayloadHead& head,
                              Findings& findings) {
  SLUICE_ASSIGN_OR_RETURN(
      const std::set<std::string> present,
      FirstColumn(target, "SELECT spcname FROM pg_catalog.pg_tablespace"));
  std::vector<std::string> missing;
  for (const std::string& name : head.tablespaces) {
    if (present.count(name) == 0) missing.push_back(name);
  }
  AddMissing("tablespaces", missing,
             "create the tablespaces (CREATE TABLESPACE)", findings);
  return absl::OkStatus();
}

absl::Status CheckExtensions(Connection& target, const PayloadHead& head,
                             Findings& findings,
                             std::vector<std::string>& warnings) {
  SLUICE_ASSIGN_OR_RETURN(
      const Result result,
      target.Exec("SELECT v.name, v.version, v.version = e.default_version"
                  " FROM pg_catalog.pg_available_extension_versions v"
                  " JOIN pg_catalog.pg_available_extensions e USING (name)"));
  std::map<std::pair<std::string, std::string>, bool> available;
  for (int row = 0; row < result.rows(); ++row) {
    available[{result.Text(row, 0), result.Text(row, 1)}] = result.Bool(row, 2);
  }
  std::vector<std::string> missing;
  for (const PayloadExtension& extension : head.extensions) {
    const auto found = available.find({extension.name, extension.version});
    const std::string named =
        absl::StrCat(extension.name, " ", extension.version);
    if (found == available.end()) {
      missing.push_back(named);
    } else if (!found->second) {
      warnings.push_back(absl::StrCat("extension ", named,
                                      " comes back in this server's default "
                                      "version"));
    }
  }
  AddMissing("extensions", missing,
             "install the extensions' packages, in these versions", findings);
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
  compare("ICU locale", there.icu_locale, here.icu_locale);
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckTarget(Connection& target, const PayloadHead& head,
                         const RestoreOptions& options,
                         std::vector<std::string>& warnings) {
  Findings findings;
  SLUICE_RETURN_IF_ERROR(CheckDatabase(target, head, findings, warnings));
  SLUICE_RETURN_IF_ERROR(CheckRoles(target, head, options, findings));
  SLUICE_RETURN_IF_ERROR(CheckTablespaces(target, head, findings));
  SLUICE_RETURN_IF_ERROR(CheckExtensions(target, head, findings, warnings));
  SLUICE_RETURN_IF_ERROR(CheckCollations(target, head, options, findings));
  if (findings.missing.empty()) return absl::OkStatus();
  return WithHint(
      MakeError(absl::StatusCode::kFailedPrecondition,
                kRestorePreconditionFailed,
                absl::StrCat("the archive needs what is not here: ",
                             absl::StrJoin(findings.missing, "; "))),
      absl::StrJoin(findings.hints, "; "));
}

}  // namespace sluice::postgres
