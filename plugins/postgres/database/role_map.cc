#include "sluice/plugins/postgres/database/role_map.h"

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/postgres/client/quote.h"

namespace sluice::postgres {
namespace {

constexpr absl::string_view kComment = "placeholder of sluice-restore-";

// $R: the placeholder's oid; $T: the role in its place, quoted as a name; $L:
// the same as text. Each query gives statements in the order to run them.
//
// Rights that it holds or has granted. DROP OWNED takes with it what others
// hold from it, so that is granted again by its successor.
constexpr absl::string_view kGrants = R"(
WITH acls (kind, name, columns, acl) AS (
  SELECT CASE relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END,
         format('%I.%I', nspname, relname), '', relacl
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = relnamespace
  UNION ALL
  SELECT 'TABLE', format('%I.%I', nspname, relname), format(' (%I)', attname),
         attacl
  FROM pg_catalog.pg_attribute a
  JOIN pg_catalog.pg_class c ON c.oid = attrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = relnamespace
  WHERE NOT attisdropped
  UNION ALL
  SELECT 'ROUTINE', p.oid::pg_catalog.regprocedure::text, '', proacl
  FROM pg_catalog.pg_proc p
  UNION ALL
  SELECT 'SCHEMA', quote_ident(nspname), '', nspacl
  FROM pg_catalog.pg_namespace
  UNION ALL
  SELECT 'TYPE', pg_catalog.format_type(t.oid, NULL), '', typacl
  FROM pg_catalog.pg_type t
  UNION ALL
  SELECT 'LANGUAGE', quote_ident(lanname), '', lanacl
  FROM pg_catalog.pg_language
  UNION ALL
  SELECT 'FOREIGN DATA WRAPPER', quote_ident(fdwname), '', fdwacl
  FROM pg_catalog.pg_foreign_data_wrapper
  UNION ALL
  SELECT 'FOREIGN SERVER', quote_ident(srvname), '', srvacl
  FROM pg_catalog.pg_foreign_server
  UNION ALL
  SELECT 'LARGE OBJECT', m.oid::text, '', lomacl
  FROM pg_catalog.pg_largeobject_metadata m
)
SELECT format('%sGRANT %s%s ON %s %s TO %s%s; RESET SESSION AUTHORIZATION',
  CASE e.grantor WHEN $R THEN 'SET SESSION AUTHORIZATION $T; ' ELSE '' END,
  e.privilege, columns, kind, name,
  CASE e.grantee WHEN 0 THEN 'PUBLIC' WHEN $R THEN '$T'
    ELSE quote_ident(pg_catalog.pg_get_userbyid(e.grantee)) END,
  CASE WHEN e.grantable THEN ' WITH GRANT OPTION' ELSE '' END)
FROM acls, LATERAL pg_catalog.aclexplode(acl) WITH ORDINALITY
  AS e (grantor, grantee, privilege, grantable, n)
WHERE e.grantor = $R OR e.grantee = $R
ORDER BY e.grantor = $R, kind, name, columns, e.n)";

constexpr absl::string_view kPolicies = R"(
SELECT format('ALTER POLICY %I ON %I.%I TO %s', polname, nspname, relname,
  (SELECT string_agg(CASE r WHEN 0 THEN 'PUBLIC' WHEN $R THEN '$T'
     ELSE quote_ident(pg_catalog.pg_get_userbyid(r)) END, ', ')
   FROM unnest(polroles) r))
FROM pg_catalog.pg_policy p
JOIN pg_catalog.pg_class c ON c.oid = polrelid
JOIN pg_catalog.pg_namespace n ON n.oid = relnamespace
WHERE $R::oid = ANY (polroles))";

// Those without a schema say all that holds, so they begin from nothing.
constexpr absl::string_view kDefaults = R"(
WITH d AS (
  SELECT oid, format('ALTER DEFAULT PRIVILEGES FOR ROLE %s%s',
      CASE defaclrole WHEN $R THEN '$T'
        ELSE quote_ident(pg_catalog.pg_get_userbyid(defaclrole)) END,
      CASE defaclnamespace WHEN 0 THEN '' ELSE ' IN SCHEMA ' ||
        defaclnamespace::pg_catalog.regnamespace::text END) AS head,
    CASE defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES'
      WHEN 'f' THEN 'ROUTINES' WHEN 'T' THEN 'TYPES' ELSE 'SCHEMAS' END AS kind,
    defaclrole, defaclnamespace, defaclacl
  FROM pg_catalog.pg_default_acl
)
SELECT s FROM (
  SELECT oid, 0 AS n, format('%s REVOKE ALL ON %s FROM PUBLIC, $T', head, kind)
  FROM d WHERE defaclrole = $R AND defaclnamespace = 0
  UNION ALL
  SELECT oid, e.n, format('%s GRANT %s ON %s TO %s%s', head, e.privilege, kind,
    CASE e.grantee WHEN 0 THEN 'PUBLIC' WHEN $R THEN '$T'
      ELSE quote_ident(pg_catalog.pg_get_userbyid(e.grantee)) END,
    CASE WHEN e.grantable THEN ' WITH GRANT OPTION' ELSE '' END)
  FROM d, LATERAL pg_catalog.aclexplode(defaclacl) WITH ORDINALITY
    AS e (grantor, grantee, privilege, grantable, n)
  WHERE defaclrole = $R OR e.grantee = $R
) x (oid, n, s) ORDER BY oid, n)";

constexpr absl::string_view kUserMappings = R"(
SELECT format('CREATE USER MAPPING FOR $T SERVER %I%s', srvname,
  (SELECT format(' OPTIONS (%s)', string_agg(format('%I %L',
     split_part(o, '=', 1), substr(o, strpos(o, '=') + 1)), ', '))
   FROM unnest(umoptions) o HAVING count(*) > 0))
FROM pg_catalog.pg_user_mapping u
JOIN pg_catalog.pg_foreign_server s ON s.oid = umserver
WHERE umuser = $R)";

std::string Fill(absl::string_view sql, const std::string& oid,
                 const std::string& successor) {
  // Within quotes of SQL text, so those of the name are doubled.
  return absl::StrReplaceAll(
      sql, {{"$R", oid},
            {"$T", absl::StrReplaceAll(QuoteIdentifier(successor),
                                       {{"'", "''"}, {"%", "%%"}})}});
}

// The statements that `sql` gives, read before any of them runs.
absl::StatusOr<std::vector<std::string>> Statements(Connection& connection,
                                                    const std::string& sql) {
  SLUICE_ASSIGN_OR_RETURN(const Result result, connection.Exec(sql));
  std::vector<std::string> statements;
  statements.reserve(result.rows());
  for (int row = 0; row < result.rows(); ++row) {
    statements.push_back(result.Text(row, 0));
  }
  return statements;
}

absl::Status HandOn(Connection& restored, const std::string& role,
                    const std::string& successor) {
  SLUICE_ASSIGN_OR_RETURN(
      const Result found,
      restored.ExecParams("SELECT oid FROM pg_catalog.pg_roles"
                          " WHERE rolname = $1",
                          {Param(role)}));
  if (found.rows() != 1) {
    return MakeError(absl::StatusCode::kAborted, kSourceFailed,
                     "the placeholder is gone");
  }
  const std::string oid = found.Text(0, 0);
  const std::string name = QuoteIdentifier(role);
  SLUICE_RETURN_IF_ERROR(
      restored
          .Exec(absl::StrCat("REASSIGN OWNED BY ", name, " TO ",
                             QuoteIdentifier(successor)))
          .status());
  for (const absl::string_view query :
       {kGrants, kPolicies, kDefaults, kUserMappings}) {
    SLUICE_ASSIGN_OR_RETURN(const std::vector<std::string> statements,
                            Statements(restored, Fill(query, oid, successor)));
    for (const std::string& statement : statements) {
      SLUICE_RETURN_IF_ERROR(restored.Exec(statement).status());
    }
  }
  return restored.Exec(absl::StrCat("DROP OWNED BY ", name)).status();
}

}  // namespace

absl::StatusOr<RoleMap> ParseRoleMap(absl::string_view text) {
  RoleMap roles;
  if (text.empty()) return roles;
  for (const absl::string_view pair : absl::StrSplit(text, ',')) {
    const std::vector<std::string> names = absl::StrSplit(pair, ':');
    if (names.size() != 2 || names[0].empty() || names[1].empty() ||
        !roles.emplace(names[0], names[1]).second) {
      return WithHint(
          MakeError(absl::StatusCode::kInvalidArgument, kSourceConfigInvalid,
                    absl::StrCat("role_map: ", pair)),
          "give it as OLD:NEW,OLD:NEW, each OLD once");
    }
  }
  return roles;
}

std::string MappedRole(const RoleMap& roles, const std::string& role) {
  const auto found = roles.find(role);
  return found == roles.end() ? role : found->second;
}

absl::Status CreatePlaceholders(Connection& admin, const RoleMap& roles,
                                absl::string_view target_oid) {
  for (const auto& [role, successor] : roles) {
    const std::string name = QuoteIdentifier(role);
    SLUICE_RETURN_IF_ERROR(
        admin
            .Exec(absl::StrCat("CREATE ROLE ", name, "; COMMENT ON ROLE ", name,
                               " IS '", kComment, target_oid, "'"))
            .status());
  }
  return absl::OkStatus();
}

absl::Status DropPlaceholders(Connection& admin, absl::string_view target_oid) {
  SLUICE_ASSIGN_OR_RETURN(
      const std::vector<std::string> statements,
      Statements(admin,
                 absl::StrCat("SELECT format('DROP ROLE %I', rolname)"
                              " FROM pg_catalog.pg_roles WHERE"
                              " pg_catalog.shobj_description(oid, 'pg_authid')"
                              " = '",
                              kComment, target_oid, "'")));
  for (const std::string& statement : statements) {
    SLUICE_RETURN_IF_ERROR(admin.Exec(statement).status());
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> TargetsWithPlaceholders(
    Connection& admin) {
  return Statements(
      admin,
      absl::StrCat("SELECT DISTINCT substr(description, ", kComment.size() + 1,
                   ") FROM pg_catalog.pg_shdescription WHERE classoid ="
                   " 'pg_catalog.pg_authid'::pg_catalog.regclass AND"
                   " description ~ '^",
                   kComment, "[0-9]{1,10}$'"));
}

absl::Status HandOnRoles(Connection& restored, const RoleMap& roles) {
  for (const auto& [role, successor] : roles) {
    const absl::Status status = HandOn(restored, role, successor);
    if (!status.ok()) {
      return Annotate(status, absl::StrCat("hand on what belonged to role ",
                                           role, " to ", successor));
    }
  }
  return absl::OkStatus();
}

}  // namespace sluice::postgres
