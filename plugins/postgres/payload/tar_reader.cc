#include "sluice/plugins/postgres/payload/tar_reader.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/postgres/payload/tar_format.h"

namespace sluice {
namespace postgres {
namespace {

constexpr uint64_t kMaxPaxBytes = 4096;

bool IsZero(absl::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(),
                     [](char c) { return c == '\0'; });
}

absl::string_view FieldOf(absl::string_view block, const TarField& field) {
  return block.substr(field.offset, field.size);
}

// Digits of `base` up to the end, or to a NUL or a space that ends a field.
absl::optional<uint64_t> ParseDigits(absl::string_view text, unsigned base) {
  uint64_t value = 0;
  size_t at = 0;
  for (; at < text.size(); ++at) {
    const unsigned digit = static_cast<unsigned char>(text[at]) - unsigned{'0'};
    if (digit >= base) break;
    value = value * base + digit;
    if (value > kMaxTarSize) return absl::nullopt;
  }
  if (at == 0) return absl::nullopt;
  return value;
}

absl::optional<uint64_t> ParseOctal(absl::string_view field) {
  const size_t end = field.find_first_not_of("01234567");
  if (end != absl::string_view::npos && field[end] != '\0' &&
      field[end] != ' ') {
    return absl::nullopt;
  }
  return ParseDigits(field, 8);
}

absl::optional<uint64_t> ParseDecimal(absl::string_view text) {
  if (text.find_first_not_of("0123456789") != absl::string_view::npos) {
    return absl::nullopt;
  }
  return ParseDigits(text, 10);
}

}  // namespace

absl::Status TarReader::Finish() {
  if (!failed_.ok()) return failed_;
  if (state_ != State::kEnded) return Damaged("truncated");
  return absl::OkStatus();
}

absl::Status TarReader::Step(absl::string_view& bytes) {
  if (state_ == State::kMember) return OnMemberBytes(bytes);
  if (state_ == State::kEnded) return OnEnd(bytes);
  const State state = state_;
  const size_t wanted = state == State::kHeader
                            ? kTarBlockBytes
                            : static_cast<size_t>(remaining_);
  absl::string_view field;
  if (!Gather(wanted, bytes, field)) return absl::OkStatus();
  absl::Status status;
  switch (state) {
    case State::kHeader:
      status = OnHeader(field);
      break;
    case State::kPaxRecords:
      status = OnPaxRecords(field);
      break;
    default:
      state_ = State::kHeader;
      if (!IsZero(field)) status = Damaged("bytes behind a member");
      break;
  }
  gathered_.clear();
  return status;
}

absl::Status TarReader::OnHeader(absl::string_view block) {
  if (IsZero(block)) {
    if (after_pax_) return Damaged("a pax header without a member");
    if (++empty_blocks_ == 2) state_ = State::kEnded;
    return absl::OkStatus();
  }
  if (empty_blocks_ > 0) return Damaged("one empty block alone");
  if (FieldOf(block, kTarMagic) != kTarMagicValue) {
    return Damaged("a header that is not that of a POSIX tar");
  }
  if (ParseOctal(FieldOf(block, kTarChecksum)) != TarChecksum(block)) {
    return Damaged("a header: checksum mismatch");
  }
  const absl::optional<uint64_t> size = ParseOctal(FieldOf(block, kTarSize));
  if (!size.has_value()) return Damaged("a size that is not an octal number");
  const char type = block[kTarType.offset];
  if (type == kTarPaxHeader) return OnPaxHeader(*size);
  if (type != kTarFile) return Damaged("a member that is not a regular file");
  return OnMember(block, *size);
}

absl::Status TarReader::OnPaxHeader(uint64_t size) {
  if (after_pax_) return Damaged("two pax headers in a row");
  if (size == 0 || size > kMaxPaxBytes) {
    return Damaged(absl::StrCat("a pax header of ", size, " bytes"));
  }
  size_ = size;
  remaining_ = size;
  state_ = State::kPaxRecords;
  return absl::OkStatus();
}

absl::Status TarReader::OnPaxRecords(absl::string_view records) {
  while (!records.empty()) {
    const size_t space = records.find(' ');
    const absl::optional<uint64_t> length =
        space == absl::string_view::npos
            ? absl::nullopt
            : ParseDecimal(records.substr(0, space));
    if (!length.has_value() || *length > records.size() ||
        *length < space + 2 || records[*length - 1] != '\n') {
      return Damaged("a pax record whose length is wrong");
    }
    const absl::string_view record =
        records.substr(space + 1, *length - space - 2);
    records.remove_prefix(*length);
    const size_t equals = record.find('=');
    if (equals == absl::string_view::npos) {
      return Damaged("a pax record without a value");
    }
    SLUICE_RETURN_IF_ERROR(
        OnPaxRecord(record.substr(0, equals), record.substr(equals + 1)));
  }
  after_pax_ = true;
  SkipPadding(size_);
  return absl::OkStatus();
}

absl::Status TarReader::OnPaxRecord(absl::string_view key,
                                    absl::string_view value) {
  if (key == "path" && pax_name_.empty() && !value.empty() &&
      value.size() <= kMaxTarNameBytes) {
    pax_name_ = std::string(value);
    return absl::OkStatus();
  }
  const absl::optional<uint64_t> size =
      key == "size" ? ParseDecimal(value) : absl::nullopt;
  if (size.has_value() && *size > kMaxTarOctalSize && pax_size_ == 0) {
    pax_size_ = *size;
    return absl::OkStatus();
  }
  return Damaged("a pax record that no payload has");
}

absl::Status TarReader::OnMember(absl::string_view block, uint64_t size) {
  absl::string_view name = FieldOf(block, kTarName);
  name = name.substr(0, name.find('\0'));
  if (!pax_name_.empty()) name = pax_name_;
  if (name.empty() || FieldOf(block, kTarPrefix)[0] != '\0') {
    return Damaged("a name that no payload has");
  }
  size_ = pax_size_ > 0 ? pax_size_ : size;
  remaining_ = size_;
  SLUICE_RETURN_IF_ERROR(visitor_.BeginMember(name, size_));
  pax_name_.clear();
  pax_size_ = 0;
  after_pax_ = false;
  state_ = State::kMember;
  // An empty member has no byte that would bring us back here.
  return size_ == 0 ? EndMember() : absl::OkStatus();
}

absl::Status TarReader::OnMemberBytes(absl::string_view& bytes) {
  const absl::string_view piece = bytes.substr(
      0, static_cast<size_t>(std::min<uint64_t>(remaining_, bytes.size())));
  bytes.remove_prefix(piece.size());
  consumed_ += piece.size();
  remaining_ -= piece.size();
  SLUICE_RETURN_IF_ERROR(visitor_.AppendMember(piece));
  return remaining_ == 0 ? EndMember() : absl::OkStatus();
}

absl::Status TarReader::EndMember() {
  SkipPadding(size_);
  return visitor_.EndMember();
}

// Tools fill the last record with zeros.
absl::Status TarReader::OnEnd(absl::string_view& bytes) {
  if (!IsZero(bytes)) return Damaged("bytes follow its end");
  consumed_ += bytes.size();
  bytes = absl::string_view();
  return absl::OkStatus();
}

void TarReader::SkipPadding(uint64_t size) {
  remaining_ = TarPadding(size);
  state_ = remaining_ == 0 ? State::kHeader : State::kPadding;
}

absl::Status TarReader::Damaged(absl::string_view what) const {
  return MakeError(absl::StatusCode::kDataLoss, kArchiveDamaged,
                   absl::StrCat("payload of a PostgreSQL database, byte ",
                                consumed_, ": ", what));
}

}  // namespace postgres
}  // namespace sluice
