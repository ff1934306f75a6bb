#ifndef SLUICE_SERVICE_ADMIN_PLAN_APPLY_H_
#define SLUICE_SERVICE_ADMIN_PLAN_APPLY_H_

// Plans as a file says them: made where they are not there, changed to match
// where they are. To do it twice changes nothing the second time.
//
// Example:
//
//   SLUICE_ASSIGN_OR_RETURN(const std::vector<PlanStatement> statements,
//                           ParsePlans(text));
//   for (const PlanStatement& statement : statements) {
//     SLUICE_ASSIGN_OR_RETURN(
//         const AppliedPlan applied,
//         ApplyPlan(context, *catalog, *host, *clock, statement, {}));
//     Print(statement.name, applied.changed);
//   }
//
// ParsePlans is pure and takes anything, of kMaxSettingsBytes at most; any
// thread. ApplyPlan blocks as PlanAdmin does. Errors: invalid_argument, which
// names what is wrong and stores nothing; those of PlanAdmin.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/base/clock.h"
#include "sluice/catalog/catalog.h"
#include "sluice/catalog/plan.pb.h"
#include "sluice/executor/context.h"
#include "sluice/plugins/host/plugin_host.h"
#include "sluice/service/admin/plan_admin.h"

namespace sluice::service {

// All of a plan: what is not said is as it is when nothing is said. Whether it
// is paused is said, or stays.
struct PlanStatement {
  std::string name;
  PlanWords words;
};

// What `sluice export` prints, {"plans":[...]}, or a list of plans. A plan
// needs "name", "source" and "repos" (names or ids); what only an export has,
// as its id, may be there and says nothing. Any other name is refused, and so
// is a plan that is there twice.
absl::StatusOr<std::vector<PlanStatement>> ParsePlans(absl::string_view text);

struct AppliedPlan {
  enum class Action { kAdded, kChanged, kSame };
  Action action = Action::kSame;
  std::vector<std::string> changed;  // the fields of kChanged, as in JSON
  Plan plan;                         // as it is now, or would be
};

// "added", "changed", "same".
absl::string_view ApplyWord(AppliedPlan::Action action);

struct ApplyOptions {
  PlanChecks checks;
  bool dry_run = false;  // says what would be, and stores nothing
};

absl::StatusOr<AppliedPlan> ApplyPlan(const Context& context, Catalog& catalog,
                                      PluginHost& host, Clock& clock,
                                      const PlanStatement& statement,
                                      const ApplyOptions& options);

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_ADMIN_PLAN_APPLY_H_
