#include "sluice/plugins/badger/format/table_index.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/badger/format/entry.h"
#include "sluice/plugins/badger/format/flat_table.h"
#include "sluice/plugins/badger/wire/image_error.h"
#include "sluice/plugins/badger/wire/pb_wire.h"

namespace sluice {
namespace badger {
namespace {

constexpr uint64_t kMaxIndexBytes = UINT32_MAX;  // positions are 32 bits

// Slots of FlatBuffers' tables.
constexpr size_t kOffsetsSlot = 0;
constexpr size_t kMaxVersionSlot = 2;
constexpr size_t kKeyCountSlot = 3;
constexpr size_t kBlockKeySlot = 0;
constexpr size_t kBlockOffsetSlot = 1;
constexpr size_t kBlockSizeSlot = 2;

InternalKey KeyOf(absl::string_view bytes) {
  InternalKey key;
  ParseInternalKey(bytes, key);
  return key;
}

}  // namespace

absl::StatusOr<TableIndex> TableIndex::Parse(int manifest_version,
                                             std::string bytes,
                                             const std::string& name) {
  TableIndex index;
  index.bytes_ = std::move(bytes);
  if (index.bytes_.size() > kMaxIndexBytes) {
    return Damaged(name, "its index is too long");
  }
  if (manifest_version >= 8) {
    SLUICE_RETURN_IF_ERROR(index.ParseFlatBuffers(name));
  } else {
    SLUICE_RETURN_IF_ERROR(index.ParseProtobuf(name));
  }
  SLUICE_RETURN_IF_ERROR(index.CheckBlocks(name));
  return index;
}

absl::Status TableIndex::ParseFlatBuffers(const std::string& name) {
  const absl::string_view bytes(bytes_);
  FlatTable root;
  FlatVector offsets;
  uint64_t key_count = 0;
  if (!FlatTable::Root(bytes, root) || !root.Vector(kOffsetsSlot, 4, offsets) ||
      !root.Scalar(kMaxVersionSlot, 8, max_version_) ||
      !root.Scalar(kKeyCountSlot, 4, key_count)) {
    return Damaged(name, "its index is not a FlatBuffers table");
  }
  key_count_ = static_cast<uint32_t>(key_count);
  blocks_.reserve(offsets.count);
  for (size_t i = 0; i < offsets.count; ++i) {
    FlatTable block;
    FlatVector key;
    uint64_t offset = 0;
    uint64_t size = 0;
    if (!FlatTable::At(bytes, offsets.begin + 4 * i, block) ||
        !block.Vector(kBlockKeySlot, 1, key) ||
        !block.Scalar(kBlockOffsetSlot, 4, offset) ||
        !block.Scalar(kBlockSizeSlot, 4, size)) {
      return Damaged(name,
                     absl::StrCat("block ", i, " of its index is malformed"));
    }
    blocks_.push_back(
        {static_cast<uint32_t>(key.begin), static_cast<uint32_t>(key.count),
         static_cast<uint32_t>(offset), static_cast<uint32_t>(size)});
  }
  return absl::OkStatus();
}

absl::Status TableIndex::ParseProtobuf(const std::string& name) {
  PbReader reader(bytes_);
  PbField field;
  while (reader.Next(field)) {
    if (!field.IsBytes(1)) continue;
    absl::string_view key;
    uint64_t offset = 0;
    uint64_t size = 0;
    PbReader block(field.bytes);
    PbField part;
    while (block.Next(part)) {
      if (part.IsBytes(1)) key = part.bytes;
      if (part.IsVarint(2)) offset = part.value;
      if (part.IsVarint(3)) size = part.value;
    }
    if (!block.ok() || offset > UINT32_MAX || size > UINT32_MAX) {
      return Damaged(name, absl::StrCat("block ", blocks_.size(),
                                        " of its index is malformed"));
    }
    const size_t at = key.empty() ? 0 : key.data() - bytes_.data();
    blocks_.push_back(
        {static_cast<uint32_t>(at), static_cast<uint32_t>(key.size()),
         static_cast<uint32_t>(offset), static_cast<uint32_t>(size)});
  }
  if (!reader.ok()) return Damaged(name, "its index is malformed");
  return absl::OkStatus();
}

absl::Status TableIndex::CheckBlocks(const std::string& name) {
  InternalKey previous;
  for (size_t i = 0; i < blocks_.size(); ++i) {
    const BlockRef block = BlockAt(i);
    InternalKey key;
    if (!ParseInternalKey(block.key, key)) {
      return Damaged(name, absl::StrCat("the key of block ", i, " has ",
                                        block.key.size(), " bytes"));
    }
    if (i > 0 && Compare(previous, key) >= 0) {
      return Damaged(name, absl::StrCat("the key of block ", i,
                                        " is not above the one before"));
    }
    if (block.offset != blocks_end_ || block.size == 0) {
      return Damaged(
          name, absl::StrCat("block ", i, " does not follow the one before"));
    }
    blocks_end_ += block.size;
    previous = key;
  }
  if (blocks_.empty()) return Damaged(name, "its index has no blocks");
  return absl::OkStatus();
}

TableIndex::BlockRef TableIndex::BlockAt(size_t i) const {
  const Place& place = blocks_[i];
  return {absl::string_view(bytes_).substr(place.key_at, place.key_size),
          place.offset, place.size};
}

size_t TableIndex::BlockFor(absl::string_view user_key,
                            uint64_t version) const {
  const InternalKey wanted = {user_key, version};
  size_t low = 0;
  size_t high = blocks_.size();
  while (high - low > 1) {
    const size_t middle = low + (high - low) / 2;
    if (Compare(KeyOf(BlockAt(middle).key), wanted) <= 0) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return low;
}

}  // namespace badger
}  // namespace sluice
