#include "sluice/destinations/archive/format/names.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "sluice/base/error.h"
#include "sluice/destinations/archive/format/limits.h"
#include "sluice/executor/ulid.h"

namespace sluice {
namespace {

bool IsNameCharacter(char c) {
  return absl::ascii_isalnum(c) || c == '.' || c == '_' || c == '-';
}

bool IsNamePart(absl::string_view part) {
  return !part.empty() && part != "." && part != ".." &&
         part.substr(0, 8) != ".sluice-" &&
         std::all_of(part.begin(), part.end(), IsNameCharacter);
}

bool AllDigits(absl::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isdigit(c);
  });
}

bool IsSegmentFile(absl::string_view file) {
  if (file == kPayloadFile) return true;
  if (file.size() <= kPayloadFile.size() + 1 ||
      file.substr(0, kPayloadFile.size()) != kPayloadFile ||
      file[kPayloadFile.size()] != '.') {
    return false;
  }
  const absl::string_view number = file.substr(kPayloadFile.size() + 1);
  return number.size() >= 4 && number.size() <= 9 && AllDigits(number);
}

}  // namespace

bool IsBackupId(absl::string_view id) { return IsUlid(id); }

absl::Status CheckBackupId(absl::string_view id) {
  if (IsBackupId(id)) return absl::OkStatus();
  return InvalidArgument(
      "not a backup id: 26 characters of 0-9 and A-Z without I, L, O, U");
}

bool IsObjectName(absl::string_view name) {
  if (name.empty() || name.size() > kMaxObjectNameBytes) return false;
  for (absl::string_view part : absl::StrSplit(name, '/')) {
    if (!IsNamePart(part)) return false;
  }
  return true;
}

std::string SegmentFile(uint64_t index) {
  if (index == 0) return std::string(kPayloadFile);
  return absl::StrFormat("%s.%04d", kPayloadFile, index);
}

std::string ObjectName(absl::string_view backup_id, absl::string_view file) {
  return absl::StrCat(backup_id, "/", file);
}

SplitName SplitObjectName(absl::string_view name) {
  if (name.size() < kUlidLength + 2 || name[kUlidLength] != '/') return {};
  const absl::string_view id = name.substr(0, kUlidLength);
  if (!IsBackupId(id)) return {};
  return {id, name.substr(kUlidLength + 1)};
}

bool IsArchiveFile(absl::string_view file) {
  return file == kManifestFile || file == kSumsFile || file == kWriterFile ||
         file == kPayloadIdsFile || file == kIndexFile || file == "seal" ||
         file.substr(0, 5) == "keys/" || IsSegmentFile(file);
}

bool IsProbeName(absl::string_view name) {
  return name.size() == kProbePrefix.size() + 32 &&
         name.substr(0, kProbePrefix.size()) == kProbePrefix &&
         std::all_of(name.begin() + kProbePrefix.size(), name.end(),
                     [](char c) { return absl::ascii_isxdigit(c); });
}

}  // namespace sluice
