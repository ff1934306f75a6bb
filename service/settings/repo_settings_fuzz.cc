// Whatever is a repo's settings says the same once it was written anew.

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/base/error.h"
#include "sluice/service/settings/repo_settings.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice::service;
  const absl::string_view text(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<RepoSettings> settings = ParseRepoSettings(text);
  if (!settings.ok()) {
    if (sluice::ErrorCodeOf(settings.status()) != sluice::kInvalidArgument)
      std::abort();
    return 0;
  }
  const Json once = RepoSettingsJson(*settings);
  const absl::StatusOr<RepoSettings> again = ParseRepoSettings(once.dump());
  if (!again.ok() || RepoSettingsJson(*again) != once) std::abort();
  return 0;
}
