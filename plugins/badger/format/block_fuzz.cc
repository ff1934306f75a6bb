// Whatever a block holds, stored or plain: it is refused with a word, or each
// of its entries is one, or is refused with a word.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/string_view.h"
#include "sluice/base/error.h"
#include "sluice/plugins/badger/format/block.h"
#include "sluice/plugins/badger/format/decompress.h"
#include "sluice/plugins/badger/format/entry.h"
#include "sluice/plugins/badger/format/manifest.h"
#include "sluice/plugins/badger/testing/fuzz_bytes.h"

namespace sluice {
namespace badger {
namespace {

void Check(absl::string_view plain) {
  Block block;
  const absl::Status status = block.Parse(plain, "block");
  if (!status.ok()) {
    if (!HasErrorCode(status)) std::abort();
    return;
  }
  std::string key;
  TableValue value;
  for (size_t i = 0; i < block.size(); ++i) {
    const absl::Status read = block.Read(i, key, value);
    if (!read.ok() && !HasErrorCode(read)) std::abort();
    if (read.ok() &&
        (key.size() < kVersionBytes || value.bytes.size() > plain.size())) {
      std::abort();
    }
  }
}

}  // namespace
}  // namespace badger
}  // namespace sluice

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice::badger;
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  Check(bytes);
  Check(WithChecksum(bytes));
  for (const Compression compression :
       {Compression::kSnappy, Compression::kZstd}) {
    std::string plain;
    if (Decompress(compression, bytes, plain)) Check(plain);
  }
  return 0;
}
