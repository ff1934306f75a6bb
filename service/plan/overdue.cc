#include "sluice/service/plan/overdue.h"

#include <algorithm>
#include <cstdint>

namespace sluice::service {
namespace {

// A due time whose success is later than that is overdue, or than the interval
// where that is shorter.
constexpr absl::Duration kMostGrace = absl::Hours(24);

}  // namespace

bool IsOverdue(const Plan& plan, const PlanRules& rules,
               absl::optional<absl::Time> succeeded, absl::Time now) {
  if (plan.paused()) return false;
  const absl::Time created = absl::FromUnixMillis(plan.created_at_ms());
  if (!rules.schedule.has_value()) {
    const int64_t every = plan.spec().expected_every_ms();
    return every > 0 &&
           succeeded.value_or(created) + absl::Milliseconds(every) < now;
  }
  const absl::Duration grace =
      std::min(rules.schedule->IntervalAfter(now), kMostGrace);
  const absl::Time due = rules.schedule->Previous(now - grace);
  return due > created && succeeded.value_or(created) < due;
}

}  // namespace sluice::service
