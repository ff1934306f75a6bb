#ifndef SLUICE_PLUGINS_BADGER_FORMAT_TABLE_H_
#define SLUICE_PLUGINS_BADGER_FORMAT_TABLE_H_

// One .sst file: sorted entries in blocks under checksums, which are always
// verified. See docs/format/badger.md.
//
//   SLUICE_ASSIGN_OR_RETURN(std::unique_ptr<Table> table,
//                           Table::Open(folder, listed, key, 8));
//   TableSource entries(std::move(table));
//   SLUICE_RETURN_IF_ERROR(entries.Seek(""));
//
// One thread. Memory: the table's index, one block as stored and one plain.
// Errors: source_failed, naming file and block; what RandomFile says.

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/base/file_system.h"
#include "sluice/plugins/badger/format/block.h"
#include "sluice/plugins/badger/format/entry.h"
#include "sluice/plugins/badger/format/entry_source.h"
#include "sluice/plugins/badger/format/manifest.h"
#include "sluice/plugins/badger/format/table_index.h"
#include "sluice/plugins/badger/wire/aes_key.h"
#include "sluice/plugins/badger/wire/random_file.h"

namespace sluice {
namespace badger {

std::string TableFileName(uint64_t id);

class Table {
 public:
  // Reads and verifies the index. `key`: null where MANIFEST says that the
  // table is not encrypted; else it must outlive the table.
  static absl::StatusOr<std::unique_ptr<Table>> Open(
      FileSystem& folder, const ManifestTable& listed, const AesKey* key,
      int manifest_version);

  const std::string& name() const { return file_->name(); }
  uint64_t file_size() const { return file_->size(); }
  const ManifestTable& listed() const { return listed_; }
  const TableIndex& index() const { return index_; }

  // Replaces `plain` by block `i`, and `block` by a view of it.
  absl::Status ReadBlock(size_t i, std::string& plain, Block& block);

 private:
  Table(std::unique_ptr<RandomFile> file, const ManifestTable& listed,
        const AesKey* key)
      : file_(std::move(file)), listed_(listed), key_(key) {}

  absl::Status ReadIndex(int manifest_version);
  // Where the index lies, and its checksum.
  absl::Status ReadFooter(uint64_t& begin, uint64_t& size, uint32_t& crc);
  absl::Status VerifyIndex(uint64_t begin, uint64_t size, uint32_t crc);
  // Cuts the IV off the end of `bytes` and decrypts the rest.
  absl::Status Decrypt(absl::string_view what, std::string& bytes) const;

  std::unique_ptr<RandomFile> file_;
  ManifestTable listed_;
  const AesKey* key_;
  TableIndex index_;
  std::string stored_;
};

// The entries of a table.
class TableSource final : public EntrySource {
 public:
  explicit TableSource(std::unique_ptr<Table> table)
      : table_(std::move(table)) {}

  const Table& table() const { return *table_; }

  absl::Status Seek(absl::string_view user_key) override;
  absl::Status Next() override;
  bool Valid() const override { return valid_; }
  InternalKey key() const override { return internal_key_; }
  // Of the last entry that was Valid; to be asked when none is any more.
  InternalKey last_key() const { return internal_key_; }
  StoredValue value() const override;

 private:
  absl::Status LoadBlock(size_t i);
  absl::Status Load();

  std::unique_ptr<Table> table_;
  size_t block_index_ = 0;
  std::string plain_;
  Block block_;
  size_t entry_ = 0;
  bool valid_ = false;
  std::string key_;
  std::string previous_key_;
  InternalKey internal_key_;
  TableValue value_;
};

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_FORMAT_TABLE_H_
