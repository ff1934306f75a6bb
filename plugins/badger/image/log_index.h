#ifndef SLUICE_PLUGINS_BADGER_IMAGE_LOG_INDEX_H_
#define SLUICE_PLUGINS_BADGER_IMAGE_LOG_INDEX_H_

// The records that the logs of a directory hold beside its tables, sorted: what
// Badger keeps in its memtables.
//
//   LogIndex index(32 << 20, [&]() { return &scratch; });
//   SLUICE_RETURN_IF_ERROR(index.Add(*log, kLogHeaderBytes).status());
//   index.Sort();
//   SLUICE_ASSIGN_OR_RETURN(auto sources, index.Sources());
//
// Memory: each record's key and 48 bytes, never its value, up to `max_bytes`;
// then they are sorted and written to a scratch file (run_file.h), and the next
// ones begin. Without a folder for these, and where a single transaction is
// larger, Add fails with resource_exhausted; with scratch_unavailable where the
// files cannot be written. (Badger itself holds all of it, values too.) One
// thread; any number of sources read it once it is sorted.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/base/file_system.h"
#include "sluice/plugins/badger/format/entry.h"
#include "sluice/plugins/badger/format/entry_source.h"
#include "sluice/plugins/badger/image/log_file.h"
#include "sluice/plugins/badger/image/log_scanner.h"

namespace sluice {
namespace badger {

class LogIndex {
 public:
  // Asked for once, when it is needed. The folder outlives the index, which
  // takes away what it has put there.
  using Scratch = std::function<absl::StatusOr<FileSystem*>()>;

  explicit LogIndex(size_t max_bytes, Scratch scratch = nullptr)
      : max_bytes_(max_bytes), scratch_(std::move(scratch)) {}
  ~LogIndex();
  LogIndex(const LogIndex&) = delete;
  LogIndex& operator=(const LogIndex&) = delete;

  // Adds what counts of `log`, which must outlive the index. A record replaces
  // one with the same key and version that was added before.
  absl::StatusOr<LogEnd> Add(LogFile& log, uint64_t start);
  // After the last Add.
  void Sort();

  // All records, as sorted runs, the newest first. They borrow the index.
  absl::StatusOr<std::vector<std::unique_ptr<EntrySource>>> Sources() const;

  // Of those in memory.
  size_t size() const { return records_.size(); }
  size_t runs() const { return runs_.size(); }
  uint64_t max_version() const { return max_version_; }
  // Of all records that were added, those of transactions without their end
  // among them: how many, how long, and whether one leads into a value log.
  uint64_t added() const { return added_; }
  uint64_t added_bytes() const { return added_bytes_; }
  bool has_pointers() const { return has_pointers_; }

  InternalKey KeyAt(size_t i) const;
  StoredValue ValueAt(size_t i) const;

 private:
  class Collector;
  class RunOfRecords;

  struct Record {
    uint64_t key_at;  // in keys_
    uint64_t version;
    uint64_t expires_at;
    uint32_t offset;
    uint32_t size;
    uint32_t log;       // in logs_
    uint16_t key_size;  // without the version
    uint8_t meta;
    uint8_t user_meta;
  };

  InternalKey KeyOf(const Record& record) const;
  StoredValue ValueOf(const Record& record) const;
  // Sorts the first `count` records; the newest of equals stays. Returns how
  // many these are.
  size_t SortFirst(size_t count);
  // Writes the first `count` records, whose keys have `key_bytes`, to a file.
  absl::Status Spill(size_t count, size_t key_bytes);
  absl::Status WriteRun(const std::string& name, size_t count) const;

  size_t Bytes() const {
    return keys_.size() + records_.size() * sizeof(Record);
  }

  const size_t max_bytes_;
  const Scratch scratch_;
  FileSystem* folder_ = nullptr;
  std::vector<std::string> runs_;  // names in folder_, the oldest first
  std::vector<const LogFile*> logs_;
  std::string keys_;
  std::vector<Record> records_;
  uint64_t max_version_ = 0;
  uint64_t added_ = 0;
  uint64_t added_bytes_ = 0;
  bool has_pointers_ = false;
};

// What of a sorted index is in memory. Borrows it.
class LogSource final : public EntrySource {
 public:
  explicit LogSource(const LogIndex& index) : index_(index) {}

  absl::Status Seek(absl::string_view user_key) override;
  absl::Status Next() override;
  bool Valid() const override { return at_ < index_.size(); }
  InternalKey key() const override { return index_.KeyAt(at_); }
  StoredValue value() const override { return index_.ValueAt(at_); }

 private:
  const LogIndex& index_;
  size_t at_ = 0;
};

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_IMAGE_LOG_INDEX_H_
