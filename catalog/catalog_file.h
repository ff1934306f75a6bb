#ifndef SLUICE_CATALOG_CATALOG_FILE_H_
#define SLUICE_CATALOG_CATALOG_FILE_H_

// The catalog's file and the room that is kept free beside it. Thread-safe
// where the file system is.

#include <string>

#include "absl/status/status.h"
#include "sluice/base/file_system.h"

namespace sluice {

// Makes the empty file `path` (0600) and the folders above it (0700) where they
// are missing, durably. Changes nothing that is there.
absl::Status PrepareCatalogFile(FileSystem& file_system,
                                const std::string& path);

// Writes PATH-reserve where it is missing. Best effort: without it, all is as
// before but on a full disk.
void KeepReserve(FileSystem& file_system, const std::string& path);
// Gives that room to whoever writes next. False: there was none.
bool GiveUpReserve(FileSystem& file_system, const std::string& path);

}  // namespace sluice

#endif  // SLUICE_CATALOG_CATALOG_FILE_H_
