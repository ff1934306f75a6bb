#ifndef SLUICE_DESTINATIONS_ARCHIVE_FORMAT_SUMS_H_
#define SLUICE_DESTINATIONS_ARCHIVE_FORMAT_SUMS_H_

// SHA256SUMS: one line a file, as coreutils' `sha256sum -c` reads it.
//
//   <64 lower-case hex digits><space><space><file>\n
//
// Covers every file of the archive but itself and writer.json. Pure functions.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace sluice {

inline constexpr uint64_t kMaxSumsBytes = uint64_t{16} << 20;
inline constexpr uint64_t kMaxSumsLines = 100'016;

struct FileSum {
  std::string file;
  std::string sha256;  // hex
};

// RESOURCE_EXHAUSTED where a reader would refuse the result.
absl::StatusOr<std::string> EncodeSums(const std::vector<FileSum>& sums);

// archive_damaged unless `bytes` is what EncodeSums makes: files that belong
// into an archive, each once.
absl::StatusOr<std::vector<FileSum>> ParseSums(absl::string_view bytes);

// The digest of `file`, or empty.
std::string SumOf(const std::vector<FileSum>& sums, absl::string_view file);

}  // namespace sluice

#endif  // SLUICE_DESTINATIONS_ARCHIVE_FORMAT_SUMS_H_
