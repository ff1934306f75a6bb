// Whatever a table's index holds, as FlatBuffers and as Protobuf: it is refused
// with a word, or its blocks lie one after the other with ascending keys.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "sluice/base/error.h"
#include "sluice/plugins/badger/format/entry.h"
#include "sluice/plugins/badger/format/table_index.h"

namespace sluice {
namespace badger {
namespace {

void Check(int version, const std::string& bytes) {
  const auto index = TableIndex::Parse(version, bytes, "index");
  if (!index.ok()) {
    if (!HasErrorCode(index.status())) std::abort();
    return;
  }
  uint64_t end = 0;
  InternalKey previous;
  for (size_t i = 0; i < index->size(); ++i) {
    const TableIndex::BlockRef block = index->BlockAt(i);
    InternalKey key;
    if (block.offset != end || !ParseInternalKey(block.key, key) ||
        (i > 0 && Compare(previous, key) >= 0) ||
        index->BlockFor(key.user_key, key.version) != i) {
      std::abort();
    }
    end += block.size;
    previous = key;
  }
  if (index->size() == 0 || end != index->blocks_end()) std::abort();
}

}  // namespace
}  // namespace badger
}  // namespace sluice

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  sluice::badger::Check(8, bytes);
  sluice::badger::Check(7, bytes);
  return 0;
}
