#ifndef SLUICE_PLUGINS_POSTGRES_BACKUP_PAYLOAD_IDS_H_
#define SLUICE_PLUGINS_POSTGRES_BACKUP_PAYLOAD_IDS_H_

// The ids of the blocks that a snapshot refers to: the values of a column, as
// text.
//
//   SLUICE_ASSIGN_OR_RETURN(std::vector<IdColumn> columns,
//                           FindIdColumns(leader, {"app", "files", "block"}));
//   for (const IdColumn& column : columns) {
//     SLUICE_RETURN_IF_ERROR(CopyPayloadIds(worker, column, parts));
//   }
//
// A column of a partitioned table, or of one that others inherit from, is read
// from each table that has rows. Read as rows are (row_copier.h): by a plain
// COPY, which runs nobody's functions. NULLs are passed over; the padding of a
// char(n) is no part of it. Memory: a thousand ids. One thread a call.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sluice/plugins/postgres/backup/part_writer.h"
#include "sluice/plugins/postgres/client/connection.h"

namespace sluice::postgres {

// A column whose values name the blocks that the snapshot refers to.
struct PayloadIdColumn {
  std::string schema;
  std::string table;
  std::string column;
};

// The same in one table that has rows of its own.
struct IdColumn {
  uint32_t oid = 0;
  std::string schema;
  std::string table;
  std::string column;
  bool is_padded = false;  // char(n)
};

// NOT_FOUND (source_config_invalid) where no table has it; a view is none.
absl::StatusOr<std::vector<IdColumn>> FindIdColumns(
    Connection& connection, const PayloadIdColumn& wanted);

// The session has a savepoint (table_guard.h); errors as of CopyPiece.
absl::Status CopyPayloadIds(Connection& connection, const IdColumn& column,
                            PartWriter& parts);

}  // namespace sluice::postgres

#endif  // SLUICE_PLUGINS_POSTGRES_BACKUP_PAYLOAD_IDS_H_
