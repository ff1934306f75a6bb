#include "sluice/plugins/postgres/payload/tar_writer.h"

#include <algorithm>
#include <array>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/postgres/payload/tar_format.h"

namespace sluice {
namespace postgres {
namespace {

using Block = std::array<char, kTarBlockBytes>;

constexpr Block kZeros{};

void Set(Block& block, const TarField& field, absl::string_view value) {
  std::copy(value.begin(), value.end(), block.begin() + field.offset);
}

// Octal digits that fill the field but for a NUL.
void SetNumber(Block& block, const TarField& field, uint64_t value) {
  Set(block, field, absl::StrFormat("%0*o", field.size - 1, value));
}

absl::Status Misused(absl::string_view name, absl::string_view what) {
  return MakeError(absl::StatusCode::kInternal, kInternal,
                   absl::StrCat("write member ", name, ": ", what));
}

// "LENGTH KEY=VALUE\n", where LENGTH counts itself.
std::string PaxRecord(absl::string_view key, absl::string_view value) {
  const size_t rest = 1 + key.size() + 1 + value.size() + 1;
  size_t length = rest;
  while (length != rest + absl::StrCat(length).size()) {
    length = rest + absl::StrCat(length).size();
  }
  return absl::StrCat(length, " ", key, "=", value, "\n");
}

}  // namespace

absl::Status TarWriter::Add(absl::string_view name,
                            absl::Span<const absl::string_view> pieces) {
  uint64_t size = 0;
  for (const absl::string_view piece : pieces) size += piece.size();
  SLUICE_RETURN_IF_ERROR(Begin(name, size));
  for (const absl::string_view piece : pieces) {
    SLUICE_RETURN_IF_ERROR(Append(piece));
  }
  return absl::OkStatus();
}

absl::Status TarWriter::Begin(absl::string_view name, uint64_t size) {
  if (remaining_ > 0) return Misused(name_, "it was given too few bytes");
  if (name.empty() || name.size() > kMaxTarNameBytes || size > kMaxTarSize ||
      name.find('\0') != absl::string_view::npos) {
    return Misused(name, "no reader would take it");
  }
  std::string pax;
  if (name.size() > kTarName.size) pax += PaxRecord("path", name);
  if (size > kMaxTarOctalSize) pax += PaxRecord("size", absl::StrCat(size));
  if (!pax.empty()) SLUICE_RETURN_IF_ERROR(PutPaxHeader(pax));
  SLUICE_RETURN_IF_ERROR(PutHeader(name, size, kTarFile));
  name_ = std::string(name);
  size_ = size;
  remaining_ = size;
  return absl::OkStatus();
}

absl::Status TarWriter::Append(absl::string_view bytes) {
  if (bytes.size() > remaining_) {
    return Misused(name_, "it was given too many bytes");
  }
  SLUICE_RETURN_IF_ERROR(Put(bytes));
  remaining_ -= bytes.size();
  if (remaining_ > 0 || bytes.empty()) return absl::OkStatus();
  return Pad(size_);
}

absl::Status TarWriter::Finish() {
  if (remaining_ > 0) return Misused(name_, "it was given too few bytes");
  const absl::string_view zeros(kZeros.data(), kZeros.size());
  SLUICE_RETURN_IF_ERROR(Put(zeros));
  return Put(zeros);
}

absl::Status TarWriter::PutPaxHeader(absl::string_view records) {
  SLUICE_RETURN_IF_ERROR(PutHeader("pax", records.size(), kTarPaxHeader));
  SLUICE_RETURN_IF_ERROR(Put(records));
  return Pad(records.size());
}

// A name or size that does not fit is cut: the pax header before says it.
absl::Status TarWriter::PutHeader(absl::string_view name, uint64_t size,
                                  char type) {
  Block block{};
  Set(block, kTarName, name.substr(0, kTarName.size));
  SetNumber(block, kTarMode, 0600);
  SetNumber(block, kTarUid, 0);
  SetNumber(block, kTarGid, 0);
  SetNumber(block, kTarSize, std::min(size, kMaxTarOctalSize));
  SetNumber(block, kTarTime, 0);
  Set(block, kTarType, absl::string_view(&type, 1));
  Set(block, kTarMagic, kTarMagicValue);
  const absl::string_view bytes(block.data(), block.size());
  Set(block, kTarChecksum,
      absl::StrFormat("%06o%c ", TarChecksum(bytes), '\0'));
  return Put(bytes);
}

absl::Status TarWriter::Put(absl::string_view bytes) {
  if (bytes.empty()) return absl::OkStatus();
  SLUICE_RETURN_IF_ERROR(sink_.Write(bytes));
  bytes_ += bytes.size();
  return absl::OkStatus();
}

absl::Status TarWriter::Pad(uint64_t size) {
  return Put(absl::string_view(kZeros.data(), TarPadding(size)));
}

}  // namespace postgres
}  // namespace sluice
