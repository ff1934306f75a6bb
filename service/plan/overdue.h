#ifndef SLUICE_SERVICE_PLAN_OVERDUE_H_
#define SLUICE_SERVICE_PLAN_OVERDUE_H_

// When a plan has had no success for too long: what metrics and notifications
// both say.

#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "sluice/catalog/plan.pb.h"
#include "sluice/service/plan/plan_rules.h"
#include "sluice/service/schedule/cron.h"

namespace sluice::service {

// What of a plan says when a success is expected: a fraction of the plan.
struct Expectation {
  bool paused = false;
  absl::Time created;
  absl::optional<Schedule> schedule;
  absl::Duration every;  // without a schedule; 0: none is expected
};
Expectation ExpectationOf(const Plan& plan, const PlanRules& rules);

// Whether a due time has passed by its interval (a day at most) and none of the
// plan's backups into a repo succeeded since; `succeeded`: when the last did.
// Without a schedule: none within what the plan expects. Never while it is
// paused. Pure.
bool IsOverdue(const Expectation& expected,
               absl::optional<absl::Time> succeeded, absl::Time now);
bool IsOverdue(const Plan& plan, const PlanRules& rules,
               absl::optional<absl::Time> succeeded, absl::Time now);

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_PLAN_OVERDUE_H_
