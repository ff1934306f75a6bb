// Whatever SHA256SUMS holds: it is refused, or it is to the byte what the
// writer makes of the same lines.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "sluice/base/error.h"
#include "sluice/destinations/archive/format/names.h"
#include "sluice/destinations/archive/format/sums.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice;
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  const absl::StatusOr<std::vector<FileSum>> sums = ParseSums(bytes);
  if (!sums.ok()) {
    if (ErrorCodeOf(sums.status()) != kArchiveDamaged) std::abort();
    return 0;
  }
  for (const FileSum& sum : *sums) {
    if (!IsArchiveFile(sum.file)) std::abort();
  }
  const absl::StatusOr<std::string> again = EncodeSums(*sums);
  if (!again.ok() || *again != bytes) std::abort();
  return 0;
}
