#include "sluice/destinations/local/factory.h"

#include <filesystem>
#include <memory>
#include <string>
#include <system_error>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/destinations/local/local_object_store.h"
#include "sluice/plugins/sdk/options.h"
#include "sluice/plugins/sdk/place.h"

namespace sluice {
namespace {

absl::StatusOr<std::unique_ptr<sdk::Place>> CreateLocal(
    const sdk::Host& host, const sdk::Options& options) {
  LocalOptions local;
  const std::string path = options.Get("path");
  if (path.empty() || path.find('\0') != std::string::npos) {
    return WithHint(
        MakeError(absl::StatusCode::kInvalidArgument, kDestinationConfigInvalid,
                  "local: the path of a folder is missing"),
        "local:/mnt/backups");
  }
  std::error_code error;
  // Once, now: a later change of the process's folder must not move the place.
  local.path = std::filesystem::absolute(path, error).string();
  if (error) {
    return MakeError(absl::StatusCode::kInvalidArgument,
                     kDestinationConfigInvalid,
                     "local: the current folder is gone, a relative path leads "
                     "nowhere");
  }
  SLUICE_ASSIGN_OR_RETURN(local.allow_unsynced,
                          options.GetBoolean("allow_unsynced", false));
  return std::make_unique<LocalObjectStore>(local);
}

constexpr sluice_option_spec kOptions[] = {
    sdk::Option("path", SLUICE_OPTION_PATH, SLUICE_OPTION_REQUIRED, "",
                "the folder that holds the backups"),
    sdk::Option("allow_unsynced", SLUICE_OPTION_BOOLEAN, 0, "false",
                "use a file system that cannot sync folders (SMB); a power cut "
                "may then lose a backup that was reported as made"),
};

}  // namespace

constinit const sluice_factory kLocalPlace = sdk::PlaceFactory<&CreateLocal>(
    "local", "A folder of a file system.\nlocal:/mnt/backups", kOptions);

}  // namespace sluice
