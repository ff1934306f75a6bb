#include "sluice/service/engine/scheduler.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/random/distributions.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/catalog/catalog_error.h"
#include "sluice/executor/ulid.h"
#include "sluice/service/plan/plan_run.h"

namespace sluice::service {
namespace {

// Targets that one read takes, and firings.
constexpr size_t kBatch = 200;
// What waits for a due time further off than that and the next one, does so in
// vain.
constexpr absl::Duration kFar = absl::Hours(48);
absl::Time TimeOf(int64_t millis) { return absl::FromUnixMillis(millis); }

Firing FiringOf(const PlanTarget& target, absl::Time due_at,
                Firing::Outcome outcome, absl::Time now) {
  Firing firing;
  firing.plan_id = target.plan_id;
  firing.repo_id = target.repo_id;
  firing.due_at = due_at;
  firing.outcome = outcome;
  firing.fired_at = now;
  return firing;
}

// When a run begins that is late at `now`.
absl::Time LateStart(const PlanRules& rules, absl::Time now) {
  const absl::optional<DailyWindow>& window = rules.due.window;
  const absl::Time opens =
      window.has_value() ? window->NextWithin(now, rules.zone) : now;
  const absl::Time start = opens + rules.due.jitter;
  return window.has_value() && !window->Contains(start, rules.zone) ? opens
                                                                    : start;
}

// When a run begins whose time has come.
absl::Time StartOf(const PlanRules& rules, absl::Time due, absl::Time now) {
  const absl::Time punctual = due + rules.due.jitter;
  return now <= punctual + kPunctual ? std::max(now, punctual)
                                     : LateStart(rules, now);
}

Firing::Outcome OutcomeOf(const BackupJob& job) {
  if (job.status() == BackupJob::SUCCEEDED) return Firing::Outcome::kSucceeded;
  const std::string& word = job.error_code();
  if (job.status() == BackupJob::INTERRUPTED &&
      (word == kCancelled || word == kPlanRemoved)) {
    return Firing::Outcome::kInterrupted;
  }
  return Firing::Outcome::kFailed;
}

}  // namespace

bool MayRetry(const BackupJob& job) {
  static constexpr absl::string_view kFinal[] = {kCancelled,
                                                 kPlanRemoved,
                                                 kInvalidArgument,
                                                 kSourceConfigInvalid,
                                                 kSourceUnsupported,
                                                 kSourceWrongKey,
                                                 kPluginUnusable,
                                                 kDestinationConfigInvalid,
                                                 kDestinationPathConflict,
                                                 kDestinationUnsupported,
                                                 kRepoNotFound,
                                                 kPlanNotFound};
  return job.status() != BackupJob::SUCCEEDED &&
         std::find(std::begin(kFinal), std::end(kFinal), job.error_code()) ==
             std::end(kFinal);
}

DueState StateOf(const PlanTarget& target, absl::Time now) {
  DueState state = {target.next_due, target.last_fired};
  if (state.last_fired.has_value() && *state.last_fired > now) {
    state.last_fired.reset();
  }
  return state;
}

Scheduler::Scheduler(Catalog* catalog, Clock* clock, absl::BitGenRef random,
                     SchedulerOptions options)
    : catalog_(catalog),
      clock_(clock),
      random_(random),
      options_(std::move(options)),
      watch_(clock) {}

absl::StatusOr<absl::Time> Scheduler::Step(const Context& context) {
  const absl::Cleanup forget = [this] { known_.clear(); };
  const absl::Time now = clock_->Now();
  // Where a clock reads 2030 for a minute, nobody has waited for too long.
  if (watch_.IsSteady()) {
    SLUICE_RETURN_IF_ERROR(
        catalog_->queue().EndUnclaimed(context, now).status());
  }
  SLUICE_RETURN_IF_ERROR(SettleEnded(context, now));
  SLUICE_RETURN_IF_ERROR(MendAfterJump(context, now));
  SLUICE_RETURN_IF_ERROR(FireDue(context, now));
  return catalog_->plans().NextRunAt(context);
}

absl::StatusOr<const Scheduler::Known*> Scheduler::Look(
    const Context& context, const std::string& plan_id) {
  const auto found = known_.find(plan_id);
  if (found != known_.end()) return &found->second;
  Known known;
  SLUICE_ASSIGN_OR_RETURN(known.plan,
                          catalog_->plans().GetPlan(context, plan_id));
  known.rules = RulesOf(known.plan);
  if (!known.rules.ok() && options_.on_unusable_plan) {
    options_.on_unusable_plan(known.plan, known.rules.status());
  }
  return &known_.emplace(plan_id, std::move(known)).first->second;
}

// --- what became of runs

absl::Status Scheduler::SettleEnded(const Context& context, absl::Time now) {
  while (true) {
    SLUICE_ASSIGN_OR_RETURN(const auto ended,
                            catalog_->plans().EndedFirings(context, kBatch));
    std::vector<SettleStep> steps;
    for (const auto& [firing, job] : ended) {
      SLUICE_ASSIGN_OR_RETURN(SettleStep step,
                              Settle(context, firing, job, now));
      steps.push_back(std::move(step));
    }
    if (!steps.empty()) {
      SLUICE_RETURN_IF_ERROR(catalog_->plans().SettleAll(context, steps));
    }
    if (ended.size() < kBatch) return absl::OkStatus();
  }
}

absl::StatusOr<SettleStep> Scheduler::Settle(const Context& context,
                                             const Firing& firing,
                                             const BackupJob& job,
                                             absl::Time now) {
  SettleStep step;
  step.ended_job_id = firing.job_id;
  step.firing = firing;
  step.now = now;
  step.firing.outcome = OutcomeOf(job);
  step.firing.reason = job.error_code();
  // A row that nobody finds any more was lost with its process.
  if (job.id().empty()) step.firing.reason = std::string(kProcessDied);
  step.firing.finished_at = now;
  if (step.firing.outcome == Firing::Outcome::kSucceeded) {
    step.firing.record_id = job.record_id();
    step.firing.duration =
        std::max(absl::ZeroDuration(),
                 TimeOf(job.finished_at_ms()) - TimeOf(job.started_at_ms()));
    const auto record = catalog_->GetRecord(context, job.record_id());
    if (record.ok()) step.firing.size_bytes = record->size_bytes();
    return step;
  }
  const bool clock_changed = job.error_code() == kClockChanged;
  if (clock_changed && firing.due_at > now) {
    // It has not come yet; when it does, it may run.
    step.firing.outcome = Firing::Outcome::kMissed;
    step.firing.attempts = 0;
    return step;
  }
  const absl::StatusOr<const Known*> known = Look(context, firing.plan_id);
  if (!known.ok() && ErrorCodeOf(known.status()) != kPlanNotFound) {
    return known.status();
  }
  if (!known.ok() || !(*known)->rules.ok() || (*known)->plan.paused() ||
      !MayRetry(job)) {
    return step;
  }
  const PlanRules& rules = *(*known)->rules;
  // One that only waited was no attempt.
  const bool again_itself = clock_changed && rules.schedule.has_value();
  const absl::Time again = again_itself ? StartOf(rules, firing.due_at, now)
                                        : now + BackoffAfter(firing.attempts);
  const bool in_time = (!watch_.IsSteady() && watch_.has_jumped()) ||
                       again <= firing.due_at + rules.retry_for;
  if (again_itself || (firing.attempts < rules.attempts && in_time)) {
    step.firing.outcome = Firing::Outcome::kOpen;
    step.firing.finished_at = absl::UnixEpoch();
    if (!again_itself) ++step.firing.attempts;
    step.retry =
        RunOf((*known)->plan, rules, step.firing, job.store_id(), again, now);
    step.firing.job_id = step.retry->job.id();
  }
  return step;
}

absl::Duration Scheduler::BackoffAfter(uint32_t attempts) {
  absl::Duration backoff = options_.backoff;
  for (uint32_t i = 1; i < attempts && backoff < options_.max_backoff; ++i) {
    backoff *= 2;
  }
  return std::min(backoff, options_.max_backoff) *
         absl::Uniform(random_, 0.5, 1.5);
}

// --- what is due

absl::Status Scheduler::FireDue(const Context& context, absl::Time now) {
  bool waits_already = false;
  while (true) {
    SLUICE_ASSIGN_OR_RETURN(const std::vector<PlanTarget> due,
                            catalog_->plans().DueTargets(context, now, kBatch));
    std::vector<FireStep> steps;
    for (const PlanTarget& target : due) {
      SLUICE_ASSIGN_OR_RETURN(
          FireStep step, StepFor(context, target, StateOf(target, now), now));
      steps.push_back(std::move(step));
    }
    if (!steps.empty()) {
      SLUICE_ASSIGN_OR_RETURN(const std::vector<FireResult> results,
                              catalog_->plans().FireAll(context, steps));
      for (const FireResult& result : results) {
        waits_already = waits_already || result.fired_before;
      }
    }
    if (due.size() < kBatch) break;
  }
  // A clock ahead may have fired it, for a later hour.
  return waits_already ? MendWaiting(context, now) : absl::OkStatus();
}

absl::StatusOr<FireStep> Scheduler::StepFor(const Context& context,
                                            const PlanTarget& target,
                                            const DueState& kept,
                                            absl::Time now) {
  SLUICE_ASSIGN_OR_RETURN(const Known* const known,
                          Look(context, target.plan_id));
  FireStep step;
  step.plan_id = target.plan_id;
  step.repo_id = target.repo_id;
  step.expected_next_due = target.next_due;
  step.now = now;
  if (!known->rules.ok() || !known->rules->schedule.has_value()) {
    // Looked at again in an hour: a zone may be installed meanwhile.
    step.next_due = target.next_due;
    step.run_at = now + absl::Hours(1);
    return step;
  }
  const PlanRules& rules = *known->rules;
  DueState state = kept;
  // What a clock behind shows of before the plan was made is nobody's.
  const absl::Time made = TimeOf(known->plan.created_at_ms());
  if (made <= now && state.next_due <= now) {
    state.next_due =
        std::max(state.next_due, rules.schedule->Next(made - kPunctual));
  }
  const DueDecision decision =
      DecideDue(*rules.schedule, rules.due, state, now);
  for (const MissedTime& missed : decision.missed) {
    const bool skipped = missed.reason == MissedReason::kSkippedByPolicy;
    Firing over = FiringOf(
        target, missed.nominal,
        skipped ? Firing::Outcome::kSkipped : Firing::Outcome::kMissed, now);
    over.reason = std::string(MissedReasonWord(missed.reason));
    over.finished_at = now;
    step.over.push_back(std::move(over));
  }
  step.more_missed = static_cast<uint64_t>(decision.more_missed);
  if (step.more_missed > 0) {
    step.more_reason =
        std::string(MissedReasonWord(decision.missed.front().reason));
  }
  step.next_due = decision.next_due;
  step.run_at = decision.next_due + rules.due.jitter;
  if (decision.run.has_value()) {
    step.run =
        FiringOf(target, decision.run->nominal, Firing::Outcome::kOpen, now);
    step.run->attempts = 1;
    step.job = RunOf(known->plan, rules, *step.run, target.store_id,
                     decision.run->start, now);
    step.run->job_id = step.job->job.id();
  }
  return step;
}

// Whether no clock that is right gave it so late a beginning. One whose due time
// has not come waits for it: a clock that went back over it costs nothing, and
// whatever comes before it does not give way to it. Only what a clock far ahead
// has made would be in a person's way for too long.
bool Scheduler::WaitsTooLong(const PlanRules& rules, const JobRequest& request,
                             absl::Time now) const {
  const absl::Time due = TimeOf(request.due_at_ms());
  if (due > now) return due > std::max(rules.schedule->Next(now), now + kFar);
  absl::Time latest = std::max(due + rules.due.jitter, LateStart(rules, now));
  if (request.attempt() > 1) {
    latest = std::max(latest, now + 1.5 * options_.max_backoff);
  }
  // Another process may have written it that began its step a little later.
  return TimeOf(request.not_before_ms()) > latest + kPunctual;
}

QueuedRun Scheduler::RunOf(const Plan& plan, const PlanRules& rules,
                           const Firing& firing, const std::string& store_id,
                           absl::Time not_before, absl::Time now) {
  const std::string id = options_.new_id ? options_.new_id() : NewUlid(*clock_);
  QueuedRun run = BackupRunOf(plan, firing.repo_id, id, now);
  run.job.set_store_id(store_id);
  run.request.set_requester("schedule");
  run.request.set_due_at_ms(absl::ToUnixMillis(firing.due_at));
  run.request.set_attempt(firing.attempts);
  run.request.set_not_before_ms(absl::ToUnixMillis(not_before));
  run.request.set_expires_at_ms(
      absl::ToUnixMillis(std::max(not_before, now) + options_.queue_timeout));
  return run;
}

}  // namespace sluice::service
