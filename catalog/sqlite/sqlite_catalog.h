#ifndef SLUICE_CATALOG_SQLITE_SQLITE_CATALOG_H_
#define SLUICE_CATALOG_SQLITE_SQLITE_CATALOG_H_

// The catalog in one SQLite file: the default. Any number of processes of one
// machine at once (WAL mode shares memory, so the file cannot lie on a network
// file system that several machines use).
//
// What was said to be stored survives a power cut (synchronous=FULL). The file
// is made 0600, folders above it that are missing 0700; what was there keeps
// its mode. Beside PATH lie PATH-wal and PATH-shm while it is open, and
// PATH-reserve: some room that is given up when the disk is full, so that a run
// which filled the disk can still say how it ended.
//
// Example:
//
//   SLUICE_ASSIGN_OR_RETURN(
//       std::unique_ptr<Catalog> catalog,
//       OpenSqliteCatalog(context, {.path = "/var/lib/sluice/catalog.db"}));
//
// Thread-safe: callers take turns on one connection. Clock and file system are
// borrowed. Costs one thread, which renews leases, and a sync of the disk for
// each transaction.

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "sluice/base/clock.h"
#include "sluice/base/file_system.h"
#include "sluice/catalog/catalog.h"
#include "sluice/executor/context.h"

namespace sluice {

struct SqliteCatalogOptions {
  std::string path;
  Clock* clock = Clock::Real();
  // How long a job is still its owner's after the last sign of life. Shorter:
  // the jobs of a dead machine end sooner, and a pause of that length (swap, a
  // debugger, sleep) fails a run. 10 ms or more.
  absl::Duration lease = absl::Seconds(30);
  // How often the owner looks whether its job is to be cancelled. Costs one
  // small read each.
  absl::Duration cancel_poll = absl::Milliseconds(250);
  // How long a call waits for other processes' writes.
  absl::Duration busy_timeout = absl::Seconds(30);
  // Room kept for a full disk. 0: none.
  size_t reserve_bytes = size_t{256} << 10;
  // For tests: the file's own file system, the SQLite VFS over it
  // (//catalog/testing) and exclusive use; and no thread, so that leases are
  // renewed by CheckLease alone.
  FileSystem* file_system = FileSystem::Posix();
  std::string vfs;
  bool exclusive = false;
  bool heartbeat = true;
};

// Opens the catalog, makes a new one where there is none, brings an older one
// up to date. Blocks for disk. Errors: catalog_unavailable (no permission, no
// catalog, damaged), catalog_newer, catalog_no_space. Destroying it stops its
// thread and leaves the leases of held jobs to run out.
absl::StatusOr<std::unique_ptr<Catalog>> OpenSqliteCatalog(
    const Context& context, const SqliteCatalogOptions& options);

}  // namespace sluice

#endif  // SLUICE_CATALOG_SQLITE_SQLITE_CATALOG_H_
