#include "sluice/service/http/api/known_plans.h"

#include <utility>

#include "sluice/base/status_macros.h"
#include "sluice/service/plan/plan_rules.h"

namespace sluice::service {
namespace {

KnownPlan Known(Plan plan) {
  KnownPlan known;
  known.name = plan.name();
  known.repos.assign(plan.spec().repos().begin(), plan.spec().repos().end());
  const absl::StatusOr<PlanRules> rules = RulesOf(plan);
  if (rules.ok()) {
    known.expected = ExpectationOf(plan, *rules);
  } else {
    known.unusable = std::move(plan);
  }
  return known;
}

}  // namespace

bool KnownPlan::IsOverdueAt(absl::Time now,
                            absl::optional<absl::Time> succeeded) const {
  if (expected.has_value()) return IsOverdue(*expected, succeeded, now);
  const absl::StatusOr<PlanRules> rules = RulesOf(*unusable);
  return !rules.ok() || IsOverdue(*unusable, *rules, succeeded, now);
}

absl::StatusOr<std::shared_ptr<const KnownPlans::ById>> KnownPlans::Get(
    const Context& context, Catalog& catalog) {
  // Before the plans: what changes meanwhile has a higher one.
  SLUICE_ASSIGN_OR_RETURN(const uint64_t revision,
                          catalog.settings().Revision(context));
  {
    MutexLock lock(mutex_);
    if (plans_ != nullptr && revision_ == revision) return plans_;
  }
  SLUICE_ASSIGN_OR_RETURN(std::vector<Plan> plans,
                          catalog.plans().ListPlans(context));
  auto known = std::make_shared<ById>();
  for (Plan& plan : plans) {
    const std::string id = plan.id();
    known->emplace(id, Known(std::move(plan)));
  }
  MutexLock lock(mutex_);
  plans_ = known;
  revision_ = revision;
  return plans_;
}

}  // namespace sluice::service
