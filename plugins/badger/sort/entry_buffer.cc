#include "sluice/plugins/badger/sort/entry_buffer.h"

#include <algorithm>

#include "absl/status/status.h"
#include "sluice/plugins/badger/sort/entry_record.h"

namespace sluice {
namespace badger {

class EntryBuffer::Sequence final : public EntrySource {
 public:
  explicit Sequence(const EntryBuffer& buffer) : buffer_(buffer) {}

  absl::Status Seek(absl::string_view user_key) override {
    next_ = 0;
    Load();
    while (valid_ && entry_.key < user_key) Load();
    return absl::OkStatus();
  }
  absl::Status Next() override {
    Load();
    return absl::OkStatus();
  }
  bool Valid() const override { return valid_; }
  InternalKey key() const override { return {entry_.key, entry_.version}; }
  StoredValue value() const override { return StoredValueOf(entry_); }

 private:
  void Load() {
    valid_ = next_ < buffer_.places_.size();
    if (!valid_) return;
    entry_ = buffer_.EntryAt(buffer_.places_[next_++]);
    // The last of equals is the one that was added last.
    for (; next_ < buffer_.places_.size(); ++next_) {
      const StreamEntry next = buffer_.EntryAt(buffer_.places_[next_]);
      if (CompareEntries(entry_, next) != 0) break;
      entry_ = next;
    }
  }

  const EntryBuffer& buffer_;
  size_t next_ = 0;
  bool valid_ = false;
  StreamEntry entry_;
};

bool EntryBuffer::Add(const StreamEntry& entry) {
  const size_t needed = RecordSize(entry) + sizeof(Place);
  const size_t used = records_.size() + places_.size() * sizeof(Place);
  if (!empty() && used + needed > memory_bytes_) return false;
  // At once, because growing a string copies it, and doubles it.
  if (empty()) records_.reserve(std::max(memory_bytes_, needed));
  places_.push_back({KeyPrefix(entry.key), records_.size()});
  AppendRecord(entry, records_);
  return true;
}

std::unique_ptr<EntrySource> EntryBuffer::Sorted() {
  const auto less = [this](const Place& a, const Place& b) {
    return Less(a, b);
  };
  if (!std::is_sorted(places_.begin(), places_.end(), less)) {
    std::sort(places_.begin(), places_.end(), less);
  }
  return std::make_unique<Sequence>(*this);
}

void EntryBuffer::Clear() {
  if (records_.capacity() > memory_bytes_ + memory_bytes_ / 2) {
    std::string().swap(records_);
  }
  records_.clear();
  places_.clear();
}

StreamEntry EntryBuffer::EntryAt(const Place& place) const {
  StreamEntry entry;
  ParseRecord(absl::string_view(records_).substr(place.offset), entry);
  return entry;
}

bool EntryBuffer::Less(const Place& a, const Place& b) const {
  if (a.prefix != b.prefix) return a.prefix < b.prefix;
  const int order = CompareEntries(EntryAt(a), EntryAt(b));
  return order != 0 ? order < 0 : a.offset < b.offset;
}

}  // namespace badger
}  // namespace sluice
