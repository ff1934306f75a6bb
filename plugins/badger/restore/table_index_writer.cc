#include "sluice/plugins/badger/restore/table_index_writer.h"

#include <algorithm>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "sluice/plugins/badger/wire/pb_wire.h"

namespace sluice {
namespace badger {
namespace {

// Ten bits a key and six probes: one in a hundred passes by mistake.
constexpr uint64_t kBitsPerKey = 10;
constexpr uint8_t kProbes = 6;
constexpr uint64_t kLeastBits = 64;

void AppendInteger(uint64_t value, size_t width, std::string& out) {
  for (size_t i = 0; i < width; ++i) {
    out.push_back(static_cast<char>(value >> (8 * i)));
  }
}

size_t AlignedTo4(size_t size) { return (size + 3) & ~size_t{3}; }

void PadTo4(std::string& out) { out.resize(AlignedTo4(out.size()), '\0'); }

// A vector of bytes: its count, then they.
void AppendFlatBytes(absl::string_view bytes, std::string& out) {
  AppendInteger(bytes.size(), 4, out);
  out.append(bytes.data(), bytes.size());
}

// The root's place, its vtable and the table itself; all else follows at
// kVectorAt. Offsets of a vtable count from its table, of a table from the
// field that holds them.
constexpr size_t kRootVtableAt = 4;
constexpr size_t kRootTableAt = 24;
constexpr size_t kVectorAt = kRootTableAt + 36;
constexpr size_t kBlockVtableBytes = 12;  // with two of padding
constexpr size_t kBlockTableBytes = 16;

void AppendRoot(const IndexParts& parts, size_t bloom_at, size_t index_bytes,
                std::string& out) {
  AppendInteger(kRootTableAt, 4, out);
  // Its own size, the table's, then where the table has each field: offsets,
  // bloom_filter, max_version, key_count, uncompressed_size, on_disk_size,
  // stale_data_size.
  for (const uint64_t slot : {18, 36, 4, 8, 16, 12, 24, 28, 32}) {
    AppendInteger(slot, 2, out);
  }
  PadTo4(out);
  AppendInteger(kRootTableAt - kRootVtableAt, 4, out);
  AppendInteger(kVectorAt - (kRootTableAt + 4), 4, out);
  AppendInteger(bloom_at - (kRootTableAt + 8), 4, out);
  AppendInteger(parts.entries, 4, out);
  AppendInteger(parts.max_version, 8, out);
  AppendInteger(parts.uncompressed_bytes, 4, out);
  AppendInteger(parts.block_bytes + index_bytes, 4, out);
  AppendInteger(0, 4, out);
}

// `vtable_at` is that of every block's table.
void AppendBlock(const IndexBlock& block, size_t vtable_at, std::string& out) {
  AppendInteger(out.size() - vtable_at, 4, out);
  AppendInteger(kBlockTableBytes - 4, 4, out);  // the key follows the table
  AppendInteger(block.offset, 4, out);
  AppendInteger(block.size, 4, out);
  AppendFlatBytes(block.key, out);
  PadTo4(out);
}

size_t FlatBlockBytes(const IndexBlock& block) {
  return kBlockTableBytes + AlignedTo4(4 + block.key.size());
}

}  // namespace

std::string BuildIndex8(const IndexParts& parts) {
  const size_t vtable_at = kVectorAt + 4 + 4 * parts.blocks.size();
  const size_t blocks_at = vtable_at + kBlockVtableBytes;
  size_t bloom_at = blocks_at;
  for (const IndexBlock& block : parts.blocks) {
    bloom_at += FlatBlockBytes(block);
  }
  const size_t index_bytes = bloom_at + 4 + parts.bloom_filter.size();
  std::string out;
  out.reserve(index_bytes);
  AppendRoot(parts, bloom_at, index_bytes, out);
  AppendInteger(parts.blocks.size(), 4, out);
  size_t block_at = blocks_at;
  for (const IndexBlock& block : parts.blocks) {
    AppendInteger(block_at - out.size(), 4, out);
    block_at += FlatBlockBytes(block);
  }
  // Its own size, the table's, then where the table has key, offset and len.
  for (const uint64_t slot : {10, 16, 4, 8, 12}) AppendInteger(slot, 2, out);
  PadTo4(out);
  for (const IndexBlock& block : parts.blocks) {
    AppendBlock(block, vtable_at, out);
  }
  AppendFlatBytes(parts.bloom_filter, out);
  return out;
}

std::string BuildIndex7(const IndexParts& parts) {
  std::string out;
  std::string offset;
  for (const IndexBlock& block : parts.blocks) {
    offset.clear();
    AppendPbBytes(1, block.key, offset);
    AppendPbVarint(2, block.offset, offset);
    AppendPbVarint(3, block.size, offset);
    AppendPbBytes(1, offset, out);
  }
  AppendPbBytes(2, parts.bloom_filter, out);
  AppendPbVarint(3, parts.block_bytes + out.size(), out);
  return out;
}

uint32_t BloomHash(absl::string_view user_key) {
  constexpr uint32_t kMultiplier = 0xc6a4a793;
  const auto byte = [user_key](size_t at) {
    return uint32_t{static_cast<unsigned char>(user_key[at])};
  };
  uint32_t hash =
      0xbc9f1d34 ^ (static_cast<uint32_t>(user_key.size()) * kMultiplier);
  size_t at = 0;
  for (; at + 4 <= user_key.size(); at += 4) {
    hash +=
        byte(at) | byte(at + 1) << 8 | byte(at + 2) << 16 | byte(at + 3) << 24;
    hash *= kMultiplier;
    hash ^= hash >> 16;
  }
  if (at == user_key.size()) return hash;
  for (size_t i = 0; at + i < user_key.size(); ++i) {
    hash += byte(at + i) << (8 * i);
  }
  hash *= kMultiplier;
  return hash ^ hash >> 24;
}

std::string BuildBloomFilter8(absl::Span<const uint32_t> hashes) {
  const uint64_t least = std::max(kLeastBits, hashes.size() * kBitsPerKey);
  std::string filter((least + 7) / 8, '\0');
  const uint32_t bits = static_cast<uint32_t>(filter.size() * 8);
  for (uint32_t hash : hashes) {
    const uint32_t delta = hash >> 17 | hash << 15;
    for (uint8_t probe = 0; probe < kProbes; ++probe) {
      const uint32_t bit = hash % bits;
      filter[bit / 8] = static_cast<char>(filter[bit / 8] | 1 << (bit % 8));
      hash += delta;
    }
  }
  filter.push_back(static_cast<char>(kProbes));
  return filter;
}

std::string BuildBloomFilter7() {
  std::string encoded;
  absl::Base64Escape(std::string(64, '\xff'), &encoded);
  return absl::StrCat("{\"FilterSet\":\"", encoded, "\",\"SetLocs\":7}");
}

}  // namespace badger
}  // namespace sluice
