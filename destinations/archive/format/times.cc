#include "sluice/destinations/archive/format/times.h"

namespace sluice {

bool ReadTime(absl::string_view text, absl::Time& time) {
  // "infinite-future" is no time here.
  return !text.empty() && text[0] >= '0' && text[0] <= '9' &&
         text.size() <= 40 &&
         absl::ParseTime(absl::RFC3339_full, text, &time, nullptr);
}

}  // namespace sluice
