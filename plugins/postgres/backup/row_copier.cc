#include "sluice/plugins/postgres/backup/row_copier.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/postgres/backup/table_guard.h"
#include "sluice/plugins/postgres/client/quote.h"
#include "sluice/plugins/postgres/client/sql_error.h"
#include "sluice/plugins/postgres/payload/payload_format.h"
#include "sluice/plugins/postgres/payload/row_digest.h"

namespace sluice::postgres {
namespace {

constexpr uint64_t kMaxPieces = 4096;
constexpr int kCopyAttempts = 20;
constexpr absl::string_view kUndefinedColumn = "42703";
constexpr absl::string_view kInvalidColumnReference = "42P10";

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
    if (row.size() >= kRowPartBytes) {
      flushed_ = true;
      return parts_.AddRows(index_, row);
    }
    part_.append(row.data(), row.size());
    return absl::OkStatus();
  }
  absl::Status End() {
    SLUICE_RETURN_IF_ERROR(Flush());
    return parts_.EndPiece(index_, digest_);
  }
  uint64_t rows() const { return digest_.rows(); }
  // Forgets all rows, if none has been given on yet.
  bool Restart() {
    if (flushed_) return false;
    part_.clear();
    digest_ = RowDigest();
    return true;
  }

 private:
  absl::Status Flush() {
    if (part_.empty()) return absl::OkStatus();
    flushed_ = true;
    SLUICE_RETURN_IF_ERROR(parts_.AddRows(index_, part_));
    part_.clear();
    return absl::OkStatus();
  }

  PartWriter& parts_;
  const size_t index_;
  std::string part_;
  bool flushed_ = false;
  RowDigest digest_;
};

// " WHERE ..." of a piece.
std::string RangeOf(const Piece& piece) {
  std::vector<std::string> conditions;
  if (piece.begin > 0) {
    conditions.push_back(
        absl::StrCat("ctid >= '(", piece.begin, ",0)'::pg_catalog.tid"));
  }
  if (piece.end > 0) {
    conditions.push_back(
        absl::StrCat("ctid < '(", piece.end, ",0)'::pg_catalog.tid"));
  }
  if (conditions.empty()) return "";
  return absl::StrCat(" WHERE ", absl::StrJoin(conditions, " AND "));
}

}  // namespace

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

uint64_t MaxPieces(const SourceTable& table, int server_version) {
  // A condition would be that of each piece: its rows would come several times.
  if (server_version < 140000 || !table.is_heap || !table.may_be_queried ||
      !table.condition.empty()) {
    return 1;
  }
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

std::string CopyOutSql(const SourceTable& table, absl::string_view name,
                       const Piece& piece, absl::string_view encoding) {
  const PayloadTable& named = table.table;
  const std::string columns = absl::StrJoin(
      named.columns, ", ", [](std::string* out, const std::string& column) {
        absl::StrAppend(out, QuoteIdentifier(column));
      });
  const std::string range = RangeOf(piece);
  std::string what;
  if (!table.condition.empty()) {
    // Its author's text, which begins with WHERE.
    what = absl::StrCat(
        "(SELECT ", columns, " FROM ONLY ", name,
        table.is_heap ? " TABLESAMPLE pg_catalog.system (100) " : " ",
        table.condition, ")");
  } else if (!range.empty()) {
    what = absl::StrCat("(SELECT ", columns, " FROM ONLY ", name, range, ")");
  } else {
    what = absl::StrCat(
        name, columns.empty() ? "" : absl::StrCat(" (", columns, ")"));
  }
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

namespace {

// Reads the piece; false: it may have been another table's.
absl::StatusOr<bool> TryCopy(Connection& connection, const SourceTable& table,
                             const Piece& piece, absl::string_view encoding,
                             Gatherer& gatherer) {
  TableGuard guard(connection, table.oid);
  SLUICE_ASSIGN_OR_RETURN(
      const std::string name,
      guard.Enter(QuoteQualified(table.table.schema, table.table.name)));
  const std::string sql = CopyOutSql(table, name, piece, encoding);
  const auto add = [&](absl::string_view row) { return gatherer.Add(row); };
  const absl::Status status = table.table.format == CopyFormat::kBinary
                                  ? ForEachTuple(connection, sql, add)
                                  : ForEachLine(connection, sql, add);
  // What is there under this name now is no table, or has other columns.
  const std::string state = SqlStateOf(status);
  if (state == kUndefinedTable || state == kWrongObjectType ||
      state == kUndefinedColumn || state == kInvalidColumnReference) {
    return false;
  }
  SLUICE_RETURN_IF_ERROR(status);
  return guard.Proves(gatherer.rows());
}

absl::Status CopyProven(Connection& connection, const SourceTable& table,
                        const Piece& piece, absl::string_view encoding,
                        Gatherer& gatherer) {
  for (int i = 0; i < kCopyAttempts; ++i) {
    SLUICE_ASSIGN_OR_RETURN(const bool proven, TryCopy(connection, table, piece,
                                                       encoding, gatherer));
    if (proven) return gatherer.End();
    if (!gatherer.Restart()) break;
  }
  return NotProven();
}

}  // namespace

absl::Status CopyPiece(Connection& connection, const SourceTable& table,
                       size_t index, const Piece& piece,
                       absl::string_view encoding, PartWriter& parts) {
  Gatherer gatherer(parts, index);
  return NameObject(
      CopyProven(connection, table, piece, encoding, gatherer),
      absl::StrCat("table ",
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
