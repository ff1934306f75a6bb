#ifndef SLUICE_CLI_VERBS_FOLDER_COMPARE_H_
#define SLUICE_CLI_VERBS_FOLDER_COMPARE_H_

// Are the regular files below two folders the same, byte for byte? Knows
// nothing of archives: it is the demo's independent eye. Blocking; reads
// everything once; symlinks and other odd files are not looked at.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/executor/context.h"

namespace sluice::cli {

struct FolderComparison {
  uint64_t files = 0;  // in the first
  uint64_t bytes = 0;
  // Relative paths with what is wrong: "a/b: differs", "c: missing",
  // "d: not in the first".
  std::vector<std::string> differences;
};

absl::StatusOr<FolderComparison> CompareFolders(const Context& context,
                                                const std::string& first,
                                                const std::string& second);

// Whether at least `wanted` regular files are below `folder`.
bool HasFiles(const std::string& folder, uint64_t wanted);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_VERBS_FOLDER_COMPARE_H_
