#include "sluice/plugins/badger/format/block.h"

#include "absl/strings/str_cat.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/badger/wire/checksum.h"
#include "sluice/plugins/badger/wire/crc32c.h"
#include "sluice/plugins/badger/wire/image_error.h"

namespace sluice {
namespace badger {
namespace {

constexpr size_t kEntryHeaderBytes = 4;

// Takes `count` bytes from the end of `bytes`.
bool TakeBack(absl::string_view& bytes, uint64_t count,
              absl::string_view& taken) {
  if (count > bytes.size()) return false;
  taken = bytes.substr(bytes.size() - count);
  bytes.remove_suffix(count);
  return true;
}

}  // namespace

absl::Status Block::Parse(absl::string_view plain, const std::string& name) {
  name_ = name;
  count_ = 0;
  absl::string_view length;
  absl::string_view checksum;
  if (!TakeBack(plain, 4, length) ||
      BigEndianAt(length, 0, 4) > kMaxChecksumBytes ||
      !TakeBack(plain, BigEndianAt(length, 0, 4), checksum)) {
    return Broken("its checksum is out of bounds");
  }
  uint32_t crc = 0;
  switch (ParseChecksum(checksum, crc)) {
    case ChecksumKind::kDamaged:
      return Broken("its checksum is malformed");
    case ChecksumKind::kUnknownAlgorithm:
      return Unreadable(name_, "a checksum that is not CRC-32C");
    case ChecksumKind::kCrc32c:
      break;
  }
  if (Crc32c(plain) != crc) return Broken("checksum mismatch");
  absl::string_view count;
  if (!TakeBack(plain, 4, count) ||
      !TakeBack(plain, 4 * BigEndianAt(count, 0, 4), offsets_)) {
    return Broken("its list of entries is out of bounds");
  }
  entries_ = plain;
  count_ = offsets_.size() / 4;
  return CheckOffsets();
}

size_t Block::OffsetAt(size_t i) const {
  return i == count_ ? entries_.size() : LittleEndianAt(offsets_, 4 * i, 4);
}

size_t Block::BaseKeySize() const { return LittleEndianAt(entries_, 2, 2); }

absl::Status Block::CheckOffsets() const {
  if (count_ == 0 || OffsetAt(0) != 0 || entries_.size() < kEntryHeaderBytes ||
      kEntryHeaderBytes + BaseKeySize() > OffsetAt(1)) {
    return Broken("it has no first entry");
  }
  for (size_t i = 0; i < count_; ++i) {
    if (OffsetAt(i + 1) > entries_.size() ||
        OffsetAt(i) + kEntryHeaderBytes > OffsetAt(i + 1)) {
      return Broken(absl::StrCat("entry ", i, " is out of bounds"));
    }
  }
  return absl::OkStatus();
}

absl::Status Block::Read(size_t i, std::string& key, TableValue& value) const {
  const size_t begin = OffsetAt(i);
  ByteCursor cursor(entries_.substr(begin, OffsetAt(i + 1) - begin));
  uint16_t overlap = 0;
  uint16_t rest = 0;
  absl::string_view suffix;
  if (!cursor.LittleEndian16(overlap) || !cursor.LittleEndian16(rest) ||
      !cursor.Bytes(rest, suffix) || !ParseTableValue(cursor.rest(), value)) {
    return Broken(absl::StrCat("entry ", i, " is truncated"));
  }
  // The first key is the one that all others are told from.
  const absl::string_view base =
      entries_.substr(kEntryHeaderBytes, BaseKeySize());
  if (overlap > (i == 0 ? 0 : base.size()) ||
      overlap + suffix.size() < kVersionBytes) {
    return Broken(absl::StrCat("the key of entry ", i, " is truncated"));
  }
  key.assign(base.data(), overlap);
  key.append(suffix.data(), suffix.size());
  return absl::OkStatus();
}

absl::Status Block::Broken(absl::string_view what) const {
  return Damaged(name_, what);
}

}  // namespace badger
}  // namespace sluice
