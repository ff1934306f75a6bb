#ifndef SLUICE_PLUGINS_POSTGRES_PAYLOAD_ROW_DIGEST_H_
#define SLUICE_PLUGINS_POSTGRES_PAYLOAD_ROW_DIGEST_H_

// What a table's rows add up to, whatever their order and however they are cut
// into parts: how many, how many bytes, and the sum modulo 2^128 of the 128-bit
// XXH3 of each row. Source and restore compute it from the same bytes; where
// the two differ, a row is missing, doubled or changed.
//
//   RowDigest digest;
//   digest.AddRow(row);                 // at the source, row by row
//   digest.AddRows(format, part);       // at the restore, part by part
//   total.Merge(digest);                // each thread has one of its own
//   total.Hex() == index.digest
//
// A row is what COPY makes of it: in text the line with its newline, in binary
// the tuple from its count of fields on; neither the header nor the trailer.
// Guards against faults, not against forgers: that is the archive's seal.
//
// One thread. Cost: XXH3, some 10 GiB/s; AddRows walks the fields as well.

#include <cstdint>
#include <string>

#include "absl/numeric/int128.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "sluice/plugins/postgres/payload/payload_format.h"

namespace sluice {
namespace postgres {

class RowDigest {
 public:
  void AddRow(absl::string_view row);
  // Whole rows, one after the other. INVALID_ARGUMENT, which says at which
  // byte, where they are not; what stood before it is added.
  absl::Status AddRows(CopyFormat format, absl::string_view rows);
  void Merge(const RowDigest& other);

  uint64_t rows() const { return rows_; }
  uint64_t bytes() const { return bytes_; }
  // 32 lower-case digits, the most significant first.
  std::string Hex() const;

 private:
  absl::Status AddLines(absl::string_view rows);
  absl::Status AddTuples(absl::string_view rows);

  uint64_t rows_ = 0;
  uint64_t bytes_ = 0;
  absl::uint128 sum_ = 0;
};

// The same of one part of a large object, which is bound to its place: the row
// is "<oid>/<part>/" and the part's bytes. Part by part in any order.
class BlobDigest {
 public:
  void AddPart(uint32_t oid, uint64_t part, absl::string_view bytes);

  uint64_t bytes() const { return bytes_; }
  std::string Hex() const;

 private:
  uint64_t bytes_ = 0;
  absl::uint128 sum_ = 0;
};

}  // namespace postgres
}  // namespace sluice

#endif  // SLUICE_PLUGINS_POSTGRES_PAYLOAD_ROW_DIGEST_H_
