// Whatever MANIFEST holds: it is refused with a word, or what was read of it is
// its beginning and reads the same again.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/string_view.h"
#include "sluice/base/error.h"
#include "sluice/plugins/badger/format/manifest.h"
#include "sluice/plugins/badger/testing/fuzz_bytes.h"

namespace sluice {
namespace badger {
namespace {

void Check(absl::string_view file) {
  const auto manifest = ParseManifest(file);
  if (!manifest.ok()) {
    if (!HasErrorCode(manifest.status())) std::abort();
    return;
  }
  if (manifest->valid_bytes > file.size() ||
      manifest->is_cut != (manifest->valid_bytes < file.size())) {
    std::abort();
  }
  const auto again = ParseManifest(file.substr(0, manifest->valid_bytes));
  // Cut before its first record it is refused.
  if (!again.ok() && manifest->valid_bytes > 8) std::abort();
  if (again.ok() && again->tables.size() != manifest->tables.size()) {
    std::abort();
  }
  for (const auto& table : manifest->tables) {
    if (manifest->deleted.count(table.first) > 0) std::abort();
  }
}

}  // namespace
}  // namespace badger
}  // namespace sluice

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice::badger;
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  Check(bytes);
  const std::string header("Bdgr\0\0\0\x08", 8);
  Check(header + LengthAndCrc(bytes));
  Check(header + LengthAndCrc("") + LengthAndCrc(bytes));
  return 0;
}
