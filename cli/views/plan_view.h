#ifndef SLUICE_CLI_VIEWS_PLAN_VIEW_H_
#define SLUICE_CLI_VIEWS_PLAN_VIEW_H_

// Plans as they are printed, and what is said of them; the same whether they
// were read from the catalog or from a server.
//
// Any thread; nothing blocks.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "sluice/catalog/plan.pb.h"
#include "sluice/catalog/plan_store.h"
#include "sluice/cli/commands/parser.h"
#include "sluice/cli/terminal/console.h"
#include "sluice/cli/views/job_view.h"
#include "sluice/executor/models.pb.h"
#include "sluice/service/admin/plan_admin.h"
#include "sluice/service/schedule/preview.h"

namespace sluice::cli {

inline constexpr size_t kFiringsShown = 10;
inline constexpr uint64_t kTimesShown = 5;

// What the flags say; `before`: what a plan that is edited said.
absl::StatusOr<service::PlanWords> PlanWordsOf(const Command& command,
                                               const PlanSpec& before);
bool SaysNothing(const service::PlanWords& words);

// What is known of a plan beside what it says.
struct PlanView {
  Plan plan;
  std::vector<std::string> repo_names;
  std::vector<PlanTarget> targets;
  absl::optional<BackupJob> last_job;
  absl::TimeZone zone = absl::UTCTimeZone();
};

void PrintPlans(Console& console, const std::vector<PlanView>& views);
// `firings`: its last ones, the oldest first. `repos`: their names.
void PrintPlan(Console& console, const PlanView& view,
               const std::vector<Firing>& firings, const NamesById& repos);
// The plan as it is now, what was done to it, and when it is due.
void PrintChangedPlan(Console& console, const PlanView& view,
                      absl::string_view what);
void PrintRemovedPlan(Console& console, const Plan& plan);
void PrintTimes(Console& console, const Plan& plan,
                const std::vector<service::PlannedTime>& times);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_VIEWS_PLAN_VIEW_H_
