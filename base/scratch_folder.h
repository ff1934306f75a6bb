#ifndef SLUICE_BASE_SCRATCH_FOLDER_H_
#define SLUICE_BASE_SCRATCH_FOLDER_H_

#include <cstdlib>
#include <string>

#include "absl/strings/string_view.h"

namespace sluice {

// Where temporary files go: `chosen`; empty: $TMPDIR, or `otherwise`. What may
// be large belongs into /var/tmp, as /tmp may be memory.
inline std::string ScratchFolderOf(const std::string& chosen,
                                   absl::string_view otherwise = "/tmp") {
  if (!chosen.empty()) return chosen;
  const char* const folder = std::getenv("TMPDIR");
  return folder != nullptr && *folder != '\0' ? folder : std::string(otherwise);
}

}  // namespace sluice

#endif  // SLUICE_BASE_SCRATCH_FOLDER_H_
