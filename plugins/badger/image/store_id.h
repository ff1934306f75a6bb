#ifndef SLUICE_PLUGINS_BADGER_IMAGE_STORE_ID_H_
#define SLUICE_PLUGINS_BADGER_IMAGE_STORE_ID_H_

// Which store a directory is, wherever it is moved: a small file in it that
// Badger passes over (its own end in .sst, .vlog and .mem, or have fixed
// names).
//
//   SLUICE_ASSIGN_OR_RETURN(const std::string id, ReadStoreId(folder));
//   SLUICE_RETURN_IF_ERROR(KeepStoreId(folder, id));
//
// Before the first backup there is no file. The id is then the one that the
// file will hold: it follows from the random bytes that KEYREGISTRY begins
// with, which Badger makes once for each database. `badger rotate` makes them
// anew; the file stays.
//
// Errors: source_config_invalid for a file that holds no id, or cannot be
// written; source_unavailable. Any thread.

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/base/file_system.h"

namespace sluice {
namespace badger {

inline constexpr char kStoreIdFile[] = ".sluice-store-id";

// The file's; without one, that of KEYREGISTRY; without either, empty.
absl::StatusOr<std::string> ReadStoreId(FileSystem& folder);

// The random bytes that KEYREGISTRY begins with, in hex: another database, or
// one that was restored, has others. Empty without KEYREGISTRY.
absl::StatusOr<std::string> ReadIncarnation(FileSystem& folder);

// Writes the file unless it is there, whole or not at all.
absl::Status KeepStoreId(FileSystem& folder, const std::string& id);

// What the file holds.
inline std::string StoreIdContents(absl::string_view id) {
  return std::string(id) + "\n";
}

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_IMAGE_STORE_ID_H_
