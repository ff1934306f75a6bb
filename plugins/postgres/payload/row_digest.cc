#include "sluice/plugins/postgres/payload/row_digest.h"

#include <xxhash.h>

#include <cstddef>
#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"

namespace sluice {
namespace postgres {
namespace {

absl::uint128 ToInteger(const XXH128_hash_t& hash) {
  return absl::MakeUint128(hash.high64, hash.low64);
}

std::string ToHex(const absl::uint128& sum) {
  return absl::StrFormat("%016x%016x", absl::Uint128High64(sum),
                         absl::Uint128Low64(sum));
}

uint32_t BigEndian(absl::string_view bytes, size_t at, size_t count) {
  uint32_t value = 0;
  for (size_t i = 0; i < count; ++i) {
    value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  }
  return value;
}

absl::Status NoWholeRow(size_t at) {
  return InvalidArgument(absl::StrCat("no whole row at byte ", at));
}

// The length of the tuple that `rows` begins with; 0: it is none.
size_t TupleBytes(absl::string_view rows) {
  if (rows.size() < 2) return 0;
  const uint32_t fields = BigEndian(rows, 0, 2);
  if (fields > 0x7fff) return 0;  // the trailer is the only negative one
  size_t at = 2;
  for (uint32_t field = 0; field < fields; ++field) {
    if (rows.size() - at < 4) return 0;
    const uint32_t length = BigEndian(rows, at, 4);
    at += 4;
    if (length == 0xffffffff) continue;  // null
    if (length > rows.size() - at) return 0;
    at += length;
  }
  return at;
}

}  // namespace

void RowDigest::AddRow(absl::string_view row) {
  ++rows_;
  bytes_ += row.size();
  sum_ += ToInteger(XXH3_128bits(row.data(), row.size()));
}

absl::Status RowDigest::AddRows(CopyFormat format, absl::string_view rows) {
  return format == CopyFormat::kText ? AddLines(rows) : AddTuples(rows);
}

absl::Status RowDigest::AddLines(absl::string_view rows) {
  for (size_t at = 0; at < rows.size();) {
    const size_t newline = rows.find('\n', at);
    if (newline == absl::string_view::npos) return NoWholeRow(at);
    AddRow(rows.substr(at, newline + 1 - at));
    at = newline + 1;
  }
  return absl::OkStatus();
}

absl::Status RowDigest::AddTuples(absl::string_view rows) {
  for (size_t at = 0; at < rows.size();) {
    const size_t length = TupleBytes(rows.substr(at));
    if (length == 0) return NoWholeRow(at);
    AddRow(rows.substr(at, length));
    at += length;
  }
  return absl::OkStatus();
}

void RowDigest::Merge(const RowDigest& other) {
  rows_ += other.rows_;
  bytes_ += other.bytes_;
  sum_ += other.sum_;
}

std::string RowDigest::Hex() const { return ToHex(sum_); }

void BlobDigest::AddPart(uint32_t oid, uint64_t part, absl::string_view bytes) {
  const std::string place = absl::StrCat(oid, "/", part, "/");
  const std::unique_ptr<XXH3_state_t, XXH_errorcode (*)(XXH3_state_t*)> state(
      XXH3_createState(), &XXH3_freeState);
  XXH3_128bits_reset(state.get());
  XXH3_128bits_update(state.get(), place.data(), place.size());
  XXH3_128bits_update(state.get(), bytes.data(), bytes.size());
  bytes_ += bytes.size();
  sum_ += ToInteger(XXH3_128bits_digest(state.get()));
}

std::string BlobDigest::Hex() const { return ToHex(sum_); }

}  // namespace postgres
}  // namespace sluice
