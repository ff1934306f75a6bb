#ifndef SLUICE_CATALOG_PLAN_STORE_H_
#define SLUICE_CATALOG_PLAN_STORE_H_

// Plans, and what became of each of their due times.
//
// A plan has one *target* for each of its repos. A target knows its next due
// time; when that has come, the scheduler *fires* it: one transaction moves the
// due time on and says what becomes of the ones that are over, a run among
// them at most. A due time has one *firing* for ever, unique by plan, repo and
// nominal time, so that a process which dies anywhere fires no time twice, and
// none never.
//
// Example:
//
//   SLUICE_ASSIGN_OR_RETURN(const std::vector<PlanTarget> due,
//                           plans.DueTargets(context, now, 100));
//   for (const PlanTarget& target : due) {
//     FireStep step;
//     step.plan_id = target.plan_id;
//     step.repo_id = target.repo_id;
//     step.expected_next_due = target.next_due;
//     step.next_due = target.next_due + absl::Hours(1);
//     step.run_at = step.next_due;
//     SLUICE_RETURN_IF_ERROR(plans.Fire(context, step).status());
//   }
//
// Thread-safe; every call blocks as those of Catalog do. Times are kept in
// milliseconds. Errors: plan_not_found, ambiguous_id, name_taken,
// plan_changed, repo_not_found, and those of Catalog.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "sluice/catalog/plan.pb.h"
#include "sluice/executor/context.h"
#include "sluice/executor/models.pb.h"

namespace sluice {

// A plan in one of its repos. What is infinite is not known, or never.
struct PlanTarget {
  std::string plan_id;
  std::string repo_id;
  absl::Time next_due = absl::InfiniteFuture();  // the nominal time
  absl::Time run_at = absl::InfiniteFuture();    // when it is looked at next
  // The newest nominal time that had a run.
  absl::optional<absl::Time> last_fired;
  std::string store_id;  // of its last backup; empty: none yet
};

// What became of a due time.
struct Firing {
  enum class Outcome {
    kOpen,         // its run waits, works, or will be tried again
    kSucceeded,    //
    kFailed,       // its attempts are exhausted, or another would fail as well
    kInterrupted,  // a person cancelled it
    kSkipped,      // there was no need: `reason` says why
    kMissed,       // nobody was there in time: `reason` says why
  };
  std::string plan_id;
  std::string repo_id;
  absl::Time due_at = absl::UnixEpoch();
  Outcome outcome = Outcome::kOpen;
  // "overlap", "missed_too_old", …; of a failure its error's word.
  std::string reason;
  std::string job_id;  // of the last attempt
  uint32_t attempts = 0;
  absl::Time fired_at = absl::UnixEpoch();
  absl::Time finished_at = absl::UnixEpoch();  // the epoch: not yet
  std::string record_id;
  uint64_t size_bytes = 0;  // of the archive
  absl::Duration duration;  // of the attempt that succeeded
};

// "open", "succeeded", …
absl::string_view OutcomeWord(Firing::Outcome outcome);

// A run that is asked for: a pending job's row and its request.
struct QueuedRun {
  BackupJob job;
  JobRequest request;
};

struct FireStep {
  std::string plan_id;
  std::string repo_id;
  // What the target said: where it says another by now, somebody was faster.
  absl::Time expected_next_due;
  absl::Time next_due;
  absl::Time run_at;
  // Due times that are over without a run.
  std::vector<Firing> over;
  // As many more were missed as are not in `over`, all for `more_reason`.
  uint64_t more_missed = 0;
  std::string more_reason;
  absl::optional<Firing> run;     // the due time that is to run, if one is
  absl::optional<QueuedRun> job;  // its first attempt; there with `run`
  absl::Time now;
};

struct FireResult {
  bool moved = false;         // somebody was faster; nothing was written
  bool overlapped = false;    // the run was recorded as skipped ("overlap")
  bool fired_before = false;  // that due time has its firing already
};

// What becomes of an open firing whose job has ended. Where another run of the
// same plan into the same repo waits or works by then, a retry gives way to it:
// the firing is recorded as skipped ("overlap").
struct SettleStep {
  std::string ended_job_id;  // what the firing said
  Firing firing;  // as it is to be; its outcome kOpen where `retry` is there
  absl::optional<QueuedRun> retry;
  absl::Time now;
};

struct FiringFilter {
  std::string plan_id;
  std::string repo_id;
  absl::Time from = absl::InfinitePast();
  absl::Time until = absl::InfiniteFuture();
  size_t limit = 0;  // the newest so many; 0: all
};

// Of a repo or a plan: [a-z0-9][a-z0-9._-]{0,62}, else invalid_argument.
absl::Status CheckName(absl::string_view what, absl::string_view name);

class PlanStore {
 public:
  virtual ~PlanStore() = default;

  // Stores the plan, and a target for each of its repos. Every repo must be
  // there.
  virtual absl::Status AddPlan(const Context& context, const Plan& plan,
                               const std::vector<PlanTarget>& targets) = 0;
  // Replaces the plan of that id whose revision is one less than `plan`'s, else
  // plan_changed. Its targets become `targets`; of one that was there before
  // store id and last firing are kept.
  virtual absl::Status UpdatePlan(const Context& context, const Plan& plan,
                                  const std::vector<PlanTarget>& targets) = 0;
  // By name, else by id or prefix.
  virtual absl::StatusOr<Plan> GetPlan(const Context& context,
                                       absl::string_view name_or_id) = 0;
  // By name, ascending.
  virtual absl::StatusOr<std::vector<Plan>> ListPlans(
      const Context& context) = 0;
  // Forgets it, its targets and its totals; its pending jobs end as
  // interrupted. Its firings, its archives and their records stay.
  virtual absl::Status RemovePlan(const Context& context,
                                  absl::string_view name_or_id) = 0;

  // Of one plan, or of all where `plan_id` is empty; by plan, in the order of
  // the plan's repos.
  virtual absl::StatusOr<std::vector<PlanTarget>> ListTargets(
      const Context& context, absl::string_view plan_id) = 0;
  // Those whose run_at has come, the earliest first, `limit` at most.
  virtual absl::StatusOr<std::vector<PlanTarget>> DueTargets(
      const Context& context, absl::Time now, size_t limit) = 0;
  // The earliest run_at of all; the infinite future where there is none.
  virtual absl::StatusOr<absl::Time> NextRunAt(const Context& context) = 0;

  // All in one transaction, in their order; an answer for each. Many plans are
  // due at the same time, and each transaction waits for the disk. A job that
  // waits for a due time after `now` makes way, and that time is missed
  // (clock_changed) until it is fired again.
  virtual absl::StatusOr<std::vector<FireResult>> FireAll(
      const Context& context, absl::Span<const FireStep> steps) = 0;
  absl::StatusOr<FireResult> Fire(const Context& context,
                                  const FireStep& step) {
    absl::StatusOr<std::vector<FireResult>> results =
        FireAll(context, absl::MakeConstSpan(&step, 1));
    if (!results.ok()) return results.status();
    return results->front();
  }
  // Open firings whose job is terminal, with that job, `limit` at most.
  virtual absl::StatusOr<std::vector<std::pair<Firing, BackupJob>>>
  EndedFirings(const Context& context, size_t limit) = 0;
  // All in one transaction; nothing for a firing that is not open any more, or
  // has another job by now.
  virtual absl::Status SettleAll(const Context& context,
                                 absl::Span<const SettleStep> steps) = 0;
  absl::Status SettleFiring(const Context& context, const SettleStep& step) {
    return SettleAll(context, absl::MakeConstSpan(&step, 1));
  }
  // Oldest due time first.
  virtual absl::StatusOr<std::vector<Firing>> ListFirings(
      const Context& context, const FiringFilter& filter) = 0;
  // Forgets those that ended and were due before `due_before`.
  virtual absl::StatusOr<size_t> DeleteFirings(const Context& context,
                                               absl::Time due_before) = 0;
};

}  // namespace sluice

#endif  // SLUICE_CATALOG_PLAN_STORE_H_
