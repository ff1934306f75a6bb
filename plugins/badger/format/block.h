#ifndef SLUICE_PLUGINS_BADGER_FORMAT_BLOCK_H_
#define SLUICE_PLUGINS_BADGER_FORMAT_BLOCK_H_

// One block of a table: some entries in key order, under a checksum. See
// docs/format/badger.md.
//
//   Block block;
//   SLUICE_RETURN_IF_ERROR(block.Parse(plain, "000001.sst, block 0"));
//   for (size_t i = 0; i < block.size(); ++i) {
//     std::string key;
//     TableValue value;
//     SLUICE_RETURN_IF_ERROR(block.Read(i, key, value));
//   }
//
// A view: the bytes must outlive it. One thread.

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "sluice/plugins/badger/format/entry.h"

namespace sluice {
namespace badger {

class Block {
 public:
  // Of nothing.
  Block() = default;

  // `plain`: the block, decrypted and decompressed. Verifies the checksum and
  // the bounds of every entry. `name` is for messages. Errors: source_failed;
  // source_unavailable for a checksum of another kind.
  absl::Status Parse(absl::string_view plain, const std::string& name);

  size_t size() const { return count_; }

  // Replaces `key`, an internal key, by that of entry `i`, and `value` by its
  // value, which is a view into the block.
  absl::Status Read(size_t i, std::string& key, TableValue& value) const;

 private:
  size_t OffsetAt(size_t i) const;
  // Of the first entry's key, from which the others are told.
  size_t BaseKeySize() const;
  absl::Status CheckOffsets() const;
  absl::Status Broken(absl::string_view what) const;

  std::string name_;
  absl::string_view entries_;
  absl::string_view offsets_;
  size_t count_ = 0;
};

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_FORMAT_BLOCK_H_
