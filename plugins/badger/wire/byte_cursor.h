#ifndef SLUICE_PLUGINS_BADGER_WIRE_BYTE_CURSOR_H_
#define SLUICE_PLUGINS_BADGER_WIRE_BYTE_CURSOR_H_

// Reads integers and byte strings from the front of a view, and never beyond
// its end.
//
//   ByteCursor cursor(bytes);
//   uint32_t length;
//   absl::string_view body;
//   if (!cursor.BigEndian32(length) || !cursor.Bytes(length, body)) {
//     return Damaged(...);
//   }
//
// Each read returns false where too few bytes are left (or a varint has no
// end), and then takes nothing. The views that it gives live as long as the
// bytes that it was made of. One thread.

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"

namespace sluice {
namespace badger {

inline uint64_t BigEndianAt(absl::string_view bytes, size_t at, size_t width) {
  uint64_t value = 0;
  for (size_t i = 0; i < width; ++i) {
    value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  }
  return value;
}

inline uint64_t LittleEndianAt(absl::string_view bytes, size_t at,
                               size_t width) {
  uint64_t value = 0;
  for (size_t i = width; i > 0; --i) {
    value = value << 8 | static_cast<unsigned char>(bytes[at + i - 1]);
  }
  return value;
}

class ByteCursor {
 public:
  explicit ByteCursor(absl::string_view bytes) : rest_(bytes) {}

  absl::string_view rest() const { return rest_; }
  bool empty() const { return rest_.empty(); }

  bool Bytes(uint64_t count, absl::string_view& bytes) {
    if (count > rest_.size()) return false;
    bytes = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return true;
  }
  bool Byte(uint8_t& value) {
    absl::string_view bytes;
    if (!Bytes(1, bytes)) return false;
    value = static_cast<uint8_t>(bytes[0]);
    return true;
  }
  bool BigEndian16(uint16_t& value) { return Integer<true>(value); }
  bool BigEndian32(uint32_t& value) { return Integer<true>(value); }
  bool BigEndian64(uint64_t& value) { return Integer<true>(value); }
  bool LittleEndian16(uint16_t& value) { return Integer<false>(value); }
  bool LittleEndian32(uint32_t& value) { return Integer<false>(value); }
  bool LittleEndian64(uint64_t& value) { return Integer<false>(value); }

  // Seven bits a byte, low ones first; ten bytes and 64 bits at most.
  bool Varint(uint64_t& value) {
    uint64_t result = 0;
    for (size_t i = 0; i < rest_.size() && i < 10; ++i) {
      const uint64_t byte = static_cast<unsigned char>(rest_[i]);
      if (i == 9 && byte > 1) return false;
      result |= (byte & 0x7f) << (7 * i);
      if (byte < 0x80) {
        value = result;
        rest_.remove_prefix(i + 1);
        return true;
      }
    }
    return false;
  }

 private:
  template <bool kBigEndian, typename T>
  bool Integer(T& value) {
    absl::string_view bytes;
    if (!Bytes(sizeof(T), bytes)) return false;
    value = static_cast<T>(kBigEndian ? BigEndianAt(bytes, 0, sizeof(T))
                                      : LittleEndianAt(bytes, 0, sizeof(T)));
    return true;
  }

  absl::string_view rest_;
};

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_WIRE_BYTE_CURSOR_H_
