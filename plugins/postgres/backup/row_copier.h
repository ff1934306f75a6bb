#ifndef SLUICE_PLUGINS_POSTGRES_BACKUP_ROW_COPIER_H_
#define SLUICE_PLUGINS_POSTGRES_BACKUP_ROW_COPIER_H_

// Reads rows with COPY and gives them on in parts.
//
//   const std::vector<Piece> pieces = Split(table, /*count=*/4);
//   SLUICE_RETURN_IF_ERROR(
//       CopyPiece(connection, table, index, pieces[0], encoding, parts));
//
// A table is read whole where that will do: COPY of a table by its name runs no
// code but the server's own, and is the fastest there is. A large heap table
// can be read in ranges of pages by several sessions at once: each row lies in
// exactly one page, and under one snapshot each is seen exactly once. The last
// range is open, because a table grows. But that takes a query, and to plan a
// query the server computes what the indexes and statistics of the table are
// on, by functions of its owner's, with our rights. So it is done only where
// the owners of the table and of its schema have those rights anyhow
// (SourceTable::may_be_queried).
//
// An extension's table with a condition takes a query, too: it is read whole,
// never in pieces, by TABLESAMPLE of all there is, which no view can be put in
// place of.
//
// What was read is proven to be the table (table_guard.h). Where another had
// its name for a moment, it is read again; ABORTED and retryable if that shows
// only when rows have gone into the stream.
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
#include "sluice/plugins/postgres/backup/part_writer.h"
#include "sluice/plugins/postgres/backup/table_list.h"
#include "sluice/plugins/postgres/client/connection.h"

namespace sluice::postgres {

// Pages [begin, end) of a table; 0 and 0: all of it; an end of 0: open.
struct Piece {
  uint64_t begin = 0;
  uint64_t end = 0;
};

// Into how many pieces it can be cut: 1 unless it may be queried, and the
// server reads a range of pages without reading the whole table (14 and later).
uint64_t MaxPieces(const SourceTable& table, int server_version);
// Into `count` of them, at most as many as that.
std::vector<Piece> Split(const SourceTable& table, uint64_t count);

// The statement that reads it under its present `name`; rows are in `encoding`
// where they are text. A piece of a table with a condition is none.
std::string CopyOutSql(const SourceTable& table, absl::string_view name,
                       const Piece& piece, absl::string_view encoding);

// Everything that it returns, into `parts` as rows of table number `index`.
// Errors name the table, and how many rows had come. The SQLSTATE is
// kLockNotAvailable where nothing was read yet and another session, which holds
// the table's lock, has to do it. The session has a savepoint (table_guard.h).
absl::Status CopyPiece(Connection& connection, const SourceTable& table,
                       size_t index, const Piece& piece,
                       absl::string_view encoding, PartWriter& parts);

// The lines of a COPY ... TO STDOUT, each with its newline, one after the
// other.
absl::Status ForEachLine(
    Connection& connection, absl::string_view sql,
    absl::FunctionRef<absl::Status(absl::string_view line)> on_line);

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

#endif  // SLUICE_PLUGINS_POSTGRES_BACKUP_ROW_COPIER_H_
