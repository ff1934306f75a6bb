#ifndef SLUICE_PLUGINS_BADGER_FORMAT_MANIFEST_H_
#define SLUICE_PLUGINS_BADGER_FORMAT_MANIFEST_H_

// MANIFEST: which tables a Badger directory consists of. See
// docs/format/badger.md.
//
//   SLUICE_ASSIGN_OR_RETURN(Manifest manifest, ParseManifest(bytes));
//   for (const auto& [id, table] : manifest.tables) { ... }
//
// Pure, any thread. Memory: some 100 bytes a table that was ever created.

#include <cstdint>
#include <map>
#include <set>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace sluice {
namespace badger {

enum class Compression : uint8_t { kNone = 0, kSnappy = 1, kZstd = 2 };

// What only MANIFEST knows of a table.
struct ManifestTable {
  uint64_t id = 0;
  uint32_t level = 0;
  uint64_t key_number = 0;  // in KEYREGISTRY; 0: not encrypted
  Compression compression = Compression::kNone;
};

struct Manifest {
  uint16_t external_magic = 0;  // the application's own, of format 8
  uint16_t version = 0;         // 7 (Badger 2) or 8 (Badger 3 and 4)
  std::map<uint64_t, ManifestTable> tables;
  // Tables that were created and deleted again. Their files may still be there.
  std::set<uint64_t> deleted;
  // What was read of the file: all of it unless its last record is cut.
  uint64_t valid_bytes = 0;
  bool is_cut = false;
};

// `file`: the whole of it. A last record that is not all there ends it, as
// Badger has it, and is_cut says so. Errors: source_failed for damage,
// source_unavailable for a version other than 7 and 8.
absl::StatusOr<Manifest> ParseManifest(absl::string_view file);

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_FORMAT_MANIFEST_H_
