#include "sluice/plugins/memory/payload/payload_parser.h"

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/memory/store/memory_entry.h"

namespace sluice {
namespace memory_internal {
namespace {

uint64_t FromLittleEndian(absl::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = bytes.size(); i > 0; --i) {
    value = value << 8 | static_cast<unsigned char>(bytes[i - 1]);
  }
  return value;
}

}  // namespace

absl::Status PayloadParser::Finish() {
  if (!failed_.ok()) return failed_;
  if (state_ != State::kEnded) return Damaged("truncated: no end record");
  return absl::OkStatus();
}

size_t PayloadParser::Wanted() const {
  switch (state_) {
    case State::kHeader:
      return kPayloadHeaderBytes;
    case State::kRecord:
      return 1;
    case State::kKeyLength:
    case State::kIdLength:
      return 2;
    case State::kPieceLength:
      return 4;
    case State::kEndCounts:
      return kEndCountsBytes;
    case State::kKey:
    case State::kId:
    case State::kPiece:
    case State::kEnded:
      return length_;
  }
  return 0;
}

absl::Status PayloadParser::Step(absl::string_view& bytes) {
  if (state_ == State::kEnded) return Damaged("bytes follow its end record");
  if (state_ == State::kPiece) return OnPiece(bytes);
  absl::string_view field;
  if (!Gather(Wanted(), bytes, field)) return absl::OkStatus();
  SLUICE_RETURN_IF_ERROR(OnField(field));
  gathered_.clear();
  // An empty key has no byte that would bring us back here.
  if (state_ == State::kKey && length_ == 0) return OnKey("");
  return absl::OkStatus();
}

absl::Status PayloadParser::OnField(absl::string_view field) {
  switch (state_) {
    case State::kHeader:
      return OnHeader(field);
    case State::kRecord:
      return OnRecord(static_cast<Record>(field[0]));
    case State::kKeyLength:
      length_ = FromLittleEndian(field);
      state_ = State::kKey;
      return absl::OkStatus();
    case State::kIdLength:
      length_ = FromLittleEndian(field);
      if (length_ == 0 || length_ > kMaxRefBytes) {
        return Damaged(absl::StrCat("a payload id of ", length_, " bytes"));
      }
      state_ = State::kId;
      return absl::OkStatus();
    case State::kPieceLength:
      return OnPieceLength(FromLittleEndian(field));
    case State::kKey:
      return OnKey(field);
    case State::kId:
      return OnPayloadId(field);
    case State::kEndCounts:
      return OnEndCounts(field);
    case State::kPiece:
    case State::kEnded:
      break;
  }
  return Damaged("unreachable parser state");
}

absl::Status PayloadParser::OnHeader(absl::string_view field) {
  if (field.substr(0, kPayloadMagic.size()) != kPayloadMagic) {
    return Damaged("it does not begin as the payload of a memory store");
  }
  const uint64_t version = FromLittleEndian(field.substr(8, 4));
  const uint64_t flags = FromLittleEndian(field.substr(12, 4));
  if (version != kPayloadVersion || flags != 0) {
    return MakeError(
        absl::StatusCode::kUnimplemented, kArchiveUnsupported,
        absl::StrCat("payload of a memory store: version ", version,
                     " with flags ", flags, ", this program reads version ",
                     kPayloadVersion));
  }
  state_ = State::kRecord;
  return absl::OkStatus();
}

absl::Status PayloadParser::OnRecord(Record record) {
  const bool wants_entry = record != Record::kKey && record != Record::kEnd;
  if (wants_entry != in_entry_) return Damaged("a record out of its order");
  switch (record) {
    case Record::kKey:
      state_ = State::kKeyLength;
      return absl::OkStatus();
    case Record::kPayloadId:
      if (in_value_) return Damaged("a payload id after its entry's value");
      state_ = State::kIdLength;
      return absl::OkStatus();
    case Record::kPiece:
      state_ = State::kPieceLength;
      return absl::OkStatus();
    case Record::kEndOfEntry:
      in_entry_ = false;
      return visitor_.EndEntry();
    case Record::kEnd:
      state_ = State::kEndCounts;
      return absl::OkStatus();
  }
  return Damaged(absl::StrCat("an unknown record ", static_cast<int>(record)));
}

absl::Status PayloadParser::OnKey(absl::string_view key) {
  if (totals_.keys > 0 && key <= absl::string_view(previous_key_)) {
    return Damaged("keys that do not ascend");
  }
  previous_key_.assign(key.data(), key.size());
  previous_id_.clear();
  ++totals_.keys;
  in_entry_ = true;
  in_value_ = false;
  state_ = State::kRecord;
  return visitor_.BeginEntry(key);
}

absl::Status PayloadParser::OnPayloadId(absl::string_view id) {
  if (!IsValidPayloadId(id)) return Damaged("a control byte in a payload id");
  if (id <= absl::string_view(previous_id_)) {
    return Damaged("payload ids that do not ascend");
  }
  previous_id_.assign(id.data(), id.size());
  ++totals_.payload_ids;
  state_ = State::kRecord;
  return visitor_.AddPayloadId(id);
}

absl::Status PayloadParser::OnPieceLength(uint64_t length) {
  if (length == 0 || length > kMaxPieceBytes) {
    return Damaged(absl::StrCat("a piece of ", length, " bytes"));
  }
  in_value_ = true;
  length_ = length;
  state_ = State::kPiece;
  return absl::OkStatus();
}

absl::Status PayloadParser::OnPiece(absl::string_view& bytes) {
  const absl::string_view piece = bytes.substr(0, length_);
  bytes.remove_prefix(piece.size());
  consumed_ += piece.size();
  length_ -= piece.size();
  totals_.value_bytes += piece.size();
  if (length_ == 0) state_ = State::kRecord;
  return visitor_.AppendValue(piece);
}

absl::Status PayloadParser::OnEndCounts(absl::string_view field) {
  if (FromLittleEndian(field.substr(0, 8)) != totals_.keys ||
      FromLittleEndian(field.substr(8, 8)) != totals_.value_bytes ||
      FromLittleEndian(field.substr(16, 8)) != totals_.payload_ids) {
    return Damaged("its counts are not those of its entries");
  }
  state_ = State::kEnded;
  return absl::OkStatus();
}

absl::Status PayloadParser::Damaged(absl::string_view what) const {
  return MakeError(
      absl::StatusCode::kDataLoss, kArchiveDamaged,
      absl::StrCat("payload of a memory store, byte ", consumed_, ": ", what));
}

}  // namespace memory_internal
}  // namespace sluice
