#include "sluice/plugins/postgres/backup/table_list.h"

#include <map>
#include <set>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/postgres/backup/type_catalog.h"
#include "sluice/plugins/postgres/client/quote.h"

namespace sluice::postgres {
namespace {

constexpr absl::string_view kIdentitiesSql = R"(
SELECT c.oid, c.relfilenode, n.nspname, c.relname
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't' AND c.oid >= 16384
ORDER BY c.oid)";

// pg_class.relam 2 is heap, built in. The condition of an extension's table
// begins with WHERE, as its author wrote it.
//
// Whoever owns a table or its schema decides what a query of it runs. Those who
// could run it anyhow are superusers and who logged in here. The owner of
// schema public is pg_database_owner since 15: that is the database's.
constexpr absl::string_view kTablesSql = R"(
WITH trusted AS (
  SELECT r.oid FROM pg_catalog.pg_roles r
  WHERE r.rolsuper OR r.rolname = session_user
), trusted_schema AS (
  SELECT n.oid FROM pg_catalog.pg_namespace n
  WHERE n.nspowner IN (SELECT t.oid FROM trusted t)
     OR (pg_catalog.pg_get_userbyid(n.nspowner) = 'pg_database_owner'
         AND EXISTS (
           SELECT FROM pg_catalog.pg_database d
           WHERE d.datname = pg_catalog.current_database()
             AND d.datdba IN (SELECT t.oid FROM trusted t)))
)
SELECT c.oid, n.nspname, c.relname, c.relam = 2,
       coalesce(pg_catalog.pg_relation_size(c.oid) / 8192, 0),
       coalesce(pg_catalog.pg_table_size(c.oid), 0),
       coalesce(x.condition, ''),
       c.relpersistence = 'u' AND pg_catalog.pg_is_in_recovery(),
       c.relowner IN (SELECT t.oid FROM trusted t),
       n.oid IN (SELECT s.oid FROM trusted_schema s),
       pg_catalog.pg_get_userbyid(c.relowner),
       greatest(c.reltuples, 0)::pg_catalog.int8
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_depend d
  ON d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid
  AND d.objsubid = 0 AND d.deptype = 'e'
  AND d.refclassid = 'pg_catalog.pg_extension'::regclass
LEFT JOIN LATERAL (
  SELECT config.oid, config.condition
  FROM pg_catalog.pg_extension e
  CROSS JOIN LATERAL unnest(e.extconfig, e.extcondition)
    AS config (oid, condition)
  WHERE e.oid = d.refobjid AND config.oid = c.oid) x ON true
WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND c.oid >= 16384
  AND (d.objid IS NULL OR x.oid IS NOT NULL)
ORDER BY c.oid)";

constexpr absl::string_view kColumnsSql = R"(
SELECT a.attrelid, a.atttypid, a.attname
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND c.oid >= 16384
  AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
ORDER BY a.attrelid, a.attnum)";

// The keys of tables that are partitioned by hash: the type, and whether its
// hash is PostgreSQL's own and of the bytes alone.
constexpr absl::string_view kHashKeysSql = R"(
SELECT p.partrelid, coalesce(a.atttypid, 0),
       k.opclass < 16384 AND coalesce(l.collisdeterministic, true)
FROM pg_catalog.pg_partitioned_table p
CROSS JOIN LATERAL unnest(p.partattrs::int2[], p.partclass::oid[],
                          p.partcollation::oid[])
  AS k (attribute, opclass, sorted_by)
LEFT JOIN pg_catalog.pg_attribute a
  ON a.attrelid = p.partrelid AND a.attnum = k.attribute AND k.attribute <> 0
LEFT JOIN pg_catalog.pg_collation l ON l.oid = k.sorted_by
WHERE p.partstrat = 'h')";

constexpr absl::string_view kPartitionsSql = R"(
SELECT c.oid, n.nspname, r.relname, pg_catalog.array_to_string(ARRAY(
  SELECT a.relid::pg_catalog.oid
  FROM pg_catalog.pg_partition_ancestors(c.oid) a), ',')
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_class r ON r.oid = pg_catalog.pg_partition_root(c.oid)
JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
WHERE c.relispartition AND c.relkind = 'r' AND c.relpersistence <> 't')";

absl::Status MustNotBeQueried(const SourceTable& table,
                              absl::string_view owner) {
  return WithHint(
      MakeError(
          absl::StatusCode::kPermissionDenied, kSourcePermissionDenied,
          absl::StrCat("table ",
                       QuoteQualified(table.table.schema, table.table.name),
                       " holds the configuration of an extension, which takes "
                       "a query to read, and its owner ",
                       QuoteIdentifier(owner),
                       " could have that run functions with the rights of this "
                       "backup's user")),
      "give the table to a superuser or to the backup's user, or back up as "
      "its owner");
}

using Tables = std::map<uint32_t, SourceTable>;

// Adds the columns, and decides on the format.
absl::Status AddColumns(Connection& connection, Tables& tables) {
  SLUICE_ASSIGN_OR_RETURN(const Result rows, connection.Exec(kColumnsSql));
  std::set<uint32_t> types;
  for (int row = 0; row < rows.rows(); ++row)
    types.insert(Oid(rows.Get(row, 1)));
  SLUICE_ASSIGN_OR_RETURN(const TypeCatalog catalog,
                          TypeCatalog::Load(connection, types));
  // Binary text is in the client's encoding. Only where that is the server's,
  // too, do bytes travel as they are; text COPY can name the server's.
  const CopyFormat best = connection.ServerSetting("server_encoding") == "UTF8"
                              ? CopyFormat::kBinary
                              : CopyFormat::kText;
  for (auto& entry : tables) entry.second.table.format = best;
  for (int row = 0; row < rows.rows(); ++row) {
    const auto found = tables.find(Oid(rows.Get(row, 0)));
    if (found == tables.end()) continue;
    PayloadTable& table = found->second.table;
    table.columns.push_back(rows.Text(row, 2));
    if (!catalog.IsBinarySafe(Oid(rows.Get(row, 1)))) {
      table.format = CopyFormat::kText;
    }
  }
  return absl::OkStatus();
}

// The tables partitioned by a hash that another server may compute otherwise.
absl::StatusOr<std::set<uint32_t>> UnstablyHashed(Connection& connection) {
  SLUICE_ASSIGN_OR_RETURN(const Result keys, connection.Exec(kHashKeysSql));
  std::set<uint32_t> types;
  for (int row = 0; row < keys.rows(); ++row)
    types.insert(Oid(keys.Get(row, 1)));
  types.erase(0);  // of an expression
  SLUICE_ASSIGN_OR_RETURN(const TypeCatalog catalog,
                          TypeCatalog::Load(connection, types));
  std::set<uint32_t> unstable;
  for (int row = 0; row < keys.rows(); ++row) {
    if (!keys.Bool(row, 2) || !catalog.IsHashStable(Oid(keys.Get(row, 1)))) {
      unstable.insert(Oid(keys.Get(row, 0)));
    }
  }
  return unstable;
}

absl::Status AddRoots(Connection& connection, Tables& tables) {
  SLUICE_ASSIGN_OR_RETURN(const std::set<uint32_t> unstable,
                          UnstablyHashed(connection));
  if (unstable.empty()) return absl::OkStatus();
  SLUICE_ASSIGN_OR_RETURN(const Result rows, connection.Exec(kPartitionsSql));
  for (int row = 0; row < rows.rows(); ++row) {
    const auto found = tables.find(Oid(rows.Get(row, 0)));
    if (found == tables.end()) continue;
    for (const absl::string_view ancestor :
         absl::StrSplit(rows.Get(row, 3), ',', absl::SkipEmpty())) {
      if (unstable.count(Oid(ancestor)) == 0) continue;
      found->second.table.root_schema = rows.Text(row, 1);
      found->second.table.root_name = rows.Text(row, 2);
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<TableIdentity>> ListTables(Connection& connection) {
  SLUICE_ASSIGN_OR_RETURN(const Result rows, connection.Exec(kIdentitiesSql));
  std::vector<TableIdentity> tables;
  tables.reserve(static_cast<size_t>(rows.rows()));
  for (int row = 0; row < rows.rows(); ++row) {
    tables.push_back({Oid(rows.Get(row, 0)), Oid(rows.Get(row, 1)),
                      rows.Text(row, 2), rows.Text(row, 3)});
  }
  return tables;
}

absl::StatusOr<std::vector<SourceTable>> DescribeTables(
    Connection& connection, std::vector<std::string>* left_out) {
  Tables tables;
  {
    SLUICE_ASSIGN_OR_RETURN(const Result rows, connection.Exec(kTablesSql));
    for (int row = 0; row < rows.rows(); ++row) {
      SourceTable table;
      table.oid = Oid(rows.Get(row, 0));
      table.table.schema = rows.Text(row, 1);
      table.table.name = rows.Text(row, 2);
      table.is_heap = rows.Bool(row, 3);
      table.pages = static_cast<uint64_t>(rows.Integer(row, 4));
      table.rows = static_cast<uint64_t>(rows.Integer(row, 11));
      table.table.estimated_bytes = static_cast<uint64_t>(rows.Integer(row, 5));
      table.condition = rows.Text(row, 6);
      table.may_be_queried = rows.Bool(row, 8) && rows.Bool(row, 9) &&
                             connection.restricts_relation_kinds();
      if (rows.Bool(row, 7)) {
        left_out->push_back(
            QuoteQualified(table.table.schema, table.table.name));
      } else if (!table.condition.empty() && !rows.Bool(row, 8)) {
        return MustNotBeQueried(table, rows.Get(row, 10));
      } else {
        tables.emplace(table.oid, std::move(table));
      }
    }
  }
  SLUICE_RETURN_IF_ERROR(AddColumns(connection, tables));
  SLUICE_RETURN_IF_ERROR(AddRoots(connection, tables));
  std::vector<SourceTable> list;
  list.reserve(tables.size());
  for (auto& entry : tables) {
    entry.second.table.id = list.size() + 1;
    list.push_back(std::move(entry.second));
  }
  return list;
}

}  // namespace sluice::postgres
