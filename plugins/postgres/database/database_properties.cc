#include "sluice/plugins/postgres/database/database_properties.h"

#include <array>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/postgres/client/quote.h"
#include "sluice/plugins/postgres/client/sql_error.h"

namespace sluice::postgres {
namespace {

// Objects of these catalogs that initdb did not make are a user's. 16384 is
// FirstNormalObjectId.
constexpr absl::string_view kCount = R"(
SELECT count(*) FROM (
  SELECT FROM pg_catalog.pg_namespace WHERE oid >= 16384
    AND nspname NOT LIKE 'pg\_temp\_%' AND nspname NOT LIKE 'pg\_toast\_temp\_%'
  UNION ALL
  SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n
    ON n.oid = c.relnamespace WHERE c.oid >= 16384
    AND nspname NOT LIKE 'pg\_temp\_%' AND nspname NOT LIKE 'pg\_toast\_temp\_%'
  UNION ALL
  SELECT FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n
    ON n.oid = t.typnamespace WHERE t.oid >= 16384
    AND nspname NOT LIKE 'pg\_temp\_%' AND nspname NOT LIKE 'pg\_toast\_temp\_%'
  UNION ALL SELECT FROM pg_catalog.pg_proc WHERE oid >= 16384
  UNION ALL SELECT FROM pg_catalog.pg_operator WHERE oid >= 16384
  UNION ALL SELECT FROM pg_catalog.pg_opclass WHERE oid >= 16384
  UNION ALL SELECT FROM pg_catalog.pg_opfamily WHERE oid >= 16384
  UNION ALL SELECT FROM pg_catalog.pg_cast WHERE oid >= 16384
  UNION ALL SELECT FROM pg_catalog.pg_collation WHERE oid >= 16384
  UNION ALL SELECT FROM pg_catalog.pg_conversion WHERE oid >= 16384
  UNION ALL SELECT FROM pg_catalog.pg_am WHERE oid >= 16384
  UNION ALL SELECT FROM pg_catalog.pg_language WHERE oid >= 16384
  UNION ALL SELECT FROM pg_catalog.pg_ts_config WHERE oid >= 16384
  UNION ALL SELECT FROM pg_catalog.pg_ts_dict WHERE oid >= 16384
  UNION ALL SELECT FROM pg_catalog.pg_ts_parser WHERE oid >= 16384
  UNION ALL SELECT FROM pg_catalog.pg_ts_template WHERE oid >= 16384
  UNION ALL SELECT FROM pg_catalog.pg_transform
  UNION ALL SELECT FROM pg_catalog.pg_extension WHERE oid >= 16384
  UNION ALL SELECT FROM pg_catalog.pg_event_trigger
  UNION ALL SELECT FROM pg_catalog.pg_publication
  UNION ALL SELECT FROM pg_catalog.pg_foreign_data_wrapper
  UNION ALL SELECT FROM pg_catalog.pg_foreign_server
  UNION ALL SELECT FROM pg_catalog.pg_default_acl
  UNION ALL SELECT FROM pg_catalog.pg_largeobject_metadata
  UNION ALL SELECT FROM pg_catalog.pg_subscription s
    JOIN pg_catalog.pg_database d ON d.oid = s.subdbid
    WHERE d.datname = pg_catalog.current_database()) AS made)";

constexpr absl::string_view kSettingsSql = R"(
SELECT coalesce(r.rolname, ''), split_part(c.setting, '=', 1),
       substr(c.setting, strpos(c.setting, '=') + 1)
FROM pg_catalog.pg_db_role_setting s
JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase
LEFT JOIN pg_catalog.pg_roles r ON r.oid = s.setrole
CROSS JOIN LATERAL unnest(s.setconfig) WITH ORDINALITY AS c (setting, n)
WHERE d.datname = pg_catalog.current_database()
ORDER BY 1, c.n)";

constexpr absl::string_view kGrantsSql = R"(
SELECT pg_catalog.pg_get_userbyid(a.grantor),
       CASE a.grantee WHEN 0 THEN ''
            ELSE pg_catalog.pg_get_userbyid(a.grantee) END,
       a.privilege_type, a.is_grantable
FROM pg_catalog.pg_database d
CROSS JOIN LATERAL pg_catalog.aclexplode(d.datacl) WITH ORDINALITY AS a
     (grantor, grantee, privilege_type, is_grantable, n)
WHERE d.datname = pg_catalog.current_database()
ORDER BY a.n)";

// Their value is a list, which ALTER DATABASE SET takes element by element.
bool IsList(absl::string_view setting) {
  constexpr std::array<absl::string_view, 5> kLists = {
      "search_path", "temp_tablespaces", "local_preload_libraries",
      "session_preload_libraries", "shared_preload_libraries"};
  for (const absl::string_view list : kLists) {
    if (absl::EqualsIgnoreCase(setting, list)) return true;
  }
  return false;
}

absl::Status ApplySetting(Connection& connection, absl::string_view database,
                          const PayloadSetting& setting) {
  std::string sql =
      setting.role.empty()
          ? absl::StrCat("ALTER DATABASE ", QuoteIdentifier(database))
          : absl::StrCat("ALTER ROLE ", QuoteIdentifier(setting.role),
                         " IN DATABASE ", QuoteIdentifier(database));
  std::vector<std::string> values = {setting.value};
  if (IsList(setting.name)) {
    absl::optional<std::vector<std::string>> list =
        SplitSettingList(setting.value);
    if (list.has_value() && !list->empty()) values = *std::move(list);
  }
  absl::StrAppend(&sql, " SET ", QuoteIdentifier(setting.name), " = ",
                  absl::StrJoin(values, ", ",
                                [](std::string* out, const std::string& value) {
                                  out->append(QuoteLiteral(value));
                                }));
  return connection.Exec(sql).status();
}

// Whether the server heard the statement and did not want it; else it is gone,
// or has no room.
bool IsRefusal(const absl::Status& status) {
  const std::string state = SqlStateOf(status);
  return absl::StartsWith(state, "22") || absl::StartsWith(state, "42") ||
         absl::StartsWith(state, "0L") || absl::StartsWith(state, "0P");
}

absl::string_view ProviderOf(absl::string_view letter) {
  if (letter == "i") return "icu";
  if (letter == "b") return "builtin";
  return "libc";
}

}  // namespace

absl::StatusOr<uint64_t> CountDefinitions(Connection& connection) {
  SLUICE_ASSIGN_OR_RETURN(const Result result, connection.Exec(kCount));
  return static_cast<uint64_t>(result.Integer(0, 0));
}

absl::StatusOr<bool> IsEmptyDatabase(Connection& connection) {
  SLUICE_ASSIGN_OR_RETURN(const uint64_t count, CountDefinitions(connection));
  return count == 0;
}

// Columns that came with a version are NULL before it.
std::string DatabasePropertiesSql(int server_version) {
  const bool has_provider = server_version >= 150000;
  const absl::string_view locale =
      server_version >= 170000 ? "d.datlocale" : "d.daticulocale";
  return absl::StrCat(
      "SELECT d.datname, pg_catalog.pg_get_userbyid(d.datdba),"
      " pg_catalog.pg_encoding_to_char(d.encoding), d.datcollate, d.datctype,"
      " t.spcname, d.datconnlimit, d.datistemplate, d.datallowconn,"
      " d.datacl IS NULL,"
      " pg_catalog.shobj_description(d.oid, 'pg_database'), ",
      has_provider ? "d.datlocprovider" : "'c'", ", ",
      has_provider ? locale : "NULL", ", ",
      has_provider ? "d.datcollversion" : "NULL", ", ",
      server_version >= 160000 ? "d.daticurules" : "NULL",
      " FROM pg_catalog.pg_database d JOIN pg_catalog.pg_tablespace t"
      " ON t.oid = d.dattablespace"
      " WHERE d.datname = pg_catalog.current_database()");
}

absl::StatusOr<PayloadDatabase> ReadDatabaseProperties(Connection& connection) {
  SLUICE_ASSIGN_OR_RETURN(
      const Result row,
      connection.Exec(DatabasePropertiesSql(connection.server_version())));
  PayloadDatabase database;
  database.name = row.Text(0, 0);
  database.owner = row.Text(0, 1);
  database.encoding = row.Text(0, 2);
  database.collate = row.Text(0, 3);
  database.ctype = row.Text(0, 4);
  database.tablespace = row.Text(0, 5);
  database.connection_limit = row.Integer(0, 6);
  database.is_template = row.Bool(0, 7);
  database.allow_connections = row.Bool(0, 8);
  if (!row.Bool(0, 9)) database.grants.emplace();
  database.comment = row.Text(0, 10);
  database.locale_provider = std::string(ProviderOf(row.Get(0, 11)));
  database.icu_locale = row.Text(0, 12);
  database.collation_version = row.Text(0, 13);
  database.icu_rules = row.Text(0, 14);
  SLUICE_ASSIGN_OR_RETURN(const Result settings, connection.Exec(kSettingsSql));
  for (int i = 0; i < settings.rows(); ++i) {
    if (settings.Get(i, 1) == kStoreIdSetting) continue;
    database.settings.push_back(
        {settings.Text(i, 0), settings.Text(i, 1), settings.Text(i, 2)});
  }
  SLUICE_ASSIGN_OR_RETURN(const Result grants, connection.Exec(kGrantsSql));
  for (int i = 0; i < grants.rows(); ++i) {
    database.grants->push_back({grants.Text(i, 0), grants.Text(i, 1),
                                grants.Text(i, 2), grants.Bool(i, 3)});
  }
  return database;
}

std::string CreateDatabaseSql(absl::string_view name,
                              const PayloadDatabase& properties,
                              int server_version) {
  std::string sql = absl::StrCat(
      "CREATE DATABASE ", QuoteIdentifier(name),
      " TEMPLATE template0 ENCODING ", QuoteLiteral(properties.encoding),
      " LC_COLLATE ", QuoteLiteral(properties.collate), " LC_CTYPE ",
      QuoteLiteral(properties.ctype));
  // To name the one that is taken anyhow would need a right on it.
  if (properties.tablespace != "pg_default") {
    absl::StrAppend(&sql, " TABLESPACE ",
                    QuoteIdentifier(properties.tablespace));
  }
  if (server_version >= 150000) {
    absl::StrAppend(&sql, " LOCALE_PROVIDER ", properties.locale_provider);
    if (!properties.icu_locale.empty()) {
      absl::StrAppend(&sql,
                      properties.locale_provider == "builtin"
                          ? " BUILTIN_LOCALE "
                          : " ICU_LOCALE ",
                      QuoteLiteral(properties.icu_locale));
    }
    if (!properties.icu_rules.empty()) {
      absl::StrAppend(&sql, " ICU_RULES ", QuoteLiteral(properties.icu_rules));
    }
  }
  return sql;
}

absl::Status ApplyDatabaseProperties(
    Connection& connection, absl::string_view name,
    const PayloadDatabase& properties,
    absl::FunctionRef<void(absl::string_view word, absl::string_view message)>
        warn) {
  const std::string database = absl::StrCat("DATABASE ", QuoteIdentifier(name));
  std::string sql = absl::StrCat("ALTER ", database, " OWNER TO ",
                                 QuoteIdentifier(properties.owner), "; ");
  if (!properties.comment.empty()) {
    absl::StrAppend(&sql, "COMMENT ON ", database, " IS ",
                    QuoteLiteral(properties.comment), "; ");
  }
  absl::StrAppend(&sql, "ALTER ", database, " WITH CONNECTION LIMIT ",
                  properties.connection_limit, " IS_TEMPLATE ",
                  properties.is_template ? "true" : "false",
                  " ALLOW_CONNECTIONS ",
                  properties.allow_connections ? "true" : "false");
  SLUICE_RETURN_IF_ERROR(connection.Exec(sql).status());
  // All of them or none: it is one transaction.
  const absl::Status granted =
      connection.Exec(GrantSql(database, properties.owner, properties.grants))
          .status();
  if (!granted.ok() && !IsRefusal(granted)) return granted;
  if (!granted.ok()) {
    warn("rights_not_restored",
         absl::StrCat("the rights on the database are those of a new one: ",
                      granted.message()));
  }
  for (const PayloadSetting& setting : properties.settings) {
    const absl::Status applied = ApplySetting(connection, name, setting);
    if (applied.ok()) continue;
    if (!IsRefusal(applied)) return applied;
    warn("setting_not_restored",
         absl::StrCat("the database's setting ", setting.name,
                      setting.role.empty()
                          ? ""
                          : absl::StrCat(" for role ", setting.role),
                      " is not restored: ", applied.message()));
  }
  return absl::OkStatus();
}

// As the server splits it (SplitGUCList): an element is bare up to a comma, or
// in double quotes, which are doubled within.
absl::optional<std::vector<std::string>> SplitSettingList(
    absl::string_view value) {
  std::vector<std::string> elements;
  absl::string_view rest = absl::StripAsciiWhitespace(value);
  while (!rest.empty()) {
    std::string element;
    if (absl::ConsumePrefix(&rest, "\"")) {
      while (true) {
        const size_t quote = rest.find('"');
        if (quote == absl::string_view::npos) return absl::nullopt;
        absl::StrAppend(&element, rest.substr(0, quote));
        rest.remove_prefix(quote + 1);
        if (!absl::ConsumePrefix(&rest, "\"")) break;
        element.push_back('"');
      }
    } else {
      const absl::string_view bare = rest.substr(0, rest.find(','));
      rest.remove_prefix(bare.size());
      element = std::string(absl::StripAsciiWhitespace(bare));
      if (element.empty()) return absl::nullopt;
    }
    elements.push_back(std::move(element));
    rest = absl::StripLeadingAsciiWhitespace(rest);
    if (rest.empty()) break;
    if (!absl::ConsumePrefix(&rest, ",")) return absl::nullopt;
    rest = absl::StripLeadingAsciiWhitespace(rest);
    if (rest.empty()) return absl::nullopt;
  }
  return elements;
}

std::string GrantSql(absl::string_view object, absl::string_view owner,
                     const absl::optional<std::vector<PayloadGrant>>& grants) {
  if (!grants.has_value()) return "";
  std::string sql =
      absl::StrCat("REVOKE ALL ON ", object, " FROM PUBLIC; ", "REVOKE ALL ON ",
                   object, " FROM ", QuoteIdentifier(owner), "; ");
  for (const PayloadGrant& grant : *grants) {
    // What a superuser grants is the owner's grant.
    const bool other = grant.grantor != owner;
    if (other) {
      absl::StrAppend(&sql, "SET SESSION AUTHORIZATION ",
                      QuoteIdentifier(grant.grantor), "; ");
    }
    absl::StrAppend(
        &sql, "GRANT ", grant.privilege, " ON ", object, " TO ",
        grant.grantee.empty() ? "PUBLIC" : QuoteIdentifier(grant.grantee),
        grant.grantable ? " WITH GRANT OPTION; " : "; ");
    if (other) absl::StrAppend(&sql, "RESET SESSION AUTHORIZATION; ");
  }
  return sql;
}

}  // namespace sluice::postgres
