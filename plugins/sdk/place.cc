#include "sluice/plugins/sdk/place.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_split.h"

namespace sluice::sdk {
namespace {

bool IsSegment(absl::string_view segment) {
  if (segment.empty() || segment == "." || segment == "..") return false;
  if (absl::StartsWith(segment, ".sluice-")) return false;
  return std::all_of(segment.begin(), segment.end(), [](char c) {
    return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' ||
           c == '_' || c == '-';
  });
}

}  // namespace

bool IsObjectName(absl::string_view name) {
  if (name.empty() || name.size() > 512) return false;
  for (const absl::string_view segment : absl::StrSplit(name, '/')) {
    if (!IsSegment(segment)) return false;
  }
  return true;
}

}  // namespace sluice::sdk
