// Whatever KEYREGISTRY holds: it is refused with a word, or all its keys can be
// found.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "sluice/base/error.h"
#include "sluice/plugins/badger/format/key_registry.h"
#include "sluice/plugins/badger/testing/fuzz_bytes.h"
#include "sluice/plugins/badger/wire/aes_key.h"

namespace sluice {
namespace badger {
namespace {

constexpr absl::string_view kMasterKey = "0123456789abcdef";

void Check(absl::string_view file, absl::string_view master_key) {
  const auto registry = KeyRegistry::Parse(file, master_key);
  if (!registry.ok()) {
    if (!HasErrorCode(registry.status())) std::abort();
    return;
  }
  for (const auto& key : registry->keys()) {
    const auto found = registry->Find(key.first);
    if (key.first == 0 || !found.ok() || *found != &key.second) std::abort();
  }
  const auto none = registry->Find(0);
  if (!none.ok() || *none != nullptr) std::abort();
}

}  // namespace
}  // namespace badger
}  // namespace sluice

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace sluice::badger;
  const absl::string_view bytes(reinterpret_cast<const char*>(data), size);
  Check(bytes, "");
  Check(bytes, kMasterKey);
  const std::string iv(kIvBytes, 'i');
  std::string sanity = "Hello Badger";
  AesKey::Create(kMasterKey)->Apply(iv, absl::MakeSpan(sanity));
  Check(iv + sanity + LengthAndCrc(bytes), kMasterKey);
  return 0;
}
