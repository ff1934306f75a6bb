#ifndef SLUICE_PLUGINS_SDK_SOURCE_OPTIONS_H_
#define SLUICE_PLUGINS_SDK_SOURCE_OPTIONS_H_

// Options that sources of several kinds have. Any thread; errors carry
// source_config_invalid and begin with the kind.
//
// Example:
//
//   SLUICE_ASSIGN_OR_RETURN(const std::string folder,
//                           FolderOption("badger", options, "path"));

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/plugins/sdk/options.h"

namespace sluice::sdk {

// "`kind`: `what`".
absl::Status ConfigInvalid(absl::string_view kind, absl::string_view what);

// The folder of option `name`, made absolute once, now: a later change of the
// process's folder must not move the store.
absl::StatusOr<std::string> FolderOption(absl::string_view kind,
                                         const Options& options,
                                         absl::string_view name);

// jobs=, 1 to `most`; as many as there are processors, up to `otherwise`, where
// it is not given.
absl::StatusOr<int> JobsOption(absl::string_view kind, const Options& options,
                               uint64_t otherwise, uint64_t most);

// store_id=; empty where it is not given.
absl::StatusOr<std::string> StoreIdOption(absl::string_view kind,
                                          const Options& options);

}  // namespace sluice::sdk

#endif  // SLUICE_PLUGINS_SDK_SOURCE_OPTIONS_H_
