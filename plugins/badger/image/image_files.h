#ifndef SLUICE_PLUGINS_BADGER_IMAGE_IMAGE_FILES_H_
#define SLUICE_PLUGINS_BADGER_IMAGE_IMAGE_FILES_H_

// What lies in a Badger directory, by name. See docs/format/badger.md.

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "sluice/base/file_system.h"

namespace sluice {
namespace badger {

std::string ValueLogFileName(uint32_t number);

struct ImageFiles {
  bool has_manifest = false;
  bool has_key_registry = false;
  std::set<uint64_t> tables;                   // .sst, by number
  std::map<uint64_t, std::string> memtables;   // .mem
  std::map<uint32_t, std::string> value_logs;  // .vlog
  std::vector<std::string> others;  // files that are none of Badger's
};

// Of `folder` itself; folders in it are passed over. Errors:
// source_unavailable, source_permission_denied. Any thread.
absl::StatusOr<ImageFiles> ListImageFiles(FileSystem& folder);

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_IMAGE_IMAGE_FILES_H_
