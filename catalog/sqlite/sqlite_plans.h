#ifndef SLUICE_CATALOG_SQLITE_SQLITE_PLANS_H_
#define SLUICE_CATALOG_SQLITE_SQLITE_PLANS_H_

// The PlanStore over a SqliteDatabase, which it borrows.

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "sluice/base/clock.h"
#include "sluice/catalog/plan_store.h"
#include "sluice/catalog/sqlite/sqlite.h"
#include "sluice/executor/context.h"

namespace sluice {

class SqlitePlans final : public PlanStore {
 public:
  SqlitePlans(SqliteDatabase* database, Clock* clock)
      : database_(database), clock_(clock) {}

  absl::Status AddPlan(const Context& context, const Plan& plan,
                       const std::vector<PlanTarget>& targets) override;
  absl::Status UpdatePlan(const Context& context, const Plan& plan,
                          const std::vector<PlanTarget>& targets) override;
  absl::StatusOr<Plan> GetPlan(const Context& context,
                               absl::string_view name_or_id) override;
  absl::StatusOr<std::vector<Plan>> ListPlans(const Context& context) override;
  absl::Status RemovePlan(const Context& context,
                          absl::string_view name_or_id) override;
  absl::StatusOr<std::vector<PlanTarget>> ListTargets(
      const Context& context, absl::string_view plan_id) override;
  absl::StatusOr<std::vector<PlanTarget>> DueTargets(const Context& context,
                                                     absl::Time now,
                                                     size_t limit) override;
  absl::StatusOr<absl::Time> NextRunAt(const Context& context) override;
  absl::StatusOr<std::vector<FireResult>> FireAll(
      const Context& context, absl::Span<const FireStep> steps) override;
  absl::StatusOr<std::vector<std::pair<Firing, BackupJob>>> EndedFirings(
      const Context& context, size_t limit) override;
  absl::Status SettleAll(const Context& context,
                         absl::Span<const SettleStep> steps) override;
  absl::StatusOr<std::vector<Firing>> ListFirings(
      const Context& context, const FiringFilter& filter) override;
  absl::StatusOr<size_t> DeleteFirings(const Context& context,
                                       absl::Time due_before) override;

 private:
  SqliteDatabase* const database_;
  Clock* const clock_;
};

}  // namespace sluice

#endif  // SLUICE_CATALOG_SQLITE_SQLITE_PLANS_H_
