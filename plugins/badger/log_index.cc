#include "sluice/plugins/badger/log_index.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"

namespace sluice {
namespace badger {

class LogIndex::Collector final : public LogVisitor {
 public:
  Collector(LogIndex& index, const LogFile& log)
      : index_(index),
        log_(log),
        keys_(index.keys_.size()),
        records_(index.records_.size()) {}

  absl::Status OnRecord(const ScannedRecord& record) override {
    const absl::string_view key = record.key.user_key;
    if (index_.Bytes() + key.size() + sizeof(Record) > index_.max_bytes_) {
      return MakeError(
          absl::StatusCode::kResourceExhausted, kResourceExhausted,
          absl::StrCat(log_.name(), ": the logs to replay hold more than ",
                       index_.max_bytes_, " bytes of keys"));
    }
    index_.records_.push_back(
        {&log_, index_.keys_.size(), record.key.version, record.expires_at,
         static_cast<uint32_t>(record.offset), record.size,
         static_cast<uint16_t>(key.size()), record.meta, record.user_meta});
    index_.keys_.append(key.data(), key.size());
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
  LogIndex& index_;
  const LogFile& log_;
  size_t keys_;     // up to here they count
  size_t records_;  // up to here they count
};

absl::StatusOr<LogEnd> LogIndex::Add(LogFile& log, uint64_t start) {
  if (log.size() > uint64_t{UINT32_MAX} + 1) {
    return MakeError(absl::StatusCode::kDataLoss, kSourceFailed,
                     absl::StrCat(log.name(), ": longer than 4 GiB"));
  }
  Collector collector(*this, log);
  return ScanLog(log, start, collector);
}

void LogIndex::Sort() {
  const absl::string_view keys(keys_);
  const auto key_of = [keys](const Record& record) {
    return InternalKey{keys.substr(record.key_at, record.key_size),
                       record.version};
  };
  // key_at ascends as records were added: the later one of two equals first.
  std::sort(records_.begin(), records_.end(),
            [&key_of](const Record& a, const Record& b) {
              const int order = Compare(key_of(a), key_of(b));
              return order != 0 ? order < 0 : a.key_at > b.key_at;
            });
  const auto last = std::unique(records_.begin(), records_.end(),
                                [&key_of](const Record& a, const Record& b) {
                                  return Compare(key_of(a), key_of(b)) == 0;
                                });
  records_.erase(last, records_.end());
}

InternalKey LogIndex::KeyAt(size_t i) const {
  const Record& record = records_[i];
  return {absl::string_view(keys_).substr(record.key_at, record.key_size),
          record.version};
}

StoredValue LogIndex::ValueAt(size_t i) const {
  const Record& record = records_[i];
  StoredValue value;
  value.meta = record.meta;
  value.user_meta = record.user_meta;
  value.expires_at = record.expires_at;
  value.log = record.log;
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
