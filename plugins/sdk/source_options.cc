#include "sluice/plugins/sdk/source_options.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <thread>  // NOLINT(build/c++11)

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/base/store_id.h"

namespace sluice::sdk {

absl::Status ConfigInvalid(absl::string_view kind, absl::string_view what) {
  return MakeError(absl::StatusCode::kInvalidArgument, kSourceConfigInvalid,
                   absl::StrCat(kind, ": ", what));
}

absl::StatusOr<std::string> FolderOption(absl::string_view kind,
                                         const Options& options,
                                         absl::string_view name) {
  const std::string folder = options.Get(name);
  if (folder.empty() || folder.find('\0') != std::string::npos) {
    return ConfigInvalid(kind, absl::StrCat(name, "= must name a folder"));
  }
  std::error_code error;
  std::string absolute = std::filesystem::absolute(folder, error).string();
  if (error) return ConfigInvalid(kind, "the current folder is gone");
  return absolute;
}

absl::StatusOr<int> JobsOption(absl::string_view kind, const Options& options,
                               uint64_t otherwise, uint64_t most) {
  const uint64_t cores = std::max(1u, std::thread::hardware_concurrency());
  SLUICE_ASSIGN_OR_RETURN(
      const uint64_t jobs,
      options.GetInteger("jobs", std::min(cores, otherwise)));
  if (jobs < 1 || jobs > most) {
    return ConfigInvalid(kind, absl::StrCat("jobs= must be 1 to ", most));
  }
  return static_cast<int>(jobs);
}

absl::StatusOr<std::string> StoreIdOption(absl::string_view kind,
                                          const Options& options) {
  const std::string id = options.Get("store_id");
  if (options.Has("store_id") && !IsStoreId(id)) {
    return ConfigInvalid(kind,
                         "store_id= must be 1 to 128 bytes of [A-Za-z0-9._-]");
  }
  return id;
}

}  // namespace sluice::sdk
