#include "sluice/plugins/memory/payload/payload_writer.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>
#include <vector>

#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/memory/store/memory_entry.h"

namespace sluice {
namespace memory_internal {
namespace {

// A piece goes into the rest of a chunk where this much of it fits.
constexpr size_t kMinPieceInPlace = 64;
constexpr size_t kScratchBytes = 4096;

// `value` as N bytes, little-endian.
template <size_t N>
class LittleEndian {
 public:
  explicit LittleEndian(uint64_t value) {
    for (size_t i = 0; i < N; ++i)
      bytes_[i] = static_cast<char>(value >> 8 * i);
  }
  absl::string_view view() const { return {bytes_.data(), N}; }

 private:
  std::array<char, N> bytes_;
};

absl::Status Misuse(absl::string_view what) {
  return MakeError(absl::StatusCode::kInternal, kInternal, what);
}

}  // namespace

absl::Status PayloadWriter::BeginEntry(absl::string_view key) {
  if (key.size() > kMaxMemoryKeyBytes) return Misuse("a key is too long");
  if (totals_.keys > 0 && key <= absl::string_view(previous_key_)) {
    return Misuse("keys do not ascend");
  }
  SLUICE_RETURN_IF_ERROR(EnsureHeader());
  previous_key_.assign(key.data(), key.size());
  ++totals_.keys;
  return PutRecord(Record::kKey, LittleEndian<2>(key.size()).view(), key);
}

absl::Status PayloadWriter::AddPayloadIds(absl::Span<const std::string> ids) {
  if (ids.empty()) return absl::OkStatus();
  for (const std::string& id : ids) {
    if (!IsValidPayloadId(id)) return Misuse("a payload id is not valid");
    SLUICE_RETURN_IF_ERROR(
        PutRecord(Record::kPayloadId, LittleEndian<2>(id.size()).view(), id));
  }
  totals_.payload_ids += ids.size();
  // No chunk is held across another call into the sink.
  SLUICE_RETURN_IF_ERROR(CommitChunk());
  const std::vector<absl::string_view> views(ids.begin(), ids.end());
  return sink_.AddPayloadIds(views);
}

absl::Status PayloadWriter::AppendValue(absl::string_view bytes) {
  while (!bytes.empty()) {
    const absl::string_view piece = bytes.substr(0, kMaxPieceBytes);
    SLUICE_RETURN_IF_ERROR(
        PutRecord(Record::kPiece, LittleEndian<4>(piece.size()).view(), piece));
    totals_.value_bytes += piece.size();
    bytes.remove_prefix(piece.size());
  }
  return absl::OkStatus();
}

absl::StatusOr<absl::Span<char>> PayloadWriter::ReserveValue() {
  SLUICE_RETURN_IF_ERROR(EnsureRoom());
  const size_t room = chunk_.size() - used_;
  piece_in_scratch_ = room < kPieceHeaderBytes + kMinPieceInPlace;
  if (piece_in_scratch_) {
    scratch_.resize(kScratchBytes);
    return absl::MakeSpan(scratch_.data(), scratch_.size());
  }
  return chunk_.subspan(used_ + kPieceHeaderBytes, kMaxPieceBytes);
}

absl::Status PayloadWriter::CommitValue(size_t bytes) {
  if (bytes == 0) return absl::OkStatus();
  if (piece_in_scratch_) {
    return AppendValue(absl::string_view(scratch_.data(), bytes));
  }
  // The piece lies in the chunk; only now is its length known.
  char* const header = chunk_.data() + used_;
  header[0] = static_cast<char>(Record::kPiece);
  std::memcpy(header + 1, LittleEndian<4>(bytes).view().data(), 4);
  used_ += kPieceHeaderBytes + bytes;
  totals_.value_bytes += bytes;
  return absl::OkStatus();
}

absl::Status PayloadWriter::EndEntry() {
  return PutRecord(Record::kEndOfEntry, "", "");
}

absl::Status PayloadWriter::Finish() {
  SLUICE_RETURN_IF_ERROR(EnsureHeader());
  SLUICE_RETURN_IF_ERROR(
      PutRecord(Record::kEnd, LittleEndian<8>(totals_.keys).view(),
                LittleEndian<8>(totals_.value_bytes).view()));
  SLUICE_RETURN_IF_ERROR(Put(LittleEndian<8>(totals_.payload_ids).view()));
  SLUICE_RETURN_IF_ERROR(CommitChunk());
  return sink_.End({{"keys", totals_.keys}, {"bytes", totals_.value_bytes}});
}

absl::Status PayloadWriter::EnsureHeader() {
  if (began_) return absl::OkStatus();
  began_ = true;
  SLUICE_RETURN_IF_ERROR(Put(kPayloadMagic));
  SLUICE_RETURN_IF_ERROR(Put(LittleEndian<4>(kPayloadVersion).view()));
  return Put(LittleEndian<4>(0).view());
}

absl::Status PayloadWriter::EnsureRoom() {
  if (used_ < chunk_.size()) return absl::OkStatus();
  SLUICE_RETURN_IF_ERROR(CommitChunk());
  SLUICE_ASSIGN_OR_RETURN(chunk_, sink_.Reserve());
  return absl::OkStatus();
}

absl::Status PayloadWriter::CommitChunk() {
  if (chunk_.empty()) return absl::OkStatus();
  chunk_ = {};
  return sink_.Commit(std::exchange(used_, 0));
}

absl::Status PayloadWriter::Put(absl::string_view bytes) {
  while (!bytes.empty()) {
    SLUICE_RETURN_IF_ERROR(EnsureRoom());
    const size_t count = std::min(bytes.size(), chunk_.size() - used_);
    std::memcpy(chunk_.data() + used_, bytes.data(), count);
    used_ += count;
    bytes.remove_prefix(count);
  }
  return absl::OkStatus();
}

absl::Status PayloadWriter::PutRecord(Record record, absl::string_view length,
                                      absl::string_view bytes) {
  const char tag = static_cast<char>(record);
  SLUICE_RETURN_IF_ERROR(Put(absl::string_view(&tag, 1)));
  SLUICE_RETURN_IF_ERROR(Put(length));
  return Put(bytes);
}

}  // namespace memory_internal
}  // namespace sluice
