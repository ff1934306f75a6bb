#ifndef SLUICE_PLUGINS_BADGER_LOG_INDEX_H_
#define SLUICE_PLUGINS_BADGER_LOG_INDEX_H_

// The records that the logs of a directory hold beside its tables, sorted: what
// Badger keeps in its memtables.
//
//   LogIndex index(256 << 20);
//   SLUICE_RETURN_IF_ERROR(index.Add(*log, kLogHeaderBytes).status());
//   index.Sort();
//   LogSource entries(index);
//
// Memory: each record's key and 48 bytes, never its value; above `max_bytes`
// Add fails with resource_exhausted. (Badger itself holds all of it, values
// too.) One thread; any number of sources read it once it is sorted.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/plugins/badger/entry.h"
#include "sluice/plugins/badger/entry_source.h"
#include "sluice/plugins/badger/log_file.h"
#include "sluice/plugins/badger/log_scanner.h"

namespace sluice {
namespace badger {

class LogIndex {
 public:
  explicit LogIndex(size_t max_bytes) : max_bytes_(max_bytes) {}

  // Adds what counts of `log`, which must outlive the index. A record replaces
  // one with the same key and version that was added before.
  absl::StatusOr<LogEnd> Add(LogFile& log, uint64_t start);
  // After the last Add.
  void Sort();

  size_t size() const { return records_.size(); }
  uint64_t max_version() const { return max_version_; }

  InternalKey KeyAt(size_t i) const;
  StoredValue ValueAt(size_t i) const;

 private:
  class Collector;

  struct Record {
    const LogFile* log;
    uint64_t key_at;  // in keys_
    uint64_t version;
    uint64_t expires_at;
    uint32_t offset;
    uint32_t size;
    uint16_t key_size;  // without the version
    uint8_t meta;
    uint8_t user_meta;
  };

  size_t Bytes() const {
    return keys_.size() + records_.size() * sizeof(Record);
  }

  const size_t max_bytes_;
  std::string keys_;
  std::vector<Record> records_;
  uint64_t max_version_ = 0;
};

// The entries of a sorted index. Borrows it.
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

#endif  // SLUICE_PLUGINS_BADGER_LOG_INDEX_H_
