#include "sluice/service/plan/overdue.h"

#include <algorithm>

namespace sluice::service {
namespace {

// A due time whose success is later than that is overdue, or than the interval
// where that is shorter.
constexpr absl::Duration kMostGrace = absl::Hours(24);

}  // namespace

Expectation ExpectationOf(const Plan& plan, const PlanRules& rules) {
  Expectation expected;
  expected.paused = plan.paused();
  expected.created = absl::FromUnixMillis(plan.created_at_ms());
  expected.schedule = rules.schedule;
  expected.every = absl::Milliseconds(plan.spec().expected_every_ms());
  return expected;
}

bool IsOverdue(const Expectation& expected,
               absl::optional<absl::Time> succeeded, absl::Time now) {
  if (expected.paused) return false;
  const absl::Time since = succeeded.value_or(expected.created);
  if (!expected.schedule.has_value()) {
    return expected.every > absl::ZeroDuration() &&
           since + expected.every < now;
  }
  const absl::Duration grace =
      std::min(expected.schedule->IntervalAfter(now), kMostGrace);
  const absl::Time due = expected.schedule->Previous(now - grace);
  return due > expected.created && since < due;
}

bool IsOverdue(const Plan& plan, const PlanRules& rules,
               absl::optional<absl::Time> succeeded, absl::Time now) {
  return IsOverdue(ExpectationOf(plan, rules), succeeded, now);
}

}  // namespace sluice::service
