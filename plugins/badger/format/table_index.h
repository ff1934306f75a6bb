#ifndef SLUICE_PLUGINS_BADGER_FORMAT_TABLE_INDEX_H_
#define SLUICE_PLUGINS_BADGER_FORMAT_TABLE_INDEX_H_

// The index of a table: where its blocks lie and with which key each begins.
// FlatBuffers in format 8, Protobuf in format 7. See docs/format/badger.md.
//
//   SLUICE_ASSIGN_OR_RETURN(TableIndex index,
//                           TableIndex::Parse(8, bytes, "000001.sst"));
//   for (size_t i = 0; i < index.size(); ++i) Read(index.BlockAt(i));
//
// Holds the bytes and 16 more a block. Immutable after Parse, so any thread.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace sluice {
namespace badger {

class TableIndex {
 public:
  struct BlockRef {
    absl::string_view key;  // internal; lives as long as the index
    uint32_t offset = 0;
    uint32_t size = 0;  // as stored
  };

  // `manifest_version`: 7 or 8. `bytes`: the index, decrypted. Checked: every
  // length and position; that blocks follow one another from offset 0 on; that
  // their keys ascend. `name` is for messages. Errors: source_failed.
  static absl::StatusOr<TableIndex> Parse(int manifest_version,
                                          std::string bytes,
                                          const std::string& name);

  size_t size() const { return blocks_.size(); }
  BlockRef BlockAt(size_t i) const;
  // Where the last block ends.
  uint64_t blocks_end() const { return blocks_end_; }

  // Of format 8; 0 of format 7.
  uint64_t max_version() const { return max_version_; }
  uint32_t key_count() const { return key_count_; }

  // The last block whose first key is not above (`user_key`, `version`); 0
  // where there is none: an entry with that key is in it or in the next.
  size_t BlockFor(absl::string_view user_key, uint64_t version) const;

 private:
  // Positions rather than views: moving a string may move its bytes.
  struct Place {
    uint32_t key_at;
    uint32_t key_size;
    uint32_t offset;
    uint32_t size;
  };

  absl::Status ParseFlatBuffers(const std::string& name);
  absl::Status ParseProtobuf(const std::string& name);
  absl::Status CheckBlocks(const std::string& name);

  std::string bytes_;
  std::vector<Place> blocks_;
  uint64_t blocks_end_ = 0;
  uint64_t max_version_ = 0;
  uint32_t key_count_ = 0;
};

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_FORMAT_TABLE_INDEX_H_
