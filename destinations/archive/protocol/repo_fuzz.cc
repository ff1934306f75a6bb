// Whatever sluice-repo.json holds: it is refused, or it has an id.

#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "absl/strings/string_view.h"
#include "sluice/base/error.h"
#include "sluice/destinations/archive/format/names.h"
#include "sluice/destinations/archive/protocol/repo.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice;
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<RepoInfo> repo = ParseRepo(bytes);
  if (!repo.ok()) {
    if (ErrorCodeOf(repo.status()) != kDestinationConfigInvalid) std::abort();
    return 0;
  }
  if (!IsBackupId(repo->id) || repo->version == 0) std::abort();
  const absl::StatusOr<RepoInfo> again = ParseRepo(EncodeRepo(*repo));
  if (!again.ok() || again->id != repo->id ||
      again->encryption_required != repo->encryption_required) {
    std::abort();
  }
  return 0;
}
