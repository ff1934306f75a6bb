#include "sluice/destinations/archive/format/sums.h"

#include "absl/container/flat_hash_set.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/destinations/archive/format/names.h"
#include "sluice/destinations/archive/format/sha256.h"

namespace sluice {
namespace {

constexpr size_t kHexBytes = 2 * kSha256Bytes;

absl::Status Damaged(size_t line, absl::string_view what) {
  return MakeError(absl::StatusCode::kDataLoss, kArchiveDamaged,
                   absl::StrCat("SHA256SUMS line ", line, ": ", what));
}

}  // namespace

absl::StatusOr<std::string> EncodeSums(const std::vector<FileSum>& sums) {
  std::string bytes;
  for (const FileSum& sum : sums) {
    absl::StrAppend(&bytes, sum.sha256, "  ", sum.file, "\n");
  }
  if (bytes.size() > kMaxSumsBytes || sums.size() > kMaxSumsLines) {
    return MakeError(absl::StatusCode::kResourceExhausted, kResourceExhausted,
                     "SHA256SUMS would be larger than a reader accepts");
  }
  return bytes;
}

absl::StatusOr<std::vector<FileSum>> ParseSums(absl::string_view bytes) {
  if (bytes.size() > kMaxSumsBytes) return Damaged(0, "too large");
  std::vector<FileSum> sums;
  absl::flat_hash_set<std::string> seen;
  while (!bytes.empty()) {
    const size_t line = sums.size() + 1;
    if (line > kMaxSumsLines) return Damaged(line, "too many lines");
    const size_t end = bytes.find('\n');
    if (end == absl::string_view::npos) return Damaged(line, "no line end");
    const absl::string_view text = bytes.substr(0, end);
    bytes.remove_prefix(end + 1);
    if (text.size() < kHexBytes + 3 || !IsSha256Hex(text.substr(0, kHexBytes)))
      return Damaged(line, "no digest");
    if (text.substr(kHexBytes, 2) != "  ")
      return Damaged(line, "no two spaces");
    const absl::string_view file = text.substr(kHexBytes + 2);
    if (!IsObjectName(file) || !IsArchiveFile(file) || file == kSumsFile ||
        file == kWriterFile) {
      return Damaged(line, "a name that belongs into no archive");
    }
    if (!seen.insert(std::string(file)).second)
      return Damaged(line, "a file twice");
    sums.push_back({std::string(file), std::string(text.substr(0, kHexBytes))});
  }
  return sums;
}

std::string SumOf(const std::vector<FileSum>& sums, absl::string_view file) {
  for (const FileSum& sum : sums) {
    if (sum.file == file) return sum.sha256;
  }
  return "";
}

}  // namespace sluice
