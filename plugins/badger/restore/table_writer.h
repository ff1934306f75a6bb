#ifndef SLUICE_PLUGINS_BADGER_RESTORE_TABLE_WRITER_H_
#define SLUICE_PLUGINS_BADGER_RESTORE_TABLE_WRITER_H_

// Writes one table (.sst) of a Badger directory, values in it, not encrypted.
//
//   TableWriter table(options, [&file](absl::string_view bytes) {
//     return file.Append(bytes);
//   });
//   for (...) SLUICE_RETURN_IF_ERROR(table.Add(entry));
//   SLUICE_RETURN_IF_ERROR(table.Finish());
//
// Entries are given in the order of CompareEntries, each once. All versions of
// a key belong into one table.
//
// One thread. Memory: a block, twice where it is compressed; the index, some 60
// bytes a block; four bytes a key. Add copies. Errors are those of `output`,
// and then the writer is of no more use; archive_unsupported where the table
// outgrows kMaxTableBytes: offsets in it have 32 bits.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "sluice/plugins/badger/format/manifest.h"
#include "sluice/plugins/badger/restore/table_index_writer.h"
#include "sluice/plugins/badger/sort/stream_entry.h"

namespace sluice {
namespace badger {

// By the version that MANIFEST has.
enum class DiskFormat : uint16_t {
  kBadger2 = 7,
  kBadger4 = 8,  // and 3
};

struct TableOptions {
  DiskFormat format = DiskFormat::kBadger4;
  // What MANIFEST then says of the table. Snappy is Badger's own choice.
  Compression compression = Compression::kSnappy;
  // A block ends once it has so many bytes; a lookup reads one block.
  size_t block_bytes = 4096;
};

class TableWriter {
 public:
  using Output = std::function<absl::Status(absl::string_view)>;

  static constexpr uint64_t kMaxTableBytes = uint64_t{7} << 29;  // 3.5 GiB

  TableWriter(TableOptions options, Output output);

  absl::Status Add(const StreamEntry& entry);
  // Writes the last block and the index. Not for a table without entries.
  absl::Status Finish();

  // As stored, of the blocks that are closed.
  uint64_t block_bytes() const { return block_bytes_; }
  uint64_t entries() const { return entries_; }
  uint64_t max_version() const { return parts_.max_version; }

 private:
  void AppendEntry(const StreamEntry& entry);
  absl::Status CloseBlock();
  // Points `stored` to what of block_ is written.
  absl::Status Compress(absl::string_view& stored);

  const TableOptions options_;
  const Output output_;
  std::string block_;
  std::vector<uint32_t> entry_offsets_;  // in block_
  std::string base_key_;                 // of block_, internal
  std::string internal_key_;
  std::string compressed_;
  std::string last_key_;
  std::vector<uint32_t> key_hashes_;
  uint64_t block_bytes_ = 0;
  uint64_t uncompressed_bytes_ = 0;
  uint64_t entries_ = 0;
  IndexParts parts_;
};

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_RESTORE_TABLE_WRITER_H_
