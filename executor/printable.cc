#include "sluice/executor/printable.h"

#include <cstdint>

#include "absl/strings/str_cat.h"
#include "sluice/base/text/utf8.h"

namespace sluice {
namespace {

constexpr absl::string_view kCut = "...";

bool IsControl(char c) {
  const uint8_t byte = static_cast<uint8_t>(c);
  return (byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7f;
}

}  // namespace

std::string Printable(absl::string_view text, size_t max_bytes) {
  std::string result;
  size_t fits = 0;  // of `result`, with room for kCut
  while (!text.empty()) {
    const size_t length = Utf8CharacterLength(text);
    if (length == 0 || IsControl(text[0])) {
      absl::StrAppend(
          &result, "\\x",
          absl::Hex(static_cast<uint8_t>(text[0]), absl::kZeroPad2));
      text.remove_prefix(1);
    } else {
      result.append(text.data(), length);
      text.remove_prefix(length);
    }
    if (result.size() > max_bytes) {
      result.resize(fits);
      return absl::StrCat(result, kCut);
    }
    if (result.size() + kCut.size() <= max_bytes) fits = result.size();
  }
  return result;
}

}  // namespace sluice
