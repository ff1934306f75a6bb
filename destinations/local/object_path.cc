#include "sluice/destinations/local/object_path.h"

#include <unistd.h>

#include <algorithm>
#include <random>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "sluice/base/error.h"
#include "sluice/plugins/sdk/place.h"

namespace sluice {
namespace {

constexpr absl::string_view kReserved = ".sluice-";
constexpr size_t kTokenDigits = 16;

bool IsNameByte(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '.' ||
         c == '_' || c == '-';
}

// 16 hexadecimal digits.
std::string NewToken() {
  std::random_device device;  // the kernel's, not a seed: processes must differ
  const uint64_t token = (uint64_t{device()} << 32) | device();
  return absl::StrCat(absl::Hex(token, absl::kZeroPad16));
}

}  // namespace

bool IsSegment(absl::string_view name) {
  return !name.empty() && name.size() <= kMaxNamePartBytes && name != "." &&
         name != ".." && !absl::StartsWith(name, kReserved) &&
         std::all_of(name.begin(), name.end(), IsNameByte);
}

absl::Status CheckObjectName(absl::string_view name) {
  if (!sdk::IsObjectName(name)) {
    return InvalidArgument(
        absl::StrCat("not an object's name: '", name.substr(0, 100), "'"));
  }
  for (const absl::string_view segment : absl::StrSplit(name, '/')) {
    if (!IsSegment(segment)) {
      return InvalidArgument(
          absl::StrCat("a part of the name '", name.substr(0, 100),
                       "...' is longer than ", kMaxNamePartBytes, " bytes"));
    }
  }
  return absl::OkStatus();
}

bool IsObjectPrefix(absl::string_view prefix) {
  const absl::string_view folder = FolderOf(prefix);
  if (prefix.size() > 512 || absl::StartsWith(prefix, "/")) return false;
  if (!folder.empty() && !sdk::IsObjectName(folder)) return false;
  const absl::string_view last = LastSegment(prefix);
  return std::all_of(last.begin(), last.end(), IsNameByte);
}

absl::string_view FolderOf(absl::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == absl::string_view::npos ? absl::string_view()
                                          : path.substr(0, slash);
}

absl::string_view LastSegment(absl::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == absl::string_view::npos ? path : path.substr(slash + 1);
}

std::string JoinPath(absl::string_view folder, absl::string_view name) {
  return folder.empty() ? std::string(name) : absl::StrCat(folder, "/", name);
}

std::string FolderPath(absl::string_view folder) {
  return folder.empty() ? "." : std::string(folder);
}

std::string NewProbeName() {
  return absl::StrCat("sluice-probe-", NewToken(), NewToken());
}

std::string NewTemporary(absl::string_view name) {
  return JoinPath(FolderOf(name),
                  absl::StrCat(kReserved, NewToken(), "-", getpid(), "-",
                               LastSegment(name)));
}

absl::string_view TargetOfTemporary(absl::string_view segment) {
  if (!absl::ConsumePrefix(&segment, kReserved)) return "";
  const absl::string_view token = segment.substr(0, kTokenDigits);
  if (token.size() < kTokenDigits ||
      !std::all_of(token.begin(), token.end(), absl::ascii_isxdigit)) {
    return "";
  }
  segment.remove_prefix(kTokenDigits);
  if (!absl::ConsumePrefix(&segment, "-")) return "";
  const size_t digits =
      std::find_if_not(segment.begin(), segment.end(), absl::ascii_isdigit) -
      segment.begin();
  if (digits == 0) return "";
  segment.remove_prefix(digits);
  if (!absl::ConsumePrefix(&segment, "-")) return "";
  return IsSegment(segment) ? segment : "";
}

}  // namespace sluice
