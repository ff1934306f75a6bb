#ifndef SLUICE_SERVICE_RETENTION_RULES_H_
#define SLUICE_SERVICE_RETENTION_RULES_H_

// How long archives are kept: rules, and their words in flags and JSON.
//
// Example:
//
//   RetentionRules rules;
//   rules.keep_last = 3;
//   rules.keep_daily = 7;
//   rules.keep_within = *ParseCalendarSpan("1y2m");
//   FormatRetentionRules(rules);  // "keep_last=3 keep_within=1y2m keep_daily=7"
//
// Values; pure functions, which any thread may call. Errors are
// invalid_argument, name the field, and have a hint.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace sluice::service {

// No rule counts further, and no part of a span is longer.
inline constexpr int64_t kMaxRetentionCount = 100'000;

// A span of the calendar: a month is as long as the month is, a day may have 23
// hours. No part is negative.
struct CalendarSpan {
  int64_t years = 0;
  int64_t months = 0;
  int64_t days = 0;
  int64_t hours = 0;

  bool is_zero() const;
  friend bool operator==(const CalendarSpan&, const CalendarSpan&) = default;
};

// "1y2m3d4h", "30d", "2w" (14 days): numbers with a unit, largest first, none
// twice; "0" is no span at all. There are no minutes: m is months.
absl::StatusOr<CalendarSpan> ParseCalendarSpan(absl::string_view text);
// Parses as the same span.
std::string FormatCalendarSpan(const CalendarSpan& span);

// `span` before `time`: years, months and days by the zone's calendar at the
// same time of day, then hours as they pass. A day that the month does not have
// is the one so much later in the next: a month before March 31 is March 3, or
// March 2 in a leap year. (So does Go's AddDate, and restic with it.) A time of
// day that the clock skipped is as long after the change as it would have been
// with the offset before it; of two, it is the earlier.
absl::Time TimeBefore(absl::Time time, const CalendarSpan& span,
                      absl::TimeZone zone);

// An archive stays if any rule wants it. A rule of 0 is off; without a rule
// everything is kept.
struct RetentionRules {
  int64_t keep_last = 0;  // the newest N
  // Those made less than that before the newest, never counted from now.
  CalendarSpan keep_within;
  // The newest of each of the last N hours, days, ISO weeks, months or years,
  // of those in which there is one.
  int64_t keep_hourly = 0;
  int64_t keep_daily = 0;
  int64_t keep_weekly = 0;
  int64_t keep_monthly = 0;
  int64_t keep_yearly = 0;
  // Not a rule but a guard: percent, below 100, by which a full archive's size
  // or counts may be below those before it; beyond it nothing is removed until
  // a person agrees. 0 is off.
  int64_t max_shrink = 50;

  // Whether none wants anything; the guard is no rule.
  bool keeps_everything() const;
  friend bool operator==(const RetentionRules&,
                         const RetentionRules&) = default;
};

// For rules that were not parsed.
absl::Status CheckRetentionRules(const RetentionRules& rules);

// Sets one rule by its field's name. For those who know services of old:
// `keep_count` is keep_last, `keep_age_days` is keep_within in days. On an error
// `rules` is as it was.
absl::Status SetRetentionRule(absl::string_view name, absl::string_view value,
                              RetentionRules& rules);

// The rules that are on, and max_shrink where it is not the default, as names
// and values that SetRetentionRule takes.
std::vector<std::pair<std::string, std::string>> RetentionRuleWords(
    const RetentionRules& rules);

// `name=value`, separated by spaces or commas, no field twice; empty text is no
// rule. At most 1,024 bytes.
absl::StatusOr<RetentionRules> ParseRetentionRules(absl::string_view text);
// Parses as the same rules.
std::string FormatRetentionRules(const RetentionRules& rules);

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_RETENTION_RULES_H_
