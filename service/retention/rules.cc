#include "sluice/service/retention/rules.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/civil_time.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"

namespace sluice::service {
namespace {

constexpr size_t kMaxRulesBytes = 1024;
constexpr absl::string_view kWithin = "keep_within";

struct CountRule {
  absl::string_view name;
  int64_t RetentionRules::*value;
  int64_t most = kMaxRetentionCount;
};

constexpr CountRule kCountRules[] = {
    {"keep_last", &RetentionRules::keep_last},
    {"keep_hourly", &RetentionRules::keep_hourly},
    {"keep_daily", &RetentionRules::keep_daily},
    {"keep_weekly", &RetentionRules::keep_weekly},
    {"keep_monthly", &RetentionRules::keep_monthly},
    {"keep_yearly", &RetentionRules::keep_yearly},
    {"max_shrink", &RetentionRules::max_shrink, 99},
};

struct SpanUnit {
  char letter;
  int64_t CalendarSpan::*value;
  int64_t factor = 1;
};

constexpr SpanUnit kSpanUnits[] = {
    {'y', &CalendarSpan::years},   {'m', &CalendarSpan::months},
    {'w', &CalendarSpan::days, 7}, {'d', &CalendarSpan::days},
    {'h', &CalendarSpan::hours},
};

std::string Shown(absl::string_view text) {
  return absl::StrCat("\"", absl::Utf8SafeCEscape(text.substr(0, 40)),
                      text.size() > 40 ? "...\"" : "\"");
}

absl::Status BadSpan(absl::string_view text) {
  return InvalidArgument(
      absl::StrCat("not a span of the calendar: ", Shown(text)),
      "write it as 30d, 2w or 1y2m3d4h: years, months, weeks, days, hours");
}

// Takes the digits at the front of `text`; false where there are none, or too
// many to be a part of a span.
bool TakeNumber(absl::string_view& text, int64_t& number) {
  size_t digits = 0;
  while (digits < text.size() && absl::ascii_isdigit(text[digits])) ++digits;
  const bool taken = digits > 0 && digits <= 6 &&
                     absl::SimpleAtoi(text.substr(0, digits), &number);
  text.remove_prefix(digits);
  return taken;
}

absl::Status CheckPart(absl::string_view name, int64_t value, int64_t most) {
  if (value < 0) {
    return InvalidArgument(absl::StrCat(name, " is negative: ", value),
                           "0 turns it off");
  }
  if (value <= most) return absl::OkStatus();
  return InvalidArgument(absl::StrCat(name, " is too large: ", value),
                         absl::StrCat("it is at most ", most));
}

absl::Status CheckSpan(const CalendarSpan& span) {
  for (const SpanUnit& unit : kSpanUnits) {
    SLUICE_RETURN_IF_ERROR(
        CheckPart(kWithin, span.*unit.value, kMaxRetentionCount));
  }
  return absl::OkStatus();
}

absl::StatusOr<int64_t> ParseCount(absl::string_view name,
                                   absl::string_view value) {
  int64_t count = 0;
  absl::string_view digits = value;
  const bool negative = absl::ConsumePrefix(&digits, "-");
  if (!TakeNumber(digits, count) || !digits.empty()) {
    return InvalidArgument(
        absl::StrCat(
            name, " is no whole number of at most six digits: ", Shown(value)),
        "0 turns it off");
  }
  return negative ? -count : count;
}

// The name of today for one of old.
absl::string_view Modern(absl::string_view name) {
  if (name == "keep_count") return "keep_last";
  if (name == "keep_age_days") return kWithin;
  return name;
}

}  // namespace

bool CalendarSpan::is_zero() const { return *this == CalendarSpan(); }

absl::StatusOr<CalendarSpan> ParseCalendarSpan(absl::string_view text) {
  if (text == "0") return CalendarSpan();
  CalendarSpan span;
  absl::string_view rest = text;
  for (const SpanUnit& unit : kSpanUnits) {
    absl::string_view after = rest;
    int64_t number = 0;
    const bool taken = TakeNumber(after, number);
    if (after.empty() || after[0] != unit.letter) continue;
    if (!taken) return BadSpan(text);
    span.*unit.value += number * unit.factor;
    rest = after.substr(1);
  }
  if (!rest.empty() || text.empty()) return BadSpan(text);
  SLUICE_RETURN_IF_ERROR(CheckSpan(span));
  return span;
}

std::string FormatCalendarSpan(const CalendarSpan& span) {
  std::string text;
  for (const SpanUnit& unit : kSpanUnits) {
    if (unit.factor != 1 || span.*unit.value == 0) continue;
    absl::StrAppend(&text, span.*unit.value, std::string(1, unit.letter));
  }
  return text.empty() ? "0" : text;
}

absl::Time TimeBefore(absl::Time time, const CalendarSpan& span,
                      absl::TimeZone zone) {
  const absl::TimeZone::CivilInfo local = zone.At(time);
  const absl::CivilSecond before(local.cs.year() - span.years,
                                 local.cs.month() - span.months,
                                 local.cs.day() - span.days, local.cs.hour(),
                                 local.cs.minute(), local.cs.second());
  return zone.At(before).pre + local.subsecond - absl::Hours(span.hours);
}

bool RetentionRules::keeps_everything() const {
  RetentionRules none;
  none.max_shrink = max_shrink;
  return *this == none;
}

absl::Status CheckRetentionRules(const RetentionRules& rules) {
  for (const CountRule& rule : kCountRules) {
    SLUICE_RETURN_IF_ERROR(CheckPart(rule.name, rules.*rule.value, rule.most));
  }
  return CheckSpan(rules.keep_within);
}

absl::Status SetRetentionRule(absl::string_view name, absl::string_view value,
                              RetentionRules& rules) {
  const absl::string_view field = Modern(name);
  if (name == kWithin) {
    absl::StatusOr<CalendarSpan> span = ParseCalendarSpan(value);
    if (!span.ok()) return Annotate(span.status(), name);
    rules.keep_within = *span;
    return absl::OkStatus();
  }
  if (field == kWithin) {
    SLUICE_ASSIGN_OR_RETURN(const int64_t days, ParseCount(name, value));
    SLUICE_RETURN_IF_ERROR(CheckPart(name, days, kMaxRetentionCount));
    rules.keep_within = CalendarSpan();
    rules.keep_within.days = days;
    return absl::OkStatus();
  }
  for (const CountRule& rule : kCountRules) {
    if (rule.name != field) continue;
    SLUICE_ASSIGN_OR_RETURN(const int64_t count, ParseCount(name, value));
    SLUICE_RETURN_IF_ERROR(CheckPart(name, count, rule.most));
    rules.*rule.value = count;
    return absl::OkStatus();
  }
  return InvalidArgument(
      absl::StrCat("no rule of retention: ", Shown(name)),
      "there are keep_last, keep_within, keep_hourly, keep_daily, keep_weekly, "
      "keep_monthly, keep_yearly and max_shrink");
}

std::vector<std::pair<std::string, std::string>> RetentionRuleWords(
    const RetentionRules& rules) {
  std::vector<std::pair<std::string, std::string>> words;
  for (const CountRule& rule : kCountRules) {
    if (rules.*rule.value != RetentionRules().*rule.value) {
      words.emplace_back(rule.name, absl::StrCat(rules.*rule.value));
    }
    if (rule.name == "keep_last" && !rules.keep_within.is_zero()) {
      words.emplace_back(kWithin, FormatCalendarSpan(rules.keep_within));
    }
  }
  return words;
}

absl::StatusOr<RetentionRules> ParseRetentionRules(absl::string_view text) {
  if (text.size() > kMaxRulesBytes) {
    return InvalidArgument("the rules of retention are longer than 1024 bytes");
  }
  RetentionRules rules;
  std::set<absl::string_view> seen;
  for (absl::string_view word :
       absl::StrSplit(text, absl::ByAnyChar(" ,"), absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(word, absl::MaxSplits('=', 1));
    if (!seen.insert(Modern(parts.first)).second) {
      return InvalidArgument(
          absl::StrCat(Shown(parts.first), " is given twice"),
          "keep_count is keep_last, keep_age_days is keep_within");
    }
    SLUICE_RETURN_IF_ERROR(SetRetentionRule(parts.first, parts.second, rules));
  }
  return rules;
}

std::string FormatRetentionRules(const RetentionRules& rules) {
  return absl::StrJoin(RetentionRuleWords(rules), " ",
                       absl::PairFormatter("="));
}

}  // namespace sluice::service
