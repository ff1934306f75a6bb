#ifndef SLUICE_PLUGINS_BADGER_FORMAT_FLAT_TABLE_H_
#define SLUICE_PLUGINS_BADGER_FORMAT_FLAT_TABLE_H_

// The little of FlatBuffers that Badger's table index needs, read by hand:
// every position is checked before it is followed, so hostile bytes give false,
// and nothing beyond them is ever read.
//
//   FlatTable root;
//   FlatVector blocks;
//   if (!FlatTable::Root(bytes, root) || !root.Vector(0, 4, blocks)) ...
//
// Views live as long as the bytes. Pure, any thread.

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "sluice/plugins/badger/wire/byte_cursor.h"

namespace sluice {
namespace badger {

// Where a vector's elements lie in the buffer. Empty where the field is absent.
struct FlatVector {
  size_t begin = 0;
  size_t count = 0;
};

class FlatTable {
 public:
  FlatTable() = default;

  static bool Root(absl::string_view bytes, FlatTable& table) {
    return At(bytes, 0, table);
  }
  // The table that the u32 at `place` refers to.
  static bool At(absl::string_view bytes, size_t place, FlatTable& table) {
    uint64_t start = 0;
    if (!Follow(bytes, place, start) || !Fits(bytes, start, 4)) return false;
    const int64_t back = static_cast<int32_t>(LittleEndianAt(bytes, start, 4));
    const int64_t fields = static_cast<int64_t>(start) - back;
    if (fields < 0 || !Fits(bytes, static_cast<uint64_t>(fields), 4)) {
      return false;
    }
    table.bytes_ = bytes;
    table.start_ = start;
    table.fields_ = static_cast<uint64_t>(fields);
    table.fields_size_ = LittleEndianAt(bytes, table.fields_, 2);
    table.size_ = LittleEndianAt(bytes, table.fields_ + 2, 2);
    return table.fields_size_ >= 4 && table.size_ >= 4 &&
           Fits(bytes, table.fields_, table.fields_size_) &&
           Fits(bytes, start, table.size_);
  }

  // An absent scalar is 0.
  bool Scalar(size_t slot, size_t width, uint64_t& value) const {
    value = 0;
    uint64_t place = 0;
    if (!Field(slot, width, place)) return false;
    if (place != 0) value = LittleEndianAt(bytes_, place, width);
    return true;
  }
  bool Vector(size_t slot, size_t element_bytes, FlatVector& vector) const {
    vector = FlatVector();
    uint64_t place = 0;
    if (!Field(slot, 4, place)) return false;
    if (place == 0) return true;
    uint64_t start = 0;
    if (!Follow(bytes_, place, start) || !Fits(bytes_, start, 4)) return false;
    vector.begin = start + 4;
    vector.count = LittleEndianAt(bytes_, start, 4);
    return Fits(bytes_, vector.begin, vector.count * element_bytes);
  }

 private:
  static bool Fits(absl::string_view bytes, uint64_t at, uint64_t count) {
    return at <= bytes.size() && count <= bytes.size() - at;
  }
  static bool Follow(absl::string_view bytes, uint64_t place, uint64_t& start) {
    if (!Fits(bytes, place, 4)) return false;
    start = place + LittleEndianAt(bytes, place, 4);
    return true;
  }
  // `place` 0: the field is absent, which is no error.
  bool Field(size_t slot, size_t width, uint64_t& place) const {
    place = 0;
    const size_t entry = 4 + 2 * slot;
    if (entry + 2 > fields_size_) return true;
    const uint64_t offset = LittleEndianAt(bytes_, fields_ + entry, 2);
    if (offset == 0) return true;
    place = start_ + offset;
    return offset + width <= size_;
  }

  absl::string_view bytes_;
  uint64_t start_ = 0;
  uint64_t fields_ = 0;
  uint64_t fields_size_ = 0;
  uint64_t size_ = 0;
};

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_FORMAT_FLAT_TABLE_H_
