#include "sluice/service/plan/span.h"

#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"

namespace sluice::service {
namespace {

struct Unit {
  absl::string_view name;
  int64_t milliseconds;
};

// The largest first.
constexpr Unit kUnits[] = {{"w", 604'800'000}, {"d", 86'400'000},
                           {"h", 3'600'000},   {"m", 60'000},
                           {"s", 1'000},       {"ms", 1}};
constexpr int64_t kMaxMilliseconds = int64_t{100} * 365 * 86'400'000;

absl::Status NoSpan(absl::string_view text) {
  return InvalidArgument(
      absl::StrCat("\"", text, "\" is no span of time"),
      "numbers with a unit, the largest first: 30s, 90m, 1h30m, 14d, 2w");
}

// Takes the digits or the letters that `text` begins with.
template <typename Is>
absl::string_view Take(absl::string_view& text, Is is) {
  size_t end = 0;
  while (end < text.size() && is(static_cast<unsigned char>(text[end]))) ++end;
  const absl::string_view taken = text.substr(0, end);
  text.remove_prefix(end);
  return taken;
}

}  // namespace

absl::StatusOr<absl::Duration> ParseSpan(absl::string_view text) {
  if (text == "0") return absl::ZeroDuration();
  absl::string_view rest = text;
  int64_t total = 0;
  const Unit* next = std::begin(kUnits);
  while (!rest.empty()) {
    int64_t number = 0;
    if (!absl::SimpleAtoi(Take(rest, absl::ascii_isdigit), &number)) {
      return NoSpan(text);
    }
    const absl::string_view name = Take(rest, absl::ascii_isalpha);
    while (next != std::end(kUnits) && next->name != name) ++next;
    if (next == std::end(kUnits) ||
        number > kMaxMilliseconds / next->milliseconds) {
      return NoSpan(text);
    }
    total += number * next->milliseconds;
    if (total > kMaxMilliseconds) return NoSpan(text);
    ++next;
  }
  if (text.empty()) return NoSpan(text);
  return absl::Milliseconds(total);
}

std::string FormatSpan(absl::Duration span) {
  int64_t rest = absl::ToInt64Milliseconds(span);
  std::string text;
  for (const Unit& unit : kUnits) {
    if (unit.name == "w" && rest % unit.milliseconds != 0) continue;
    const int64_t number = rest / unit.milliseconds;
    rest %= unit.milliseconds;
    if (number > 0) absl::StrAppend(&text, number, unit.name);
  }
  return text.empty() ? "0" : text;
}

}  // namespace sluice::service
