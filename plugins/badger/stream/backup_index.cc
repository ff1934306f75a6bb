#include "sluice/plugins/badger/stream/backup_index.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/badger/sort/stream_entry.h"
#include "sluice/plugins/badger/wire/byte_cursor.h"
#include "sluice/plugins/badger/wire/pb_wire.h"

namespace sluice {
namespace badger {
namespace {

constexpr absl::string_view kHead("SLBIDX\x00\x01", 8);
constexpr size_t kFlushBytes = size_t{64} << 10;
// A record has two varints for its key, one for its count, and for each version
// two and eight bytes.
constexpr size_t kMaxRecordBytes =
    3 * 10 + kMaxStreamKeyBytes + kMaxIndexedVersions * (2 * 10 + 8);

void AppendFixed64(uint64_t value, std::string& out) {
  for (int i = 0; i < 8; ++i, value >>= 8) {
    out.push_back(static_cast<char>(value & 0xff));
  }
}

size_t SharedPrefix(absl::string_view a, absl::string_view b) {
  const size_t most = std::min(a.size(), b.size());
  return static_cast<size_t>(
      std::mismatch(a.begin(), a.begin() + most, b.begin()).first - a.begin());
}

absl::Status Damaged(absl::string_view what) {
  return MakeError(absl::StatusCode::kDataLoss, kArchiveDamaged,
                   absl::StrCat("index of a backup: ", what));
}

}  // namespace

absl::Status IndexWriter::Add(const IndexRecord& record) {
  if (!has_begun_) buffer_.append(kHead.data(), kHead.size());
  has_begun_ = true;
  const size_t shared = SharedPrefix(last_key_, record.key);
  AppendVarint(shared, buffer_);
  AppendVarint(record.key.size() - shared, buffer_);
  buffer_.append(record.key, shared, std::string::npos);
  AppendVarint(record.versions.size() << 1 | (record.is_cut ? 1 : 0), buffer_);
  uint64_t above = 0;
  for (const IndexedVersion& version : record.versions) {
    AppendVarint(above == 0 ? version.version : above - version.version,
                 buffer_);
    AppendVarint(version.expires_at, buffer_);
    AppendFixed64(version.fingerprint, buffer_);
    above = version.version;
  }
  last_key_ = record.key;
  if (buffer_.size() < kFlushBytes) return absl::OkStatus();
  SLUICE_RETURN_IF_ERROR(output_(buffer_));
  buffer_.clear();
  return absl::OkStatus();
}

absl::Status IndexWriter::Finish() {
  // An index without records is one all the same.
  if (!has_begun_) buffer_.append(kHead.data(), kHead.size());
  has_begun_ = true;
  return output_(buffer_);
}

absl::StatusOr<bool> IndexReader::Fill() {
  SLUICE_ASSIGN_OR_RETURN(const absl::string_view bytes, index_.Next());
  buffer_.erase(0, used_);
  used_ = 0;
  buffer_.append(bytes.data(), bytes.size());
  at_end_ = bytes.empty();
  return !at_end_;
}

absl::Status IndexReader::ReadHead() {
  while (buffer_.size() < kHead.size()) {
    SLUICE_ASSIGN_OR_RETURN(const bool more, Fill());
    if (!more) return Damaged("shorter than its head");
  }
  if (absl::string_view(buffer_).substr(0, kHead.size()) != kHead) {
    return Damaged("of an unknown version");
  }
  used_ = kHead.size();
  return absl::OkStatus();
}

absl::Status IndexReader::Next() {
  if (!has_begun_) SLUICE_RETURN_IF_ERROR(ReadHead());
  has_begun_ = true;
  is_valid_ = false;
  while (true) {
    const absl::string_view rest = absl::string_view(buffer_).substr(used_);
    size_t size = 0;
    const Parsed parsed = rest.empty() ? Parsed::kMore : Parse(rest, size);
    if (parsed == Parsed::kRecord) {
      used_ += size;
      std::swap(record_, parsed_);
      is_valid_ = true;
      return absl::OkStatus();
    }
    if (parsed == Parsed::kDamaged || rest.size() > kMaxRecordBytes) {
      return Damaged("not a record");
    }
    if (at_end_) return rest.empty() ? absl::OkStatus() : Damaged("truncated");
    SLUICE_RETURN_IF_ERROR(Fill().status());
  }
}

IndexReader::Parsed IndexReader::Parse(absl::string_view bytes, size_t& used) {
  ByteCursor cursor(bytes);
  uint64_t shared = 0;
  uint64_t size = 0;
  if (!cursor.Varint(shared) || !cursor.Varint(size)) return Parsed::kMore;
  if (shared > record_.key.size() || size > kMaxStreamKeyBytes - shared) {
    return Parsed::kDamaged;
  }
  absl::string_view suffix;
  uint64_t count = 0;
  if (!cursor.Bytes(size, suffix) || !cursor.Varint(count)) {
    return Parsed::kMore;
  }
  parsed_.key.assign(record_.key, 0, shared);
  parsed_.key.append(suffix.data(), suffix.size());
  parsed_.is_cut = (count & 1) != 0;
  count >>= 1;
  // Keys ascend; the first follows upon nothing, the empty key.
  if (count > kMaxIndexedVersions || parsed_.key <= record_.key) {
    return Parsed::kDamaged;
  }
  parsed_.versions.clear();
  uint64_t above = 0;
  for (uint64_t i = 0; i < count; ++i) {
    IndexedVersion version;
    uint64_t step = 0;
    if (!cursor.Varint(step) || !cursor.Varint(version.expires_at) ||
        !cursor.LittleEndian64(version.fingerprint)) {
      return Parsed::kMore;
    }
    if (i > 0 && (step == 0 || step > above)) return Parsed::kDamaged;
    version.version = i == 0 ? step : above - step;
    above = version.version;
    parsed_.versions.push_back(version);
  }
  used = bytes.size() - cursor.rest().size();
  return Parsed::kRecord;
}

IndexChain::IndexChain(absl::Span<sdk::Payload* const> indexes) {
  for (sdk::Payload* index : indexes) {
    readers_.push_back(std::make_unique<IndexReader>(*index));
  }
}

absl::Status IndexChain::Start() {
  for (size_t i = 0; i < readers_.size(); ++i) {
    SLUICE_RETURN_IF_ERROR(Advance(i));
  }
  return absl::OkStatus();
}

absl::Status IndexChain::Next() {
  // Of one alone the keys ascend.
  if (heap_.size() == 1) return Advance(Pop());
  const std::string key = record().key;
  while (Valid() && record().key == key) {
    SLUICE_RETURN_IF_ERROR(Advance(Pop()));
  }
  return absl::OkStatus();
}

bool IndexChain::After(size_t a, size_t b) const {
  const int order =
      readers_[a]->record().key.compare(readers_[b]->record().key);
  return order != 0 ? order > 0 : a < b;
}

absl::Status IndexChain::Advance(size_t reader) {
  SLUICE_RETURN_IF_ERROR(readers_[reader]->Next());
  if (!readers_[reader]->Valid()) return absl::OkStatus();
  heap_.push_back(reader);
  std::push_heap(heap_.begin(), heap_.end(),
                 [this](size_t a, size_t b) { return After(a, b); });
  return absl::OkStatus();
}

size_t IndexChain::Pop() {
  std::pop_heap(heap_.begin(), heap_.end(),
                [this](size_t a, size_t b) { return After(a, b); });
  const size_t reader = heap_.back();
  heap_.pop_back();
  return reader;
}

}  // namespace badger
}  // namespace sluice
