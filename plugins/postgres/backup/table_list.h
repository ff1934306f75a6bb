#ifndef SLUICE_PLUGINS_POSTGRES_BACKUP_TABLE_LIST_H_
#define SLUICE_PLUGINS_POSTGRES_BACKUP_TABLE_LIST_H_

// Which tables there are, and how the rows of each travel.
//
//   SLUICE_ASSIGN_OR_RETURN(std::vector<TableIdentity> all,
//                           ListTables(connection));           // to be locked
//   SLUICE_ASSIGN_OR_RETURN(std::vector<SourceTable> tables,
//                           DescribeTables(connection));       // to be copied
//
// One thread, as the connection. Memory: some hundred bytes a table, and the
// names of its columns.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "sluice/plugins/postgres/client/connection.h"
#include "sluice/plugins/postgres/payload/payload_index.h"

namespace sluice::postgres {

// An ordinary or partitioned table. Where `file_node` changes while the table
// is the same, TRUNCATE or a rewriting ALTER was there.
struct TableIdentity {
  uint32_t oid = 0;
  uint32_t file_node = 0;
  std::string schema;
  std::string name;

  bool operator==(const TableIdentity&) const = default;
};

// Of users, temporary ones apart, by oid.
absl::StatusOr<std::vector<TableIdentity>> ListTables(Connection& connection);

// One that holds rows to be copied: ordinary tables and partitions, logged or
// not; of an extension those that it declares as configuration.
struct SourceTable {
  PayloadTable table;  // as the head says it
  uint32_t oid = 0;
  bool is_heap = false;  // rows can be addressed by page
  // Whether a query, and not only a plain COPY, may name it: who owns it or its
  // schema gains nothing by what the server runs of theirs to plan one, being a
  // superuser or who we logged in as; and no view is read in its place.
  bool may_be_queried = false;
  uint64_t pages = 0;     // of 8 KiB, its TOAST table apart
  uint64_t rows = 0;      // as ANALYZE has estimated them; 0: not known
  std::string condition;  // "WHERE ..." of an extension's configuration, or ""
};

// As the connection's snapshot shows them, by oid. Unlogged tables of a server
// in recovery, which cannot be read there, go into `left_out`. Refuses
// (PERMISSION_DENIED) an extension's table whose condition takes a query, and
// whose owner could have us run what is his by it.
absl::StatusOr<std::vector<SourceTable>> DescribeTables(
    Connection& connection, std::vector<std::string>* left_out);

}  // namespace sluice::postgres

#endif  // SLUICE_PLUGINS_POSTGRES_BACKUP_TABLE_LIST_H_
