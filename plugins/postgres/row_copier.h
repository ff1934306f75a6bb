#ifndef SLUICE_PLUGINS_POSTGRES_ROW_COPIER_H_
#define SLUICE_PLUGINS_POSTGRES_ROW_COPIER_H_

// Reads rows with COPY and gives them on in parts.
//
//   const std::vector<Piece> pieces = Split(table, /*count=*/4);
//   SLUICE_RETURN_IF_ERROR(
//       CopyPiece(connection, table, index, pieces[0], encoding, parts));
//
// A large heap table is read in ranges of pages by several sessions at once:
// each row lies in exactly one page, and under one snapshot each is seen
// exactly once. The last range is open, because a table grows.
//
// Memory: one part, and one row in libpq's buffer. One thread a call.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/plugins/postgres/connection.h"
#include "sluice/plugins/postgres/part_writer.h"
#include "sluice/plugins/postgres/table_list.h"

namespace sluice::postgres {

// Pages [begin, end) of a table; 0 and 0: all of it; an end of 0: open.
struct Piece {
  uint64_t begin = 0;
  uint64_t end = 0;
};

// Into how many pieces it can be cut: 1 unless the server reads a range of
// pages without reading the whole table (14 and later).
uint64_t MaxPieces(const SourceTable& table, int server_version);
// Into `count` of them, at most as many as that.
std::vector<Piece> Split(const SourceTable& table, uint64_t count);

// The statement that reads it; rows are in `encoding` where they are text.
std::string CopyOutSql(const SourceTable& table, const Piece& piece,
                       absl::string_view encoding);

// Everything that it returns, into `parts` as rows of table number `index`.
// Errors name the table, and how many rows had come.
absl::Status CopyPiece(Connection& connection, const SourceTable& table,
                       size_t index, const Piece& piece,
                       absl::string_view encoding, PartWriter& parts);

// The tuples of a COPY ... TO STDOUT (FORMAT binary), without the header and
// the trailer, one after the other.
absl::Status ForEachTuple(
    Connection& connection, absl::string_view sql,
    absl::FunctionRef<absl::Status(absl::string_view tuple)> on_tuple);

// The fields of a tuple of `count` fields; fails (source_failed) on any other.
// A NULL is a view without data.
absl::StatusOr<std::vector<absl::string_view>> TupleFields(
    absl::string_view tuple, size_t count);

}  // namespace sluice::postgres

#endif  // SLUICE_PLUGINS_POSTGRES_ROW_COPIER_H_
