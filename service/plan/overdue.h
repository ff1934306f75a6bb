#ifndef SLUICE_SERVICE_PLAN_OVERDUE_H_
#define SLUICE_SERVICE_PLAN_OVERDUE_H_

// When a plan has had no success for too long: what metrics and notifications
// both say.

#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "sluice/catalog/plan.pb.h"
#include "sluice/service/plan/plan_rules.h"

namespace sluice::service {

// Whether a due time has passed by its interval (a day at most) and none of the
// plan's backups into a repo succeeded since; `succeeded`: when the last did.
// Without a schedule: none within what the plan expects. Never while it is
// paused. Pure.
bool IsOverdue(const Plan& plan, const PlanRules& rules,
               absl::optional<absl::Time> succeeded, absl::Time now);

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_PLAN_OVERDUE_H_
