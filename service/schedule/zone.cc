#include "sluice/service/schedule/zone.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "sluice/base/error.h"
#include "sluice/base/text/suggest.h"

namespace sluice::service {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxNameBytes = 64;

// Where absl::LoadTimeZone looks.
std::string ZoneFolder() {
  const char* folder = std::getenv("TZDIR");
  return folder != nullptr && *folder != '\0' ? folder : "/usr/share/zoneinfo";
}

bool IsPart(absl::string_view part) {
  return !part.empty() && absl::ascii_isalpha(part.front()) &&
         std::all_of(part.begin(), part.end(), [](char c) {
           return absl::ascii_isalnum(c) || c == '_' || c == '+' || c == '-';
         });
}

// Names alone; what lies beside them in tzdata's folder, or means something of
// its own to absl::LoadTimeZone, is none.
bool IsZoneName(absl::string_view name) {
  if (name.size() > kMaxNameBytes) return false;
  const std::vector<absl::string_view> parts = absl::StrSplit(name, '/');
  if (!std::all_of(parts.begin(), parts.end(), IsPart)) return false;
  for (absl::string_view other : {"posix", "right", "Fixed"}) {
    if (parts.front() == other) return false;
  }
  for (absl::string_view other :
       {"localtime", "posixrules", "leapseconds", "Factory"}) {
    if (name == other) return false;
  }
  return true;
}

// The hint for a name that is none: the spelling that was meant, a zone of that
// city, one near to it.
std::string HintFor(absl::string_view name,
                    const std::vector<std::string>& names) {
  const std::string lower = absl::AsciiStrToLower(name);
  const std::string city = absl::StrCat("/", lower);
  std::vector<std::string> of_city;
  for (const std::string& known : names) {
    const std::string known_lower = absl::AsciiStrToLower(known);
    if (known_lower == lower) {
      return absl::StrCat("did you mean \"", known, "\"?");
    }
    if (absl::EndsWith(known_lower, city)) of_city.push_back(known);
  }
  if (!of_city.empty()) {
    return absl::StrCat("did you mean \"", of_city.front(), "\"?");
  }
  const std::string near = DidYouMean(name, names);
  return near.empty() ? "a zone is UTC, or a place as in Europe/Berlin" : near;
}

}  // namespace

absl::StatusOr<absl::TimeZone> FindTimeZone(absl::string_view name) {
  if (name == "UTC") return absl::UTCTimeZone();
  absl::TimeZone zone;
  if (IsZoneName(name) && absl::LoadTimeZone(name, &zone)) return zone;
  const std::vector<std::string> names = TimeZoneNames();
  const std::string what =
      absl::StrCat("there is no time zone \"",
                   absl::CHexEscape(name.substr(0, kMaxNameBytes)), "\"");
  if (names.empty()) {
    return InvalidArgument(
        absl::StrCat(what, ": this machine has no time zones in ",
                     ZoneFolder()),
        "install tzdata, or use UTC");
  }
  return InvalidArgument(what, HintFor(name, names));
}

std::vector<std::string> TimeZoneNames() {
  std::vector<std::string> names;
  const fs::path folder = ZoneFolder();
  std::error_code error;
  fs::recursive_directory_iterator entry(folder, error);
  while (!error && entry != fs::recursive_directory_iterator()) {
    const std::string name = entry->path().lexically_relative(folder).string();
    if (!IsZoneName(name)) {
      entry.disable_recursion_pending();
    } else if (entry->is_regular_file(error)) {
      names.push_back(name);
    }
    error.clear();
    entry.increment(error);
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace sluice::service
