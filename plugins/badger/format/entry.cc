#include "sluice/plugins/badger/format/entry.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace sluice {
namespace badger {

std::string Describe(const InternalKey& key) {
  constexpr size_t kShown = 64;
  const absl::string_view shown = key.user_key.substr(0, kShown);
  const bool is_text =
      !shown.empty() && std::all_of(shown.begin(), shown.end(), [](char byte) {
        return absl::ascii_isprint(byte);
      });
  return absl::StrCat(
      "key ",
      is_text ? std::string(shown) : "0x" + absl::BytesToHexString(shown),
      key.user_key.size() > kShown ? "…" : "", " version ", key.version);
}

bool ParseValuePointer(absl::string_view bytes, ValuePointer& pointer) {
  ByteCursor cursor(bytes);
  return bytes.size() == ValuePointer::kBytes &&
         cursor.LittleEndian32(pointer.file) &&
         cursor.LittleEndian32(pointer.size) &&
         cursor.LittleEndian32(pointer.offset);
}

bool ParseTableValue(absl::string_view bytes, TableValue& value) {
  ByteCursor cursor(bytes);
  if (!cursor.Byte(value.meta) || !cursor.Byte(value.user_meta) ||
      !cursor.Varint(value.expires_at)) {
    return false;
  }
  value.bytes = cursor.rest();
  return true;
}

}  // namespace badger
}  // namespace sluice
