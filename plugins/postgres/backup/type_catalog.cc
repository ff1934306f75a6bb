#include "sluice/plugins/postgres/backup/type_catalog.h"

#include <algorithm>
#include <iterator>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "sluice/base/status_macros.h"

namespace sluice::postgres {
namespace {

constexpr absl::string_view kBinaryTypes[] = {
    "bit",      "bool",    "box",         "bpchar",        "bytea",
    "char",     "cid",     "cidr",        "circle",        "date",
    "float4",   "float8",  "inet",        "int2",          "int2vector",
    "int4",     "int8",    "interval",    "json",          "jsonb",
    "jsonpath", "line",    "lseg",        "macaddr",       "macaddr8",
    "money",    "name",    "numeric",     "oid",           "oidvector",
    "path",     "pg_lsn",  "pg_snapshot", "point",         "polygon",
    "text",     "tid",     "time",        "timestamp",     "timestamptz",
    "timetz",   "tsquery", "tsvector",    "txid_snapshot", "uuid",
    "varbit",   "varchar", "xid",         "xid8"};

constexpr absl::string_view kHashStableTypes[] = {
    "bool",     "bpchar",    "bytea",       "char",    "cidr", "date",
    "float4",   "float8",    "inet",        "int2",    "int4", "int8",
    "interval", "name",      "macaddr",     "numeric", "oid",  "text",
    "time",     "timestamp", "timestamptz", "timetz",  "uuid", "varchar"};

template <size_t kSize>
bool Holds(const absl::string_view (&list)[kSize], absl::string_view name) {
  return std::find(std::begin(list), std::end(list), name) != std::end(list);
}

std::string TypesSql(const std::set<uint32_t>& wanted, int server_version) {
  const bool has_multiranges = server_version >= 140000;
  return absl::StrCat(
      "SELECT t.oid, t.typname, t.typtype,"
      " n.nspname = 'pg_catalog' AND t.oid < 16384,"
      " CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_type e"
      "  WHERE e.typarray = t.oid) THEN t.typelem ELSE 0 END,"
      " CASE t.typtype WHEN 'd' THEN t.typbasetype"
      "  WHEN 'r' THEN (SELECT r.rngsubtype FROM pg_catalog.pg_range r"
      "   WHERE r.rngtypid = t.oid)",
      has_multiranges
          ? "  WHEN 'm' THEN (SELECT r.rngtypid FROM pg_catalog.pg_range r"
            "   WHERE r.rngmultitypid = t.oid)"
          : "",
      "  ELSE 0 END,"
      " pg_catalog.array_to_string(ARRAY("
      "  SELECT a.atttypid FROM pg_catalog.pg_attribute a"
      "  WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0"
      "   AND NOT a.attisdropped), ',')"
      " FROM pg_catalog.pg_type t"
      " JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace"
      " WHERE t.oid IN (",
      absl::StrJoin(wanted, ","), ")");
}

}  // namespace

uint32_t Oid(absl::string_view text) {
  uint32_t oid = 0;
  return absl::SimpleAtoi(text, &oid) ? oid : 0;
}

absl::StatusOr<TypeCatalog> TypeCatalog::Load(Connection& connection,
                                              const std::set<uint32_t>& types) {
  std::map<uint32_t, TypeInfo> found;
  std::set<uint32_t> wanted = types;
  while (!wanted.empty()) {
    SLUICE_ASSIGN_OR_RETURN(
        const Result rows,
        connection.Exec(TypesSql(wanted, connection.server_version())));
    for (const uint32_t oid : wanted) found[oid];  // each is asked for once
    std::set<uint32_t> next;
    const auto want = [&](uint32_t oid) {
      if (oid != 0 && found.find(oid) == found.end()) next.insert(oid);
    };
    for (int row = 0; row < rows.rows(); ++row) {
      TypeInfo& type = found[Oid(rows.Get(row, 0))];
      type.name = rows.Text(row, 1);
      type.kind = rows.Get(row, 2).empty() ? 'b' : rows.Get(row, 2)[0];
      type.built_in = rows.Bool(row, 3);
      type.element = Oid(rows.Get(row, 4));
      type.base = Oid(rows.Get(row, 5));
      for (const absl::string_view column :
           absl::StrSplit(rows.Get(row, 6), ',', absl::SkipEmpty())) {
        type.columns.push_back(Oid(column));
      }
      want(type.element);
      want(type.base);
      for (const uint32_t column : type.columns) want(column);
    }
    wanted = std::move(next);
  }
  return TypeCatalog(std::move(found));
}

const TypeInfo* TypeCatalog::Find(uint32_t type) const {
  const auto found = types_.find(type);
  return found == types_.end() ? nullptr : &found->second;
}

bool TypeCatalog::IsFixed(uint32_t type) const {
  const TypeInfo* info = Find(type);
  if (info != nullptr && info->built_in && info->element != 0) {
    info = Find(info->element);
  }
  return info != nullptr && info->built_in && Holds(kBinaryTypes, info->name);
}

bool TypeCatalog::IsBinarySafe(uint32_t type) const {
  const TypeInfo* const info = Find(type);
  if (info == nullptr) return false;
  if (IsFixed(type)) return true;
  switch (info->kind) {
    case 'e':
      return true;
    case 'd':
    case 'r':
    case 'm':
      return IsBinarySafe(info->base);
    case 'c':
      return std::all_of(info->columns.begin(), info->columns.end(),
                         [this](uint32_t column) { return IsFixed(column); });
    default:
      return false;
  }
}

bool TypeCatalog::IsHashStable(uint32_t type) const {
  const TypeInfo* const info = Find(type);
  return info != nullptr && info->built_in &&
         Holds(kHashStableTypes, info->name);
}

}  // namespace sluice::postgres
