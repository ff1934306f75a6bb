#ifndef SLUICE_CATALOG_SQLITE_CATALOG_FILE_H_
#define SLUICE_CATALOG_SQLITE_CATALOG_FILE_H_

// The catalog's file and the room that is kept free beside it. Thread-safe
// where the file system is.

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "sluice/base/file_system.h"

namespace sluice {

// Makes the empty file `path` (0600) and the folders above it (0700) where they
// are missing. Changes nothing that is there.
absl::Status PrepareCatalogFile(FileSystem& file_system,
                                const std::string& path);

// Makes the file `staged` durable, and then `path`, in place of what was there.
absl::Status PublishCatalogFile(FileSystem& file_system,
                                const std::string& staged,
                                const std::string& path);

// Makes the names durable: the file's, and that of the log which SQLite made
// beside it. SQLite syncs the folder too and passes over it when that fails;
// then all that was committed would be gone with the log's name.
absl::Status SyncCatalogFolder(FileSystem& file_system,
                               const std::string& path);

// Writes PATH-reserve of `bytes` where it is missing. Best effort: without it,
// all is as before but on a full disk.
void KeepReserve(FileSystem& file_system, const std::string& path,
                 size_t bytes);
// Gives that room to whoever writes next. False: there was none.
bool GiveUpReserve(FileSystem& file_system, const std::string& path);

}  // namespace sluice

#endif  // SLUICE_CATALOG_SQLITE_CATALOG_FILE_H_
