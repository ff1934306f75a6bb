#include "sluice/service/plan/plan_rules.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/service/schedule/window.h"
#include "sluice/service/schedule/zone.h"

namespace sluice::service {
namespace {

constexpr uint32_t kMaxAttempts = 100;

// The error of one field, by its name.
absl::Status Of(absl::string_view field, const absl::Status& status) {
  return WithHint(Annotate(status, field), HintOf(status));
}

absl::StatusOr<RetentionRules> RetentionOf(const PlanSpec& spec) {
  const Retention& kept = spec.retention();
  RetentionRules rules;
  rules.keep_last = kept.keep_last();
  rules.keep_hourly = kept.keep_hourly();
  rules.keep_daily = kept.keep_daily();
  rules.keep_weekly = kept.keep_weekly();
  rules.keep_monthly = kept.keep_monthly();
  rules.keep_yearly = kept.keep_yearly();
  if (spec.max_shrink_percent() > 0) {
    rules.max_shrink = spec.max_shrink_percent();
  }
  if (!kept.keep_within().empty()) {
    SLUICE_RETURN_IF_ERROR(
        SetRetentionRule("keep_within", kept.keep_within(), rules));
  }
  SLUICE_RETURN_IF_ERROR(CheckRetentionRules(rules));
  return rules;
}

absl::Status SetSchedule(const Plan& plan, PlanRules& rules) {
  const PlanSpec& spec = plan.spec();
  if (spec.schedule().empty()) return absl::OkStatus();
  // @every counts from the whole second in which the plan was made.
  const absl::Time anchor = absl::FromUnixSeconds(plan.created_at_ms() / 1000);
  absl::StatusOr<Schedule> schedule =
      Schedule::Parse(spec.schedule(), rules.zone, anchor);
  SLUICE_RETURN_IF_ERROR(schedule.status());  // names column and field
  rules.zone = schedule->zone();
  const absl::Duration window = spec.has_jitter_ms()
                                    ? absl::Milliseconds(spec.jitter_ms())
                                    : DefaultJitterWindow(*schedule);
  if (window > schedule->shortest_interval()) {
    return InvalidArgument(
        "jitter: it is longer than the schedule's shortest interval",
        "runs would overtake one another");
  }
  rules.due.jitter = StableJitter(plan.id(), window);
  rules.schedule = *std::move(schedule);
  return absl::OkStatus();
}

bool SameTimes(const PlanSpec& a, const PlanSpec& b) {
  return a.schedule() == b.schedule() && a.zone() == b.zone() &&
         a.has_jitter_ms() == b.has_jitter_ms() &&
         a.jitter_ms() == b.jitter_ms();
}

}  // namespace

absl::StatusOr<PlanRules> RulesOf(const Plan& plan) {
  const PlanSpec& spec = plan.spec();
  if (spec.source().empty()) {
    return InvalidArgument("source: the plan has none",
                           "the URI of a store, as memory:?load=/srv/data");
  }
  if (spec.repos().empty()) {
    return InvalidArgument("repos: the plan has none",
                           "the name of a repo, see `sluice repo list`");
  }
  PlanRules rules;
  rules.zone = absl::UTCTimeZone();
  if (!spec.zone().empty()) {
    const absl::StatusOr<absl::TimeZone> zone = FindTimeZone(spec.zone());
    if (!zone.ok()) return Of("zone", zone.status());
    rules.zone = *zone;
  }
  SLUICE_RETURN_IF_ERROR(SetSchedule(plan, rules));
  if (spec.has_catch_up_ms()) {
    rules.due.catch_up = absl::Milliseconds(spec.catch_up_ms());
    if (spec.catch_up_ms() == 0) rules.due.missed_runs = MissedRuns::kSkip;
  }
  if (!spec.window().empty()) {
    absl::StatusOr<DailyWindow> window = DailyWindow::Parse(spec.window());
    if (!window.ok()) return Of("window", window.status());
    rules.due.window = *std::move(window);
  }
  SLUICE_ASSIGN_OR_RETURN(rules.retention, RetentionOf(spec));
  if (spec.attempts() > kMaxAttempts) {
    return InvalidArgument(
        absl::StrCat("attempts: more than ", kMaxAttempts, " tries"));
  }
  if (spec.attempts() > 0) rules.attempts = spec.attempts();
  if (spec.retry_for_ms() > 0) {
    rules.retry_for = absl::Milliseconds(spec.retry_for_ms());
  }
  if (spec.timeout_ms() > 0) {
    rules.timeout = absl::Milliseconds(spec.timeout_ms());
  }
  rules.full_every = absl::Milliseconds(spec.full_every_ms());
  return rules;
}

std::vector<PlanTarget> TargetsOf(const Plan& plan, const PlanRules& rules,
                                  absl::Time now) {
  std::vector<PlanTarget> targets;
  for (const std::string& repo : plan.spec().repos()) {
    PlanTarget target;
    target.plan_id = plan.id();
    target.repo_id = repo;
    if (!plan.paused() && rules.schedule.has_value()) {
      target.next_due = FirstDue(*rules.schedule, now);
      target.run_at = target.next_due + rules.due.jitter;
    }
    targets.push_back(std::move(target));
  }
  return targets;
}

std::vector<PlanTarget> TargetsAfterEdit(const Plan& before,
                                         const std::vector<PlanTarget>& targets,
                                         const Plan& after,
                                         const PlanRules& rules,
                                         absl::Time now) {
  std::vector<PlanTarget> edited = TargetsOf(after, rules, now);
  if (before.paused() || after.paused() ||
      !SameTimes(before.spec(), after.spec())) {
    return edited;
  }
  for (PlanTarget& target : edited) {
    const auto kept = std::find_if(targets.begin(), targets.end(),
                                   [&](const PlanTarget& other) {
                                     return other.repo_id == target.repo_id;
                                   });
    if (kept != targets.end()) target = *kept;
  }
  return edited;
}

}  // namespace sluice::service
