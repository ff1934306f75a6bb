#ifndef SLUICE_SERVICE_ENGINE_SCHEDULER_H_
#define SLUICE_SERVICE_ENGINE_SCHEDULER_H_

// Makes due times into pending jobs, and what became of those jobs into what
// became of the due times. All that it knows is in the catalog: any number of
// processes may do this at once, and one may die between any two statements.
//
// Example:
//
//   Scheduler scheduler(catalog, Clock::Real(), random);
//   while (!stopped) {
//     const absl::StatusOr<absl::Time> next = scheduler.Step(context);
//     SleepUntil(next.value_or(in_a_while));
//   }
//
// One thread at a time. Step blocks for the catalog; its errors are the
// catalog's, and the next step goes on where this one ended. A plan that
// cannot be read (its zone is gone from this machine) is passed over, and told.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>

#include "absl/random/bit_gen_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "sluice/base/clock.h"
#include "sluice/catalog/catalog.h"
#include "sluice/executor/context.h"
#include "sluice/service/engine/steady_clock_watch.h"
#include "sluice/service/plan/plan_rules.h"
#include "sluice/service/schedule/due.h"

namespace sluice::service {

struct SchedulerOptions {
  // How long a job may wait for a worker.
  absl::Duration queue_timeout = absl::Hours(24);
  // The first retry of a failed run comes after about that, each next one after
  // twice as long, up to max_backoff.
  absl::Duration backoff = absl::Seconds(30);
  absl::Duration max_backoff = absl::Minutes(30);
  // Names a job. Empty: NewUlid, which differs with each run of a test.
  std::function<std::string()> new_id;
  // Told of a plan that has to be passed over. May be empty.
  std::function<void(const Plan&, const absl::Status&)> on_unusable_plan;
};

// Whether another try of a run that ended so may succeed: not where a person
// ended it, nor where the store, the repo or the plan is refused as it stands.
bool MayRetry(const BackupJob& job);

// What is kept of a target, as it counts at `now`. What a clock ahead has fired
// is no reason to pass over its time when it comes: it may not have run, and
// the firing's key keeps it from running twice.
DueState StateOf(const PlanTarget& target, absl::Time now);

class Scheduler {
 public:
  // Borrows all.
  Scheduler(Catalog* catalog, Clock* clock, absl::BitGenRef random,
            SchedulerOptions options = {});

  // All that is to be done now. When the next step is due at the latest.
  absl::StatusOr<absl::Time> Step(const Context& context);

 private:
  // A plan as it was read in this step, with its rules.
  struct Known {
    Plan plan;
    absl::StatusOr<PlanRules> rules = absl::UnknownError("not read");
  };

  absl::StatusOr<const Known*> Look(const Context& context,
                                    const std::string& plan_id);
  absl::Status SettleEnded(const Context& context, absl::Time now);
  absl::StatusOr<SettleStep> Settle(const Context& context,
                                    const Firing& firing, const BackupJob& job,
                                    absl::Time now);
  absl::Status FireDue(const Context& context, absl::Time now);
  absl::StatusOr<absl::optional<Firing>> RowOf(const Context& context,
                                               const PlanTarget& target,
                                               absl::Time due);
  absl::StatusOr<FireStep> StepFor(const Context& context,
                                   const PlanTarget& target,
                                   const DueState& kept, absl::Time now);
  // Computes anew what a clock that had been wrong left behind, and what came
  // while it was.
  absl::Status MendAfterJump(const Context& context, absl::Time now);
  absl::Status MendTargets(const Context& context, absl::Time now);
  absl::StatusOr<bool> WasPassedOver(const Context& context, const Plan& plan,
                                     const PlanTarget& target, absl::Time due,
                                     bool anew, absl::Time now);
  // Ends jobs that wait for a time which only such a clock can have given them.
  absl::Status MendWaiting(const Context& context, absl::Time now);
  bool WaitsTooLong(const PlanRules& rules, const JobRequest& request,
                    absl::Time now) const;
  QueuedRun RunOf(const Plan& plan, const PlanRules& rules,
                  const Firing& firing, const std::string& store_id,
                  absl::Time not_before, absl::Time now);
  absl::Duration BackoffAfter(uint32_t attempts);

  Catalog* const catalog_;
  Clock* const clock_;
  absl::BitGenRef random_;
  const SchedulerOptions options_;
  std::map<std::string, Known> known_;  // of this step
  // The wall clock's distance from the boot clock when all was last mended, and
  // when that was by the boot clock.
  absl::optional<absl::Duration> offset_;
  absl::Duration mended_at_;
  SteadyClockWatch watch_;
};

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_ENGINE_SCHEDULER_H_
