// Whatever a value is: it cannot be decoded, or each id is one, and written as
// an object of its own comes back.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "sluice/plugins/badger/stream/payload_ids.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using sluice::badger::DecodePayloadIds;
  const absl::string_view json(reinterpret_cast<const char*>(data), size);
  const absl::optional<std::vector<std::string>> ids =
      DecodePayloadIds(json, "blocks");
  if (!ids.has_value()) return 0;
  for (const std::string& id : *ids) {
    if (id.empty() || id.size() > 1024 ||
        std::any_of(id.begin(), id.end(), absl::ascii_iscntrl)) {
      std::abort();
    }
  }
  const std::string written = nlohmann::json{{"blocks", *ids}}.dump();
  if (DecodePayloadIds(written, "blocks") != ids) std::abort();
  return 0;
}
