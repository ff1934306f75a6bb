#include "sluice/plugins/memory/store/memory_entry.h"

#include <algorithm>

#include "absl/strings/ascii.h"

namespace sluice {

bool IsValidPayloadId(absl::string_view id) {
  return !id.empty() && id.size() <= kMaxRefBytes &&
         std::none_of(id.begin(), id.end(), [](char c) {
           return absl::ascii_iscntrl(static_cast<unsigned char>(c));
         });
}

}  // namespace sluice
