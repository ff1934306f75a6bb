#include <algorithm>
#include <vector>

#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/catalog/catalog_error.h"
#include "sluice/service/engine/scheduler.h"

namespace sluice::service {
namespace {

// What a clock may be set by without that it counts as a jump.
constexpr absl::Duration kSlew = absl::Seconds(2);
// Another process may have seen a jump that this one did not, and have died.
constexpr absl::Duration kMendEvery = absl::Hours(1);
// Of older due times the rows may be gone (Housekeeping).
constexpr absl::Duration kRemembered = absl::Hours(24 * 370);

absl::Status ClockChanged() {
  return MakeError(absl::StatusCode::kAborted, kClockChanged,
                   "it waited for a time that a wrong clock had shown");
}

}  // namespace

absl::Status Scheduler::MendAfterJump(const Context& context, absl::Time now) {
  const absl::Duration boot = clock_->SinceBoot();
  const absl::Duration offset = now - absl::UnixEpoch() - boot;
  if (offset_.has_value() && absl::AbsDuration(offset - *offset_) <= kSlew &&
      boot < mended_at_ + kMendEvery) {
    offset_ = offset;  // a clock that is slewed does not jump
    return absl::OkStatus();
  }
  SLUICE_RETURN_IF_ERROR(MendWaiting(context, now));
  SLUICE_RETURN_IF_ERROR(MendTargets(context, now));
  offset_ = offset;
  mended_at_ = boot;
  return absl::OkStatus();
}

absl::Status Scheduler::MendTargets(const Context& context, absl::Time now) {
  SLUICE_ASSIGN_OR_RETURN(const std::vector<PlanTarget> targets,
                          catalog_->plans().ListTargets(context, ""));
  for (const PlanTarget& target : targets) {
    if (target.next_due == absl::InfiniteFuture() || target.run_at <= now) {
      continue;
    }
    SLUICE_ASSIGN_OR_RETURN(const Known* const known,
                            Look(context, target.plan_id));
    if (!known->rules.ok() || !known->rules->schedule.has_value()) continue;
    const Schedule& schedule = *known->rules->schedule;
    DueState state = StateOf(target, now);
    const bool anew =
        DecideDue(schedule, known->rules->due, state, now).computed_anew;
    const absl::Time last = schedule.Previous(now + absl::Nanoseconds(1));
    SLUICE_ASSIGN_OR_RETURN(
        const bool passed_over,
        WasPassedOver(context, known->plan, target, last, anew, now));
    if (!passed_over && !anew) continue;
    if (passed_over) state.next_due = last;
    SLUICE_ASSIGN_OR_RETURN(const FireStep step,
                            StepFor(context, target, state, now));
    SLUICE_RETURN_IF_ERROR(catalog_->plans().Fire(context, step).status());
  }
  return absl::OkStatus();
}

// Whether `due`, the last time of the schedule, came while a clock was ahead:
// it was taken for missed, or is one of those that were only counted. Or its
// run waited for it, and had to make way.
absl::StatusOr<bool> Scheduler::WasPassedOver(const Context& context,
                                              const Plan& plan,
                                              const PlanTarget& target,
                                              absl::Time due, bool anew,
                                              absl::Time now) {
  const absl::Time since = absl::FromUnixMillis(
      std::max(plan.created_at_ms(), plan.updated_at_ms()));
  if (due <= since || now - due > kRemembered || target.next_due <= now ||
      target.last_fired == due) {
    return false;
  }
  SLUICE_ASSIGN_OR_RETURN(const absl::optional<Firing> row,
                          RowOf(context, target, due));
  if (!row.has_value()) return anew;
  return row->attempts == 0 &&
         (row->fired_at > now || row->reason == kClockChanged);
}

absl::StatusOr<absl::optional<Firing>> Scheduler::RowOf(
    const Context& context, const PlanTarget& target, absl::Time due) {
  FiringFilter filter;
  filter.plan_id = target.plan_id;
  filter.repo_id = target.repo_id;
  filter.from = due;
  filter.until = due + absl::Milliseconds(1);
  SLUICE_ASSIGN_OR_RETURN(const std::vector<Firing> rows,
                          catalog_->plans().ListFirings(context, filter));
  if (rows.empty()) return absl::nullopt;
  return rows[0];
}

absl::Status Scheduler::MendWaiting(const Context& context, absl::Time now) {
  SLUICE_ASSIGN_OR_RETURN(const std::vector<QueuedRun> waiting,
                          catalog_->queue().ListWaiting(context, now));
  bool ended = false;
  for (const QueuedRun& run : waiting) {
    if (run.request.due_at_ms() == 0) continue;
    const absl::StatusOr<const Known*> known =
        Look(context, run.request.plan_id());
    if (!known.ok() && ErrorCodeOf(known.status()) == kPlanNotFound) continue;
    SLUICE_RETURN_IF_ERROR(known.status());
    if (!(*known)->rules.ok()) continue;
    const PlanRules& rules = *(*known)->rules;
    if (!rules.schedule.has_value() || !WaitsTooLong(rules, run.request, now)) {
      continue;
    }
    SLUICE_RETURN_IF_ERROR(catalog_->queue().EndPending(context, run.job.id(),
                                                        ClockChanged(), now));
    ended = true;
  }
  return ended ? SettleEnded(context, now) : absl::OkStatus();
}

}  // namespace sluice::service
