#include "sluice/plugins/postgres/backup/head_reader.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/postgres/client/quote.h"
#include "sluice/plugins/postgres/database/database_properties.h"

namespace sluice::postgres {
namespace {

constexpr int kSequencesPerQuery = 100;

// Roles that own something, have a right on it or a policy for it, or have
// settings here. The role of initdb is in no pg_shdepend, so it is looked for:
// as the owner of anything that is dumped by itself (not an extension's, not
// what comes with another object), in rights on what others own, and wherever a
// statement of pg_dump names a role.
constexpr absl::string_view kRolesSql = R"(
WITH here AS (
  SELECT oid, datdba FROM pg_catalog.pg_database
  WHERE datname = pg_catalog.current_database()
), owned (class, oid, owner, acl) AS (
  SELECT 'pg_class'::regclass, oid, relowner, relacl FROM pg_catalog.pg_class
  UNION ALL SELECT 'pg_proc', oid, proowner, proacl FROM pg_catalog.pg_proc
  UNION ALL SELECT 'pg_type', oid, typowner, typacl FROM pg_catalog.pg_type
  UNION ALL
  SELECT 'pg_namespace', oid, nspowner, nspacl FROM pg_catalog.pg_namespace
  UNION ALL
  SELECT 'pg_language', oid, lanowner, lanacl FROM pg_catalog.pg_language
  UNION ALL
  SELECT 'pg_foreign_data_wrapper', oid, fdwowner, fdwacl
  FROM pg_catalog.pg_foreign_data_wrapper
  UNION ALL
  SELECT 'pg_foreign_server', oid, srvowner, srvacl
  FROM pg_catalog.pg_foreign_server
  UNION ALL
  SELECT 'pg_largeobject', oid, lomowner, lomacl
  FROM pg_catalog.pg_largeobject_metadata
  UNION ALL
  SELECT 'pg_publication', oid, pubowner, NULL FROM pg_catalog.pg_publication
  UNION ALL
  SELECT 'pg_event_trigger', oid, evtowner, NULL
  FROM pg_catalog.pg_event_trigger
  UNION ALL
  SELECT 'pg_collation', oid, collowner, NULL FROM pg_catalog.pg_collation
  UNION ALL
  SELECT 'pg_conversion', oid, conowner, NULL FROM pg_catalog.pg_conversion
  UNION ALL
  SELECT 'pg_operator', oid, oprowner, NULL FROM pg_catalog.pg_operator
  UNION ALL
  SELECT 'pg_opclass', oid, opcowner, NULL FROM pg_catalog.pg_opclass
  UNION ALL
  SELECT 'pg_opfamily', oid, opfowner, NULL FROM pg_catalog.pg_opfamily
  UNION ALL
  SELECT 'pg_statistic_ext', oid, stxowner, NULL
  FROM pg_catalog.pg_statistic_ext
  UNION ALL
  SELECT 'pg_ts_config', oid, cfgowner, NULL FROM pg_catalog.pg_ts_config
  UNION ALL
  SELECT 'pg_ts_dict', oid, dictowner, NULL FROM pg_catalog.pg_ts_dict
), rights (owner, acl) AS (
  SELECT owner, acl FROM owned WHERE acl IS NOT NULL
  UNION ALL
  SELECT c.relowner, a.attacl FROM pg_catalog.pg_attribute a
  JOIN pg_catalog.pg_class c ON c.oid = a.attrelid WHERE a.attacl IS NOT NULL
  UNION ALL
  SELECT defaclrole, defaclacl FROM pg_catalog.pg_default_acl
), needed AS (
  SELECT d.refobjid AS oid FROM pg_catalog.pg_shdepend d, here
  WHERE d.refclassid = 'pg_catalog.pg_authid'::regclass
    AND (d.dbid = here.oid
         OR d.classid = 'pg_catalog.pg_database'::regclass
            AND d.objid = here.oid)
  UNION SELECT datdba FROM here
  UNION SELECT s.setrole FROM pg_catalog.pg_db_role_setting s, here
  WHERE s.setdatabase = here.oid AND s.setrole <> 0
  UNION SELECT 10 WHERE EXISTS (
    SELECT FROM owned o
    WHERE o.owner = 10
      AND (o.oid >= 16384 OR o.class = 'pg_largeobject'::regclass)
      AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend d
        WHERE d.classid = o.class AND d.objid = o.oid AND d.objsubid = 0
          AND d.deptype IN ('e', 'i'))
    UNION ALL
    SELECT FROM rights, LATERAL pg_catalog.aclexplode(acl) e
    WHERE owner <> 10 AND (e.grantee = 10 OR e.grantor = 10)
    UNION ALL
    SELECT FROM pg_catalog.pg_default_acl WHERE defaclrole = 10
    UNION ALL
    SELECT FROM pg_catalog.pg_policy WHERE 10::oid = ANY (polroles)
    UNION ALL
    SELECT FROM pg_catalog.pg_user_mappings WHERE umuser = 10
    UNION ALL
    SELECT FROM pg_catalog.pg_subscription s, here
    WHERE s.subdbid = here.oid AND s.subowner = 10)
)
SELECT r.rolname, r.rolsuper, r.rolinherit, r.rolcreaterole, r.rolcreatedb,
       r.rolcanlogin, r.rolreplication, r.rolbypassrls, r.rolconnlimit, r.oid
FROM needed JOIN pg_catalog.pg_roles r USING (oid)
WHERE r.rolname NOT LIKE 'pg\_%'
ORDER BY r.rolname)";

constexpr absl::string_view kMembershipsSql = R"(
SELECT m.rolname, g.rolname
FROM pg_catalog.pg_auth_members a
JOIN pg_catalog.pg_roles m ON m.oid = a.member
JOIN pg_catalog.pg_roles g ON g.oid = a.roleid
ORDER BY 1, 2)";

constexpr absl::string_view kExtensionsSql =
    "SELECT extname, extversion FROM pg_catalog.pg_extension ORDER BY 1";

constexpr absl::string_view kTablespacesSql = R"(
SELECT DISTINCT t.spcname
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_tablespace t ON t.oid = c.reltablespace
WHERE c.oid >= 16384 AND c.relpersistence <> 't' ORDER BY 1)";

// Columns of indexes are attributes as well.
constexpr absl::string_view kCollationsSql = R"(
SELECT n.nspname, c.collname, c.collversion
FROM pg_catalog.pg_collation c
JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace
WHERE c.collversion IS NOT NULL AND EXISTS (
  SELECT FROM pg_catalog.pg_attribute a
  WHERE a.attcollation = c.oid AND a.attrelid >= 16384)
ORDER BY 1, 2)";

constexpr absl::string_view kViewsSql = R"(
SELECT n.nspname, c.relname
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'm' AND c.relispopulated AND c.oid >= 16384
  AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_depend d
    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid
      AND d.deptype = 'e')
ORDER BY c.oid)";

// Unlogged ones of a server in recovery cannot be read.
constexpr absl::string_view kSequencesSql = R"(
SELECT n.nspname, c.relname, c.oid,
       c.relpersistence = 'u' AND pg_catalog.pg_is_in_recovery()
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_depend d
  ON d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid
  AND d.objsubid = 0 AND d.deptype = 'e'
LEFT JOIN pg_catalog.pg_extension e
  ON e.oid = d.refobjid AND c.oid = ANY (e.extconfig)
WHERE c.relkind = 'S' AND c.relpersistence <> 't' AND c.oid >= 16384
  AND (d.objid IS NULL OR e.oid IS NOT NULL)
ORDER BY c.oid)";

absl::Status ReadRoles(Connection& connection, PayloadHead& head) {
  SLUICE_ASSIGN_OR_RETURN(const Result rows, connection.Exec(kRolesSql));
  for (int row = 0; row < rows.rows(); ++row) {
    PayloadRole role;
    role.name = rows.Text(row, 0);
    role.superuser = rows.Bool(row, 1);
    role.inherit = rows.Bool(row, 2);
    role.create_role = rows.Bool(row, 3);
    role.create_database = rows.Bool(row, 4);
    role.login = rows.Bool(row, 5);
    role.replication = rows.Bool(row, 6);
    role.bypass_rls = rows.Bool(row, 7);
    role.connection_limit = rows.Integer(row, 8);
    head.roles.push_back(std::move(role));
  }
  SLUICE_ASSIGN_OR_RETURN(const Result members,
                          connection.Exec(kMembershipsSql));
  for (int row = 0; row < members.rows(); ++row) {
    const auto role = std::find_if(head.roles.begin(), head.roles.end(),
                                   [&](const PayloadRole& known) {
                                     return known.name == members.Get(row, 0);
                                   });
    if (role != head.roles.end()) {
      role->member_of.push_back(members.Text(row, 1));
    }
  }
  return absl::OkStatus();
}

// A sequence, and where its state goes.
struct SequenceRead {
  int64_t oid;
  PayloadSequence* state;
};

absl::Status Renamed() {
  return WithRetryable(
      MakeError(absl::StatusCode::kAborted, kSourceFailed,
                "a sequence was dropped or renamed while it was read"),
      true);
}

// By number, what has been called; the others go into `uncalled`.
absl::Status ReadCalled(Connection& connection,
                        absl::Span<const SequenceRead> batch,
                        std::vector<SequenceRead>& uncalled) {
  const std::string oids = absl::StrJoin(
      batch, ",", [](std::string* out, const SequenceRead& sequence) {
        absl::StrAppend(out, sequence.oid);
      });
  SLUICE_ASSIGN_OR_RETURN(
      const Result values,
      connection.Exec(absl::StrCat(
          "SELECT pg_catalog.pg_sequence_last_value(s.oid) FROM unnest('{",
          oids,
          "}'::pg_catalog.oid[]) WITH ORDINALITY AS s (oid, n) "
          "ORDER BY s.n")));
  if (static_cast<size_t>(values.rows()) != batch.size()) return Renamed();
  for (int row = 0; row < values.rows(); ++row) {
    const SequenceRead& sequence = batch[static_cast<size_t>(row)];
    if (values.IsNull(row, 0)) {
      uncalled.push_back(sequence);
    } else {
      sequence.state->last_value = values.Integer(row, 0);
      sequence.state->is_called = true;
    }
  }
  return absl::OkStatus();
}

// By name, for want of another way; another's value is told by its number.
absl::Status ReadUncalled(Connection& connection,
                          const std::vector<SequenceRead>& batch) {
  if (batch.empty()) return absl::OkStatus();
  std::string sql;
  for (size_t i = 0; i < batch.size(); ++i) {
    absl::StrAppend(
        &sql, sql.empty() ? "" : " UNION ALL ", "SELECT ", i,
        ", last_value, is_called, tableoid FROM ",
        QuoteQualified(batch[i].state->schema, batch[i].state->name));
  }
  SLUICE_ASSIGN_OR_RETURN(const Result values, connection.Exec(sql));
  size_t right = 0;
  for (int row = 0; row < values.rows(); ++row) {
    const SequenceRead& sequence =
        batch[static_cast<size_t>(values.Integer(row, 0))];
    if (values.Integer(row, 3) != sequence.oid) continue;
    ++right;
    sequence.state->last_value = values.Integer(row, 1);
    sequence.state->is_called = values.Bool(row, 2);
  }
  return right == batch.size() ? absl::OkStatus() : Renamed();
}

// In a transaction of its own, which ends: to read a sequence locks it until
// then, against ALTER SEQUENCE, too.
absl::Status ReadStates(Connection& connection,
                        absl::Span<const SequenceRead> batch) {
  SLUICE_RETURN_IF_ERROR(
      connection.Begin("ISOLATION LEVEL READ COMMITTED, READ ONLY"));
  std::vector<SequenceRead> uncalled;
  absl::Status status = ReadCalled(connection, batch, uncalled);
  if (status.ok()) status = ReadUncalled(connection, uncalled);
  const absl::Status ended = connection.Exec("ROLLBACK").status();
  return status.ok() ? ended : status;
}

}  // namespace

absl::StatusOr<PayloadHead> ReadHead(Connection& connection) {
  PayloadHead head;
  head.server_version = connection.server_version();
  SLUICE_ASSIGN_OR_RETURN(head.database, ReadDatabaseProperties(connection));
  SLUICE_RETURN_IF_ERROR(ReadRoles(connection, head));
  SLUICE_ASSIGN_OR_RETURN(const Result extensions,
                          connection.Exec(kExtensionsSql));
  for (int row = 0; row < extensions.rows(); ++row) {
    head.extensions.push_back(
        {extensions.Text(row, 0), extensions.Text(row, 1)});
  }
  SLUICE_ASSIGN_OR_RETURN(const Result tablespaces,
                          connection.Exec(kTablespacesSql));
  for (int row = 0; row < tablespaces.rows(); ++row) {
    head.tablespaces.push_back(tablespaces.Text(row, 0));
  }
  SLUICE_ASSIGN_OR_RETURN(const Result collations,
                          connection.Exec(kCollationsSql));
  for (int row = 0; row < collations.rows(); ++row) {
    head.collations.push_back({collations.Text(row, 0), collations.Text(row, 1),
                               collations.Text(row, 2)});
  }
  SLUICE_ASSIGN_OR_RETURN(const Result views, connection.Exec(kViewsSql));
  for (int row = 0; row < views.rows(); ++row) {
    head.materialized_views.push_back({views.Text(row, 0), views.Text(row, 1)});
  }
  return head;
}

absl::StatusOr<std::vector<PayloadSequence>> ReadSequences(
    Connection& snapshot, Connection& other,
    std::vector<std::string>* left_out) {
  SLUICE_ASSIGN_OR_RETURN(const Result rows, snapshot.Exec(kSequencesSql));
  std::vector<PayloadSequence> sequences;
  sequences.reserve(rows.rows());  // what is pointed at stays where it is
  std::vector<SequenceRead> reads;
  for (int row = 0; row < rows.rows(); ++row) {
    PayloadSequence sequence{rows.Text(row, 0), rows.Text(row, 1), 0, false};
    if (rows.Bool(row, 3)) {
      left_out->push_back(QuoteQualified(sequence.schema, sequence.name));
      continue;
    }
    sequences.push_back(std::move(sequence));
    reads.push_back({rows.Integer(row, 2), &sequences.back()});
  }
  for (absl::Span<const SequenceRead> left = reads; !left.empty();) {
    const auto batch = left.subspan(0, kSequencesPerQuery);
    SLUICE_RETURN_IF_ERROR(ReadStates(other, batch));
    left.remove_prefix(batch.size());
  }
  return sequences;
}

absl::StatusOr<std::string> ReadOwnStoreId(Connection& connection) {
  SLUICE_ASSIGN_OR_RETURN(
      const Result ids,
      connection.Exec(absl::StrCat(
          "SELECT substr(c.setting, strpos(c.setting, '=') + 1)"
          " FROM pg_catalog.pg_db_role_setting s"
          " JOIN pg_catalog.pg_database d ON d.oid = s.setdatabase"
          " CROSS JOIN LATERAL unnest(s.setconfig) AS c (setting)"
          " WHERE d.datname = pg_catalog.current_database()"
          " AND s.setrole = 0 AND split_part(c.setting, '=', 1) = ",
          QuoteLiteral(kStoreIdSetting))));
  return ids.rows() > 0 ? ids.Text(0, 0) : std::string();
}

absl::StatusOr<std::string> ReadStoreId(Connection& connection) {
  SLUICE_ASSIGN_OR_RETURN(std::string own, ReadOwnStoreId(connection));
  if (!own.empty()) return own;
  SLUICE_ASSIGN_OR_RETURN(
      const Result ids,
      connection.Exec("SELECT s.system_identifier, d.oid"
                      " FROM pg_catalog.pg_control_system() s,"
                      " pg_catalog.pg_database d"
                      " WHERE d.datname = pg_catalog.current_database()"));
  return absl::StrCat("pg-", ids.Get(0, 0), "-", ids.Get(0, 1));
}

}  // namespace sluice::postgres
