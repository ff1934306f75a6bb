#include "sluice/destinations/archive/format/utf8.h"

#include "sluice/base/text/utf8.h"

namespace sluice {

std::string ToBoundedUtf8(absl::string_view text, size_t most) {
  std::string out;
  while (!text.empty()) {
    const size_t length = Utf8CharacterLength(text);
    const size_t taken = length == 0 ? 1 : length;
    if (out.size() + taken > most) break;
    if (length == 0) {
      out.push_back('?');
    } else {
      out.append(text.data(), length);
    }
    text.remove_prefix(taken);
  }
  return out;
}

}  // namespace sluice
