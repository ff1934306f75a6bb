#ifndef SLUICE_PLUGINS_POSTGRES_BACKUP_BACKUP_H_
#define SLUICE_PLUGINS_POSTGRES_BACKUP_BACKUP_H_

// Streams one snapshot of a database that goes on being written:
// docs/format/postgres-payload.md.
//
//   BackupOptions options;
//   options.connection.Set("dbname", "orders");
//   return BackupDatabase(run, options, sink);
//
//   1  snapshot.h     every table locked ACCESS SHARE, one snapshot for all
//   2  pg_dump        the definitions, under it; sequences
//   3  row_copier.h   rows by `jobs` sessions, a table in pieces where that
//                     divides the work (piece_plan.h) and may be; large
//                     objects; payload ids. What a worker cannot lock because
//                     somebody waits to change it, the leader reads in the end
//   4  index.json     rows, bytes and a digest of each table, and the end
//
// Memory: for each job one part; 16 MiB of rows, or the largest one
// (row_budget.h); the names of tables and columns. The server is only read.
// Blocks; starts threads and joins them; several backups may run at once. Works
// behind a pooler that changes sessions between transactions (connection.h).
// Warnings: unlogged_table_left_out and unlogged_sequence_left_out, of a server
// in recovery; pg_dump_warning, a line that pg_dump has to say, such as that
// subscriptions are left out. Errors: those of sql_error.h, process.h and
// schema_dump.h; cancelled within a second.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sluice/base/file_system.h"
#include "sluice/plugins/postgres/backup/payload_ids.h"
#include "sluice/plugins/postgres/client/connection.h"
#include "sluice/plugins/sdk/run.h"
#include "sluice/plugins/sdk/source.h"

namespace sluice::postgres {

struct BackupOptions {
  ConnectionOptions connection;
  int jobs = 2;  // sessions that read rows, at least 1
  std::vector<PayloadIdColumn> payload_ids;
  std::string store_id;        // empty: that of the database
  std::string tools_folder;    // where pg_dump is; client_tools.h
  std::string scratch_folder;  // for definitions; spool_file.h
  // The least of a table that one session reads for itself.
  uint64_t min_piece_bytes = 32 << 20;
  absl::Duration lock_wait = absl::Seconds(2);  // snapshot.h
  absl::Duration patience = absl::Minutes(5);
  FileSystem* file_system = FileSystem::Posix();
  // For tests: told what was reached ("snapshot", with its id, "rows"). Empty:
  // nobody is.
  std::function<void(absl::string_view step, absl::string_view detail)> on_step;
};

absl::Status BackupDatabase(const sdk::Run& run, const BackupOptions& options,
                            sdk::Sink& sink);

}  // namespace sluice::postgres

#endif  // SLUICE_PLUGINS_POSTGRES_BACKUP_BACKUP_H_
