#include "sluice/plugins/postgres/row_copier.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/postgres/payload_format.h"
#include "sluice/plugins/postgres/quote.h"
#include "sluice/plugins/postgres/row_digest.h"
#include "sluice/plugins/postgres/sql_error.h"

namespace sluice::postgres {
namespace {

constexpr uint64_t kMaxPieces = 4096;

uint32_t BigEndian(absl::string_view bytes) {
  uint32_t value = 0;
  for (const unsigned char byte : bytes) value = value << 8 | byte;
  return value;
}

// Gathers rows into parts.
class Gatherer {
 public:
  Gatherer(PartWriter& parts, size_t index) : parts_(parts), index_(index) {
    part_.reserve(kRowPartBytes);
  }

  absl::Status Add(absl::string_view row) {
    digest_.AddRow(row);
    if (part_.size() + row.size() > kRowPartBytes)
      SLUICE_RETURN_IF_ERROR(Flush());
    // Not copied once more: it may be large.
    if (row.size() >= kRowPartBytes) return parts_.AddRows(index_, row);
    part_.append(row.data(), row.size());
    return absl::OkStatus();
  }
  absl::Status End() {
    SLUICE_RETURN_IF_ERROR(Flush());
    return parts_.EndPiece(index_, digest_);
  }
  uint64_t rows() const { return digest_.rows(); }

 private:
  absl::Status Flush() {
    if (part_.empty()) return absl::OkStatus();
    SLUICE_RETURN_IF_ERROR(parts_.AddRows(index_, part_));
    part_.clear();
    return absl::OkStatus();
  }

  PartWriter& parts_;
  const size_t index_;
  std::string part_;
  RowDigest digest_;
};

absl::Status ForEachLine(
    Connection& connection, absl::string_view sql,
    absl::FunctionRef<absl::Status(absl::string_view line)> on_line) {
  SLUICE_RETURN_IF_ERROR(connection.BeginCopyOut(sql));
  absl::string_view line;
  while (true) {
    SLUICE_ASSIGN_OR_RETURN(const bool more, connection.NextRow(&line));
    if (!more) return absl::OkStatus();
    SLUICE_RETURN_IF_ERROR(on_line(line));
  }
}

}  // namespace

uint64_t MaxPieces(const SourceTable& table, int server_version) {
  if (server_version < 140000 || !table.is_heap) return 1;
  return std::clamp<uint64_t>(table.pages, 1, kMaxPieces);
}

std::vector<Piece> Split(const SourceTable& table, uint64_t count) {
  if (count < 2) return {Piece{}};
  std::vector<Piece> pieces;
  for (uint64_t i = 0; i < count; ++i) {
    pieces.push_back({table.pages * i / count, table.pages * (i + 1) / count});
  }
  pieces.back().end = 0;
  return pieces;
}

std::string CopyOutSql(const SourceTable& table, const Piece& piece,
                       absl::string_view encoding) {
  const PayloadTable& named = table.table;
  const std::string columns = absl::StrJoin(
      named.columns, ", ", [](std::string* out, const std::string& column) {
        absl::StrAppend(out, QuoteIdentifier(column));
      });
  const std::string name = QuoteQualified(named.schema, named.name);
  std::vector<std::string> conditions;
  if (piece.begin > 0) {
    conditions.push_back(
        absl::StrCat("ctid >= '(", piece.begin, ",0)'::", "pg_catalog.tid"));
  }
  if (piece.end > 0) {
    conditions.push_back(
        absl::StrCat("ctid < '(", piece.end, ",0)'::pg_catalog.tid"));
  }
  std::string where = absl::StrJoin(conditions, " AND ");
  // An extension's tables are read whole: its condition is the author's text.
  if (!table.condition.empty()) {
    where = table.condition;
  } else if (!where.empty()) {
    where = absl::StrCat("WHERE ", where);
  }
  const std::string what =
      where.empty()
          ? absl::StrCat(
                name, columns.empty() ? "" : absl::StrCat(" (", columns, ")"))
          : absl::StrCat("(SELECT ", columns, " FROM ONLY ", name, " ", where,
                         ")");
  return absl::StrCat(
      "COPY ", what, " TO STDOUT (FORMAT ",
      named.format == CopyFormat::kBinary
          ? "binary)"
          : absl::StrCat("text, ENCODING ", QuoteLiteral(encoding), ")"));
}

absl::Status ForEachTuple(
    Connection& connection, absl::string_view sql,
    absl::FunctionRef<absl::Status(absl::string_view tuple)> on_tuple) {
  bool has_header = false, has_trailer = false;
  SLUICE_RETURN_IF_ERROR(
      ForEachLine(connection, sql, [&](absl::string_view tuple) {
        // The header comes with the first tuple, in one message.
        if (!has_header) {
          has_header = absl::ConsumePrefix(&tuple, kCopyHeader);
          if (!has_header) {
            return MakeError(absl::StatusCode::kUnknown, kSourceFailed,
                             "the server sent no header of a binary COPY");
          }
        }
        if (tuple.empty()) return absl::OkStatus();
        if (tuple == kCopyTrailer) {
          has_trailer = true;
          return absl::OkStatus();
        }
        return on_tuple(tuple);
      }));
  if (has_trailer) return absl::OkStatus();
  return MakeError(absl::StatusCode::kUnknown, kSourceFailed,
                   "the server sent no trailer of a binary COPY");
}

absl::Status CopyPiece(Connection& connection, const SourceTable& table,
                       size_t index, const Piece& piece,
                       absl::string_view encoding, PartWriter& parts) {
  Gatherer gatherer(parts, index);
  const std::string sql = CopyOutSql(table, piece, encoding);
  const auto add = [&](absl::string_view row) { return gatherer.Add(row); };
  absl::Status status = table.table.format == CopyFormat::kBinary
                            ? ForEachTuple(connection, sql, add)
                            : ForEachLine(connection, sql, add);
  if (status.ok()) status = gatherer.End();
  return NameObject(
      status, absl::StrCat("table ",
                           QuoteQualified(table.table.schema, table.table.name),
                           " after ", gatherer.rows(), " rows"));
}

absl::StatusOr<std::vector<absl::string_view>> TupleFields(
    absl::string_view tuple, size_t count) {
  const absl::Status malformed =
      MakeError(absl::StatusCode::kUnknown, kSourceFailed,
                "the server sent a tuple of another form");
  if (tuple.size() < 2 || BigEndian(tuple.substr(0, 2)) != count) {
    return malformed;
  }
  tuple.remove_prefix(2);
  std::vector<absl::string_view> fields;
  for (size_t i = 0; i < count; ++i) {
    if (tuple.size() < 4) return malformed;
    const uint32_t size = BigEndian(tuple.substr(0, 4));
    tuple.remove_prefix(4);
    if (size == 0xffffffff) {
      fields.emplace_back();
      continue;
    }
    if (size > tuple.size()) return malformed;
    fields.push_back(tuple.substr(0, size));
    tuple.remove_prefix(size);
  }
  return fields;
}

}  // namespace sluice::postgres
