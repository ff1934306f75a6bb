// Whatever manifest.json holds: it is refused, or it is a manifest by every
// rule that its writer keeps, and no name in it leads anywhere else.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/string_view.h"
#include "sluice/base/error.h"
#include "sluice/destinations/archive/format/manifest.h"
#include "sluice/destinations/archive/format/names.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice;
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  const absl::string_view id = "01ARZ3NDEKTSV4RRFFQ69G5X01";
  const absl::StatusOr<Manifest> manifest = ParseManifest(bytes, id);
  if (!manifest.ok()) {
    const std::string code = ErrorCodeOf(manifest.status());
    if (code != kArchiveDamaged && code != kArchiveUnsupported) std::abort();
    return 0;
  }
  if (manifest->backup_id() != id) std::abort();
  for (int i = 0; i < manifest->segments_size(); ++i) {
    if (manifest->segments(i).name() != SegmentFile(i)) std::abort();
  }
  const absl::StatusOr<std::string> again = EncodeManifest(*manifest);
  if (!again.ok()) {
    if (!absl::IsResourceExhausted(again.status())) std::abort();
    return 0;
  }
  if (!ParseManifest(*again, id).ok()) std::abort();
  return 0;
}
