#ifndef SLUICE_SERVICE_PLAN_PLAN_RULES_H_
#define SLUICE_SERVICE_PLAN_PLAN_RULES_H_

// A plan, checked and taken apart into what schedule and retention ask for; and
// its targets as it is made, edited, paused or resumed.
//
// Example:
//
//   SLUICE_ASSIGN_OR_RETURN(const PlanRules rules, RulesOf(plan));
//   SLUICE_RETURN_IF_ERROR(
//       plans.AddPlan(context, plan, TargetsOf(plan, rules, now)));
//
// Pure, but for a zone's file; any thread. Errors are invalid_argument, name
// the field, and have a hint.

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "sluice/catalog/plan.pb.h"
#include "sluice/catalog/plan_store.h"
#include "sluice/service/retention/rules.h"
#include "sluice/service/schedule/cron.h"
#include "sluice/service/schedule/due.h"

namespace sluice::service {

struct PlanRules {
  absl::TimeZone zone;
  absl::optional<Schedule> schedule;  // none: on demand
  DueRules due;
  RetentionRules retention;
  uint32_t attempts = 3;
  absl::Duration retry_for = absl::InfiniteDuration();
  absl::Duration timeout = absl::InfiniteDuration();
  absl::Duration full_every = absl::ZeroDuration();  // 0: full backups only
};

absl::StatusOr<PlanRules> RulesOf(const Plan& plan);

// Of a plan that is made or resumed now: never due at once.
std::vector<PlanTarget> TargetsOf(const Plan& plan, const PlanRules& rules,
                                  absl::Time now);

// Of a plan that was `before`: its targets stay as they are where the edit does
// not concern them.
std::vector<PlanTarget> TargetsAfterEdit(const Plan& before,
                                         const std::vector<PlanTarget>& targets,
                                         const Plan& after,
                                         const PlanRules& rules,
                                         absl::Time now);

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_PLAN_PLAN_RULES_H_
