#include "sluice/plugins/postgres/backup/payload_ids.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/postgres/backup/copy_line.h"
#include "sluice/plugins/postgres/backup/row_copier.h"
#include "sluice/plugins/postgres/backup/table_guard.h"
#include "sluice/plugins/postgres/client/quote.h"
#include "sluice/plugins/postgres/client/sql_error.h"

namespace sluice::postgres {
namespace {

constexpr size_t kIdsPerCall = 1000;

// $1 schema, $2 table, $3 column. bpchar is type 1042, built in.
constexpr absl::string_view kIdTablesSql = R"(
WITH RECURSIVE tree AS (
  SELECT c.oid
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p')
  UNION
  SELECT i.inhrelid FROM pg_catalog.pg_inherits i
  JOIN tree ON tree.oid = i.inhparent)
SELECT c.oid, n.nspname, c.relname, a.attname,
       a.atttypid = 1042 OR t.typbasetype = 1042
FROM tree
JOIN pg_catalog.pg_class c ON c.oid = tree.oid AND c.relkind = 'r'
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = $3
  AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
ORDER BY c.oid)";

// Gathers ids and hands them on.
class Ids {
 public:
  Ids(const IdColumn& column, PartWriter& parts)
      : column_(column), parts_(parts) {}

  absl::Status Add(absl::string_view line) {
    absl::optional<std::string> id = ValueOfLine(line);
    if (!id.has_value()) return absl::OkStatus();
    if (column_.is_padded) {
      while (!id->empty() && id->back() == ' ') id->pop_back();
    }
    ids_.push_back(*std::move(id));
    return ids_.size() < kIdsPerCall ? absl::OkStatus() : Flush();
  }
  absl::Status Flush() {
    if (ids_.empty()) return absl::OkStatus();
    const std::vector<absl::string_view> views(ids_.begin(), ids_.end());
    const absl::Status status = parts_.AddPayloadIds(views);
    ids_.clear();
    return status;
  }

 private:
  const IdColumn& column_;
  PartWriter& parts_;
  std::vector<std::string> ids_;
};

absl::Status Copy(Connection& connection, const IdColumn& column,
                  PartWriter& parts) {
  TableGuard guard(connection, column.oid);
  SLUICE_ASSIGN_OR_RETURN(
      const std::string name,
      guard.Enter(QuoteQualified(column.schema, column.table)));
  Ids ids(column, parts);
  uint64_t rows = 0;
  SLUICE_RETURN_IF_ERROR(
      ForEachLine(connection,
                  absl::StrCat("COPY ", name, " (",
                               QuoteIdentifier(column.column), ") TO STDOUT"),
                  [&](absl::string_view line) {
                    ++rows;
                    return ids.Add(line);
                  }));
  SLUICE_ASSIGN_OR_RETURN(const bool proven, guard.Proves(rows));
  if (!proven) return NotProven();
  return ids.Flush();
}

}  // namespace

absl::StatusOr<std::vector<IdColumn>> FindIdColumns(
    Connection& connection, const PayloadIdColumn& wanted) {
  SLUICE_ASSIGN_OR_RETURN(
      const Result rows,
      connection.ExecParams(kIdTablesSql,
                            {wanted.schema, wanted.table, wanted.column}));
  if (rows.rows() == 0) {
    return MakeError(
        absl::StatusCode::kNotFound, kSourceConfigInvalid,
        absl::StrCat("payload_ids=: no table ",
                     QuoteQualified(wanted.schema, wanted.table),
                     " with a column ", QuoteIdentifier(wanted.column)));
  }
  std::vector<IdColumn> columns;
  columns.reserve(static_cast<size_t>(rows.rows()));
  for (int row = 0; row < rows.rows(); ++row) {
    columns.push_back({static_cast<uint32_t>(rows.Integer(row, 0)),
                       rows.Text(row, 1), rows.Text(row, 2), rows.Text(row, 3),
                       rows.Bool(row, 4)});
  }
  return columns;
}

absl::Status CopyPayloadIds(Connection& connection, const IdColumn& column,
                            PartWriter& parts) {
  return NameObject(Copy(connection, column, parts),
                    absl::StrCat("payload ids of ",
                                 QuoteQualified(column.schema, column.table),
                                 ".", QuoteIdentifier(column.column)));
}

}  // namespace sluice::postgres
