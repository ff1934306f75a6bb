#include "sluice/plugins/badger/image/log_index.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/badger/sort/entry_record.h"
#include "sluice/plugins/badger/sort/run_file.h"
#include "sluice/plugins/badger/sort/stream_entry.h"

namespace sluice {
namespace badger {

class LogIndex::Collector final : public LogVisitor {
 public:
  // `meta_bits`: those of a record's meta that count.
  Collector(LogIndex& index, uint8_t meta_bits)
      : index_(index),
        meta_bits_(meta_bits),
        keys_(index.keys_.size()),
        records_(index.records_.size()) {}

  absl::Status OnRecord(const ScannedRecord& record) override {
    const uint8_t meta = record.meta & meta_bits_;
    const absl::string_view key = record.key.user_key;
    const size_t needed = key.size() + sizeof(Record);
    if (index_.Bytes() + needed > index_.max_bytes_) {
      SLUICE_RETURN_IF_ERROR(MakeRoom(needed));
    }
    index_.records_.push_back(
        {index_.keys_.size(), record.key.version, record.expires_at,
         static_cast<uint32_t>(record.offset), record.size,
         static_cast<uint32_t>(index_.logs_.size() - 1),
         static_cast<uint16_t>(key.size()), meta, record.user_meta});
    index_.keys_.append(key.data(), key.size());
    ++index_.added_;
    index_.added_bytes_ += record.size;
    index_.has_pointers_ |= (meta & kMetaValuePointer) != 0;
    return absl::OkStatus();
  }
  void Commit() override {
    for (; records_ < index_.records_.size(); ++records_) {
      index_.max_version_ =
          std::max(index_.max_version_, index_.records_[records_].version);
    }
    keys_ = index_.keys_.size();
  }
  void Drop() override {
    index_.records_.resize(records_);
    index_.keys_.resize(keys_);
  }

 private:
  // Only what counts goes: the rest may have to be dropped.
  absl::Status MakeRoom(size_t needed) {
    if (index_.scratch_ != nullptr && records_ > 0) {
      SLUICE_RETURN_IF_ERROR(index_.Spill(records_, keys_));
      records_ = 0;
      keys_ = 0;
      if (index_.Bytes() + needed <= index_.max_bytes_) return absl::OkStatus();
    }
    return MakeError(
        absl::StatusCode::kResourceExhausted, kResourceExhausted,
        absl::StrCat(index_.logs_.back()->name(),
                     ": the logs to replay hold more than ", index_.max_bytes_,
                     " bytes of keys",
                     index_.scratch_ != nullptr ? " in one transaction" : ""));
  }

  LogIndex& index_;
  const uint8_t meta_bits_;
  size_t keys_;     // up to here they count
  size_t records_;  // up to here they count
};

absl::StatusOr<LogEnd> LogIndex::Add(LogFile& log, uint64_t start) {
  if (log.size() > uint64_t{UINT32_MAX} + 1) {
    return MakeError(absl::StatusCode::kDataLoss, kSourceFailed,
                     absl::StrCat(log.name(), ": longer than 4 GiB"));
  }
  logs_.push_back(&log);
  // A value log, which Badger 2 replays, holds the values themselves. Those
  // that Badger's own restore wrote keep the bit of where they came from.
  const bool holds_values = absl::EndsWith(log.name(), ".vlog");
  Collector collector(*this, holds_values ? ~kMetaValuePointer : 0xff);
  return ScanLog(log, start, collector);
}

void LogIndex::Sort() { records_.resize(SortFirst(records_.size())); }

size_t LogIndex::SortFirst(size_t count) {
  const auto end = records_.begin() + static_cast<std::ptrdiff_t>(count);
  // key_at ascends as records were added: the later one of two equals first.
  std::sort(records_.begin(), end, [this](const Record& a, const Record& b) {
    const int order = Compare(KeyOf(a), KeyOf(b));
    return order != 0 ? order < 0 : a.key_at > b.key_at;
  });
  const auto last = std::unique(records_.begin(), end,
                                [this](const Record& a, const Record& b) {
                                  return Compare(KeyOf(a), KeyOf(b)) == 0;
                                });
  return static_cast<size_t>(last - records_.begin());
}

absl::Status LogIndex::Spill(size_t count, size_t key_bytes) {
  if (folder_ == nullptr) {
    SLUICE_ASSIGN_OR_RETURN(folder_, scratch_());
  }
  const std::string name = absl::StrCat("logs-", runs_.size() + 1);
  runs_.push_back(name);
  const absl::Status status = WriteRun(name, SortFirst(count));
  if (!status.ok()) {
    return MakeError(
        status.code(),
        ErrorCodeOf(status) == kSourceNoSpace ? kScratchNoSpace
                                              : kScratchUnavailable,
        absl::StrCat("sort the logs to replay: ", status.message()));
  }
  records_.erase(records_.begin(),
                 records_.begin() + static_cast<std::ptrdiff_t>(count));
  keys_.erase(0, key_bytes);
  for (Record& record : records_) record.key_at -= key_bytes;
  return absl::OkStatus();
}

// In a run a record's value is where in which log it lies.
absl::Status LogIndex::WriteRun(const std::string& name, size_t count) const {
  SLUICE_ASSIGN_OR_RETURN(const std::unique_ptr<RunWriter> writer,
                          RunWriter::Create(*folder_, name));
  for (size_t i = 0; i < count; ++i) {
    const Record& record = records_[i];
    const ValuePointer place = {record.log, record.size, record.offset};
    StoredValue value = ValueOf(record);
    value.bytes =
        absl::string_view(reinterpret_cast<const char*>(&place), sizeof(place));
    SLUICE_RETURN_IF_ERROR(writer->Add(StreamEntryOf(KeyOf(record), value)));
  }
  return writer->Finish();
}

class LogIndex::RunOfRecords final : public EntrySource {
 public:
  RunOfRecords(const LogIndex& index, std::unique_ptr<EntrySource> run)
      : index_(index), run_(std::move(run)) {}

  absl::Status Seek(absl::string_view user_key) override {
    return run_->Seek(user_key);
  }
  absl::Status Next() override { return run_->Next(); }
  bool Valid() const override { return run_->Valid(); }
  InternalKey key() const override { return run_->key(); }
  StoredValue value() const override {
    StoredValue value = run_->value();
    // As it was written: a frame is under a checksum.
    std::memcpy(&value.place, value.bytes.data(), sizeof(value.place));
    value.log = index_.logs_[value.place.file];
    value.place.file = 0;
    value.bytes = absl::string_view();
    return value;
  }

 private:
  const LogIndex& index_;
  const std::unique_ptr<EntrySource> run_;
};

absl::StatusOr<std::vector<std::unique_ptr<EntrySource>>> LogIndex::Sources()
    const {
  std::vector<std::unique_ptr<EntrySource>> sources;
  sources.reserve(runs_.size() + 1);
  if (size() > 0) sources.push_back(std::make_unique<LogSource>(*this));
  for (auto name = runs_.rbegin(); name != runs_.rend(); ++name) {
    SLUICE_ASSIGN_OR_RETURN(std::unique_ptr<EntrySource> run,
                            OpenRun(*folder_, *name));
    sources.push_back(std::make_unique<RunOfRecords>(*this, std::move(run)));
  }
  return sources;
}

LogIndex::~LogIndex() {
  // What cannot be removed goes with the scratch folder.
  for (const std::string& name : runs_) folder_->Unlink(name);
}

InternalKey LogIndex::KeyAt(size_t i) const { return KeyOf(records_[i]); }

StoredValue LogIndex::ValueAt(size_t i) const { return ValueOf(records_[i]); }

InternalKey LogIndex::KeyOf(const Record& record) const {
  return {absl::string_view(keys_).substr(record.key_at, record.key_size),
          record.version};
}

StoredValue LogIndex::ValueOf(const Record& record) const {
  StoredValue value;
  value.meta = record.meta;
  value.user_meta = record.user_meta;
  value.expires_at = record.expires_at;
  value.log = logs_[record.log];
  value.place = {0, record.size, record.offset};
  return value;
}

absl::Status LogSource::Seek(absl::string_view user_key) {
  size_t low = 0;
  size_t high = index_.size();
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    if (index_.KeyAt(middle).user_key < user_key) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  at_ = low;
  return absl::OkStatus();
}

absl::Status LogSource::Next() {
  ++at_;
  return absl::OkStatus();
}

}  // namespace badger
}  // namespace sluice
