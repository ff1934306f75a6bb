#ifndef SLUICE_PLUGINS_BADGER_RESTORE_TABLE_INDEX_WRITER_H_
#define SLUICE_PLUGINS_BADGER_RESTORE_TABLE_INDEX_WRITER_H_

// Builds the index at the end of a table, and its Bloom filter, in both forms:
// a FlatBuffers table for format 8, a Protobuf message for format 7. See
// docs/format/badger.md.
//
//   IndexParts parts;
//   parts.blocks.push_back({first internal key, offset, stored size});
//   parts.bloom_filter = BuildBloomFilter(hashes);
//   std::string index = BuildIndex8(parts);
//
// Pure, any thread. Memory: the index, some 40 bytes and a key a block.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace sluice {
namespace badger {

struct IndexBlock {
  std::string key;  // internal
  uint32_t offset = 0;
  uint32_t size = 0;  // as stored
};

struct IndexParts {
  std::vector<IndexBlock> blocks;
  std::string bloom_filter;
  uint64_t max_version = 0;
  uint32_t entries = 0;
  uint32_t uncompressed_bytes = 0;
  uint32_t block_bytes = 0;  // all blocks as stored
};

std::string BuildIndex8(const IndexParts& parts);
std::string BuildIndex7(const IndexParts& parts);

// The hash of a user key that Badger 3 and 4 look up.
uint32_t BloomHash(absl::string_view user_key);
// Of format 8; about one lookup in a hundred for a key that is not there passes
// it. `hashes`: of each key once.
std::string BuildBloomFilter8(absl::Span<const uint32_t> hashes);
// Of format 7, which must have one: says "maybe" of every key, so that a lookup
// reads the block in which the key would be.
std::string BuildBloomFilter7();

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_RESTORE_TABLE_INDEX_WRITER_H_
