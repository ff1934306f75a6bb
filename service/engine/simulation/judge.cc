#include "sluice/service/engine/simulation/judge.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/catalog/catalog_error.h"
#include "sluice/service/engine/scheduler.h"
#include "sluice/service/engine/simulation/reference.h"

namespace sluice::service {
namespace {

using Outcome = Firing::Outcome;
using Key = std::pair<std::string, std::string>;  // plan and repo

// How late a run still counts as punctual, jitter apart (due.h promises it).
constexpr absl::Duration kPunctualTime = absl::Minutes(1);

struct Attempt {
  BackupJob job;
  JobRequest request;
};

// Events of one job, by their ids; 0: there was none.
struct Life {
  int64_t queued = 0;
  int64_t started = 0;
  int64_t finished = 0;
};

struct Rows {
  std::vector<Firing> firings;
  std::map<std::string, Attempt> jobs;
  std::vector<CatalogEvent> events;
  std::map<std::string, Life> lives;
  std::vector<CatalogTotal> totals;
};

absl::StatusOr<Rows> ReadAll(Catalog& catalog) {
  const Context context = Context::Background();
  Rows rows;
  auto firings = catalog.plans().ListFirings(context, {});
  if (!firings.ok()) return firings.status();
  rows.firings = *std::move(firings);
  const auto jobs = catalog.ListJobs(context, {});
  if (!jobs.ok()) return jobs.status();
  for (const CatalogJob& entry : *jobs) {
    auto request = catalog.queue().GetRequest(context, entry.job.id());
    if (!request.ok()) return request.status();
    rows.jobs[entry.job.id()] = {entry.job, *std::move(request)};
  }
  while (true) {
    const auto page = catalog.events().Read(
        context, rows.events.empty() ? 0 : rows.events.back().id, 1000);
    if (!page.ok()) return page.status();
    if (page->empty()) break;
    rows.events.insert(rows.events.end(), page->begin(), page->end());
  }
  auto totals = catalog.events().Totals(context);
  if (!totals.ok()) return totals.status();
  rows.totals = *std::move(totals);
  return rows;
}

class Court {
 public:
  Court(const SimHistory& history, Rows rows)
      : history_(history),
        rows_(std::move(rows)),
        // Whole minutes; what clocks showed beyond it is not asked for.
        reference_(history.begin - absl::Hours(12),
                   history.end + absl::Hours(24 * 4)) {
    for (const SimStep& step : history.steps) {
      walls_[step.epoch].push_back(step.wall);
    }
    for (const Firing& firing : rows_.firings) {
      by_target_[{firing.plan_id, firing.repo_id}].push_back(&firing);
    }
    for (const auto& [id, attempt] : rows_.jobs) {
      if (attempt.request.due_at_ms() == 0) continue;
      attempts_[std::make_tuple(
                    attempt.job.plan_id(), attempt.job.repo_id(),
                    absl::FromUnixMillis(attempt.request.due_at_ms()))]
          .push_back(&attempt);
    }
  }

  SimVerdict Sentence() {
    JudgeEvents();
    JudgeJobs();
    for (const SimPlan& plan : history_.plans) JudgePlan(plan);
    JudgeTotals();
    return verdict_;
  }

 private:
  void Wrong(const std::string& what) { verdict_.violations.push_back(what); }
  void Wrong(const SimPlan& plan, absl::Time due, absl::string_view what) {
    Wrong(absl::StrCat(
        plan.plan.id(), " (", plan.schedule.text, ", ", plan.zone.name(), ") ",
        absl::FormatTime("%Y-%m-%dT%H:%M:%S%Ez", due, plan.zone), ": ", what));
  }

  // --- events and jobs

  void JudgeEvents() {
    int64_t last = 0;
    std::map<Key, std::string> open;
    for (const CatalogEvent& event : rows_.events) {
      if (event.id <= last) Wrong("an event's id does not ascend");
      last = event.id;
      if (event.job_id.empty()) continue;
      Life& life = rows_.lives[event.job_id];
      const Key key{event.plan_id, event.repo_id};
      if (event.type == "job.queued") {
        if (life.queued != 0) Wrong(event.job_id + " was queued twice");
        life.queued = event.id;
        if (!open[key].empty()) {
          Wrong(absl::StrCat(event.job_id, " of ", event.plan_id,
                             " was queued beside ", open[key]));
        }
        open[key] = event.job_id;
      } else if (event.type == "job.started") {
        if (life.started != 0) Wrong(event.job_id + " was started twice");
        life.started = event.id;
      } else if (event.type == "job.finished") {
        if (life.finished != 0) Wrong(event.job_id + " ended twice");
        life.finished = event.id;
        if (open[key] == event.job_id) open[key].clear();
      }
    }
  }

  void JudgeJobs() {
    for (const auto& [id, attempt] : rows_.jobs) {
      const Life& life = rows_.lives[id];
      if (life.queued == 0) Wrong(id + " was never queued");
      if (IsTerminal(attempt.job) != (life.finished != 0)) {
        Wrong(id + " and its events disagree on its end");
      }
      const bool published = history_.published.count(id) > 0;
      if (published != (attempt.job.status() == BackupJob::SUCCEEDED) &&
          IsTerminal(attempt.job)) {
        Wrong(absl::StrCat(id, published ? " has an archive and no success"
                                         : " succeeded without an archive"));
      }
      if (published && history_.published.at(id) > 1) {
        Wrong(id + " published twice");
      }
      if (!IsTerminal(attempt.job) &&
          absl::FromUnixMillis(attempt.job.created_at_ms()) <= history_.end) {
        Wrong(absl::StrCat(id, " of ", attempt.job.plan_id(), " never ended: ",
                           attempt.job.status() == BackupJob::PENDING
                               ? "pending"
                               : "running"));
      }
    }
  }

  // --- due times

  bool IsExempt(const SimPlan& plan, absl::Time due) const {
    for (const auto& [from, until] : plan.paused) {
      if (from <= due && due <= until) return true;
    }
    return plan.removed.has_value() && due >= *plan.removed;
  }

  // Whether a step saw times in [from, until) by a clock that was right: each
  // time that it is set wrong it is set right again.
  bool SawBetween(absl::Time from, absl::Time until) const {
    for (const auto& [epoch, walls] : walls_) {
      if (epoch % 2 != 0) continue;
      const auto first = std::lower_bound(walls.begin(), walls.end(), from);
      if (first != walls.end() && *first < until) return true;
    }
    return false;
  }

  void JudgePlan(const SimPlan& plan) {
    const std::vector<absl::Time> times =
        reference_.Times(plan.schedule, plan.zone);
    for (const std::string& repo : plan.plan.spec().repos()) {
      std::map<absl::Time, const Firing*> rows;
      for (const Firing* firing : by_target_[{plan.plan.id(), repo}]) {
        rows[firing->due_at] = firing;
        JudgeRow(plan, times, *firing);
      }
      std::vector<absl::Time> without_row;
      for (const absl::Time due : times) {
        if (due <= plan.created || due > history_.end || IsExempt(plan, due)) {
          continue;
        }
        ++verdict_.due;
        const auto found = rows.find(due);
        if (found == rows.end()) {
          without_row.push_back(due);
          continue;
        }
        JudgePunctuality(plan, *found->second);
      }
      // Of a long outage the newest have rows, the rest is counted; of a plan
      // that was removed the counts are gone.
      if (plan.removed.has_value() && history_.clock_was_set) continue;
      if (static_cast<int64_t>(without_row.size()) <=
          CountedWithoutRow(plan.plan.id(), repo)) {
        continue;
      }
      for (const absl::Time due : without_row) Wrong(plan, due, "has no row");
    }
  }

  // Times that totals tell of, and no row.
  int64_t CountedWithoutRow(const std::string& plan_id,
                            const std::string& repo_id) {
    int64_t counted = 0;
    for (const CatalogTotal& total : rows_.totals) {
      if (total.plan_id == plan_id && total.repo_id == repo_id &&
          (total.metric == "missed" || total.metric == "skipped")) {
        counted += total.value;
      }
    }
    for (const Firing* firing : by_target_[{plan_id, repo_id}]) {
      if (firing->outcome == Outcome::kMissed ||
          firing->outcome == Outcome::kSkipped) {
        --counted;
      }
    }
    return counted;
  }

  static bool HasRun(const Firing& firing) {
    return firing.outcome != Outcome::kMissed && firing.attempts > 0;
  }

  // What somebody saw in time has run.
  void JudgePunctuality(const SimPlan& plan, const Firing& firing) {
    if (HasRun(firing)) return;
    if (firing.outcome == Outcome::kSkipped && firing.reason == kOverlap) {
      return;  // judged as a row
    }
    const absl::Time begin = firing.due_at + plan.jitter;
    if (SawBetween(begin, begin + kPunctualTime)) {
      Wrong(plan, firing.due_at,
            absl::StrCat("was seen in time, and is ",
                         OutcomeWord(firing.outcome), " ", firing.reason));
    }
  }

  void JudgeRow(const SimPlan& plan, const std::vector<absl::Time>& times,
                const Firing& firing) {
    // Those of a clock that was wrong lie beyond; each costs a day of looks.
    const bool known =
        plan.schedule.period == absl::ZeroDuration() &&
                firing.due_at <= times_end(times)
            ? std::binary_search(times.begin(), times.end(), firing.due_at)
            : firing.outcome == Outcome::kMissed ||
                  firing.outcome == Outcome::kSkipped ||
                  SimReference::IsDue(plan.schedule, plan.zone, firing.due_at);
    if (!known) Wrong(plan, firing.due_at, "is no due time");
    // A clock that was set back shows them again.
    if (firing.due_at <= plan.created && !history_.clock_was_set) {
      Wrong(plan, firing.due_at, "is before its plan was made");
    }
    if (firing.duration < absl::ZeroDuration()) {
      Wrong(plan, firing.due_at, "took less than no time");
    }
    const auto& attempts = attempts_[std::make_tuple(
        firing.plan_id, firing.repo_id, firing.due_at)];
    JudgeAttempts(plan, firing, attempts);
    switch (firing.outcome) {
      case Outcome::kOpen:
        if (firing.due_at <= history_.end && firing.fired_at <= history_.end) {
          Wrong(plan, firing.due_at, "is still open");
        }
        break;
      case Outcome::kSucceeded:
        ++verdict_.succeeded;
        break;
      case Outcome::kFailed:
        ++verdict_.failed;
        JudgeFailure(plan, firing, attempts);
        break;
      case Outcome::kInterrupted:
        ++verdict_.interrupted;
        JudgeFailure(plan, firing, attempts);
        break;
      case Outcome::kSkipped:
        ++verdict_.skipped;
        JudgeReason(plan, times, firing);
        break;
      case Outcome::kMissed:
        ++verdict_.missed;
        JudgeReason(plan, times, firing);
        break;
    }
    const absl::Time punctual = firing.due_at + plan.jitter + kPunctualTime;
    if (HasRun(firing) && firing.fired_at > punctual) {
      ++verdict_.late;
      JudgeLateRun(plan, firing, attempts);
    }
  }

  static absl::Time times_end(const std::vector<absl::Time>& times) {
    return times.empty() ? absl::InfinitePast() : times.back();
  }

  void JudgeAttempts(const SimPlan& plan, const Firing& firing,
                     const std::vector<const Attempt*>& attempts) {
    int succeeded = 0;
    bool waited = false;
    std::set<uint32_t> numbers;
    for (const Attempt* attempt : attempts) {
      succeeded += attempt->job.status() == BackupJob::SUCCEEDED ? 1 : 0;
      // One that only waited, for a time of a wrong clock, was none; where one
      // of that time's jobs did, it begins anew when it comes.
      waited = waited || attempt->job.error_code() == kClockChanged;
    }
    for (const Attempt* attempt : attempts) {
      if (!numbers.insert(attempt->request.attempt()).second && !waited) {
        Wrong(plan, firing.due_at, "has two jobs for one attempt");
      }
    }
    if (succeeded > 1) Wrong(plan, firing.due_at, "succeeded twice");
    if ((succeeded == 1) != (firing.outcome == Outcome::kSucceeded) &&
        firing.outcome != Outcome::kOpen) {
      Wrong(plan, firing.due_at,
            absl::StrCat(succeeded, " successes, and is ",
                         OutcomeWord(firing.outcome)));
    }
    if (attempts.size() < firing.attempts) {
      Wrong(plan, firing.due_at, "has fewer jobs than attempts");
    }
  }

  // Its attempts are exhausted, or another would have been in vain.
  void JudgeFailure(const SimPlan& plan, const Firing& firing,
                    const std::vector<const Attempt*>& attempts) {
    const PlanSpec& spec = plan.plan.spec();
    const uint32_t allowed = spec.attempts() > 0 ? spec.attempts() : 3;
    if (firing.attempts >= allowed || firing.reason == kPlanRemoved) return;
    const auto job = rows_.jobs.find(firing.job_id);
    if (job == rows_.jobs.end()) {
      return Wrong(plan, firing.due_at, "failed without a job");
    }
    if (plan.removed.has_value() && firing.finished_at >= *plan.removed) return;
    const bool cancelled = firing.reason == kCancelled;
    if (cancelled || firing.reason == kSourceConfigInvalid) return;
    if (spec.retry_for_ms() > 0 &&
        firing.finished_at + absl::Minutes(45) >
            firing.due_at + absl::Milliseconds(spec.retry_for_ms())) {
      return;
    }
    // A step goes by the plan as it was when the step began.
    constexpr absl::Duration kStep = absl::Minutes(5);
    for (const auto& [from, until] : plan.paused) {
      if (history_.clock_was_set ||
          (from <= firing.finished_at && firing.finished_at <= until + kStep)) {
        return;
      }
    }
    Wrong(plan, firing.due_at,
          absl::StrCat("was given up after ", firing.attempts, " of ", allowed,
                       " attempts: ", firing.reason));
  }

  void JudgeLateRun(const SimPlan& plan, const Firing& firing,
                    const std::vector<const Attempt*>& attempts) {
    const PlanSpec& spec = plan.plan.spec();
    if (spec.has_catch_up_ms() && firing.fired_at - firing.due_at >
                                      absl::Milliseconds(spec.catch_up_ms())) {
      Wrong(plan, firing.due_at, "ran although it was too old");
    }
    if (spec.window().empty()) return;
    for (const Attempt* attempt : attempts) {
      const absl::Time begin =
          absl::FromUnixMillis(attempt->request.not_before_ms());
      // A clock ahead saw it late, and it runs in its time all the same.
      if (begin <= firing.due_at + plan.jitter + kPunctualTime) continue;
      if (attempt->request.attempt() == 1 &&
          !InWindow(spec.window(), plan.zone, begin)) {
        Wrong(plan, firing.due_at, "was to run late outside its window");
      }
    }
  }

  // --- reasons

  void JudgeReason(const SimPlan& plan, const std::vector<absl::Time>& times,
                   const Firing& firing) {
    if (firing.reason == kOverlap) return JudgeOverlap(plan, firing);
    if (firing.reason == kClockChanged && history_.clock_was_set) return;
    const absl::Time due = firing.due_at;
    const absl::Time seen = firing.fired_at;
    if (seen <= due + plan.jitter + kPunctualTime && !LaterOfSame(firing)) {
      Wrong(plan, due, absl::StrCat("was in time, and is ", firing.reason));
    }
    // Those of a clock that was wrong are beyond the reference.
    if (seen > history_.end + absl::Hours(24 * 3)) return;
    const PlanSpec& spec = plan.plan.spec();
    const absl::Time last = LastUntil(times, seen);
    const absl::Time next = NextAfter(times, seen);
    if (firing.reason == "skipped_by_policy") {
      if (!spec.has_catch_up_ms() || spec.catch_up_ms() > 0) {
        Wrong(plan, due, "was skipped by no policy");
      }
    } else if (firing.reason == "missed_too_old") {
      if (!spec.has_catch_up_ms() ||
          seen - last <= absl::Milliseconds(spec.catch_up_ms())) {
        Wrong(plan, due, "was not too old");
      }
    } else if (firing.reason == "missed_outside_window") {
      JudgeWindow(plan, due, seen, last, next);
    } else if (firing.reason == "missed_superseded") {
      if (!LaterOfSame(firing) && due == last && seen + plan.jitter < next) {
        Wrong(plan, due, "was superseded by nothing");
      }
    } else {
      Wrong(plan, due, absl::StrCat("has the reason ", firing.reason));
    }
  }

  static absl::Time LastUntil(const std::vector<absl::Time>& times,
                              absl::Time until) {
    const auto after = std::upper_bound(times.begin(), times.end(), until);
    return after == times.begin() ? absl::InfinitePast() : *(after - 1);
  }
  static absl::Time NextAfter(const std::vector<absl::Time>& times,
                              absl::Time time) {
    const auto after = std::upper_bound(times.begin(), times.end(), time);
    return after == times.end() ? absl::InfiniteFuture() : *after;
  }

  // A later time of the same target that was due by then and was not missed.
  bool LaterOfSame(const Firing& firing) {
    for (const Firing* other : by_target_[{firing.plan_id, firing.repo_id}]) {
      if (other->due_at > firing.due_at && other->due_at <= firing.fired_at &&
          (HasRun(*other) || other->reason == kOverlap ||
           other->fired_at == firing.fired_at)) {
        return true;
      }
    }
    return false;
  }

  void JudgeWindow(const SimPlan& plan, absl::Time due, absl::Time seen,
                   absl::Time last, absl::Time next) {
    const PlanSpec& spec = plan.plan.spec();
    if (spec.window().empty()) return Wrong(plan, due, "has no window");
    if (InWindow(spec.window(), plan.zone, seen)) {
      return Wrong(plan, due, "was seen within its window");
    }
    absl::Time opens = seen;
    while (!InWindow(spec.window(), plan.zone, opens)) {
      opens += absl::Minutes(1);
    }
    absl::Time start = opens + plan.jitter;
    if (!InWindow(spec.window(), plan.zone, start)) start = opens;
    const bool too_old = spec.has_catch_up_ms() &&
                         start - last > absl::Milliseconds(spec.catch_up_ms());
    if (start < next && !too_old) {
      Wrong(plan, due, "had a window before the next time");
    }
  }

  // Another job of the same target was pending or running at that moment.
  void JudgeOverlap(const SimPlan& plan, const Firing& firing) {
    const auto job = rows_.jobs.find(firing.job_id);
    if (job == rows_.jobs.end() ||
        job->second.job.plan_id() != firing.plan_id ||
        job->second.job.repo_id() != firing.repo_id) {
      return Wrong(plan, firing.due_at, "overlapped with nothing");
    }
    const Life& life = rows_.lives[firing.job_id];
    const absl::Time at =
        firing.attempts > 0 ? firing.finished_at : firing.fired_at;
    bool found = false;
    bool was_running = false;
    for (const CatalogEvent& event : rows_.events) {
      if (event.type != "schedule.skipped" || event.word != kOverlap ||
          event.plan_id != firing.plan_id || event.repo_id != firing.repo_id ||
          event.at != at) {
        continue;
      }
      if (life.queued < event.id &&
          (life.finished == 0 || event.id < life.finished)) {
        found = true;
        was_running |= life.started != 0 && life.started < event.id;
      }
    }
    if (!found) {
      return Wrong(plan, firing.due_at, "overlapped with what was over");
    }
    const absl::Time due_of_other =
        absl::FromUnixMillis(job->second.request.due_at_ms());
    if (due_of_other > firing.due_at && firing.attempts == 0 && !was_running) {
      Wrong(plan, firing.due_at,
            absl::StrCat("had to give way to a run that waited for ",
                         absl::FormatTime(due_of_other)));
    }
  }

  // --- totals

  void JudgeTotals() {
    using Label =
        std::tuple<std::string, std::string, std::string, std::string>;
    std::map<Label, int64_t> rows;
    std::set<std::string> removed;
    for (const SimPlan& plan : history_.plans) {
      if (plan.removed.has_value()) removed.insert(plan.plan.id());
    }
    for (const auto& [id, attempt] : rows_.jobs) {
      const BackupJob& job = attempt.job;
      if (!IsTerminal(job)) continue;
      ++rows[{"runs", job.plan_id(), job.repo_id(),
              job.status() == BackupJob::SUCCEEDED ? "succeeded"
              : job.status() == BackupJob::FAILED  ? "failed"
                                                   : "interrupted"}];
    }
    for (const Firing& firing : rows_.firings) {
      const bool missed = firing.outcome == Outcome::kMissed;
      if (!missed && firing.outcome != Outcome::kSkipped) continue;
      ++rows[{missed ? "missed" : "skipped", firing.plan_id, firing.repo_id,
              firing.reason}];
    }
    std::map<Label, int64_t> totals;
    for (const CatalogTotal& total : rows_.totals) {
      totals[{total.metric, total.plan_id, total.repo_id, total.label}] =
          total.value;
    }
    std::set<Label> labels;
    for (const auto& [label, value] : rows) labels.insert(label);
    for (const auto& [label, value] : totals) labels.insert(label);
    for (const Label& label : labels) {
      const std::string& metric = std::get<0>(label);
      if (removed.count(std::get<1>(label)) > 0) continue;
      const bool of_runs = metric == "runs";
      if (!of_runs && metric != "missed" && metric != "skipped") continue;
      // A time that a wrong clock took for missed was counted, and ran after.
      if (of_runs || !history_.clock_was_set ? totals[label] != rows[label]
                                             : totals[label] < rows[label]) {
        Wrong(absl::StrCat("total ", metric, " ", std::get<1>(label), " ",
                           std::get<2>(label), " ", std::get<3>(label), " is ",
                           totals[label], ", rows ", rows[label]));
      }
    }
  }

  const SimHistory& history_;
  Rows rows_;
  SimReference reference_;
  std::map<int64_t, std::vector<absl::Time>> walls_;
  std::map<Key, std::vector<const Firing*>> by_target_;
  std::map<std::tuple<std::string, std::string, absl::Time>,
           std::vector<const Attempt*>>
      attempts_;
  SimVerdict verdict_;
};

}  // namespace

SimVerdict Judge(Catalog& catalog, const SimHistory& history) {
  absl::StatusOr<Rows> rows = ReadAll(catalog);
  if (!rows.ok()) {
    SimVerdict verdict;
    verdict.violations = {rows.status().ToString()};
    return verdict;
  }
  return Court(history, *std::move(rows)).Sentence();
}

uint64_t FingerprintOf(Catalog& catalog) {
  const absl::StatusOr<Rows> rows = ReadAll(catalog);
  if (!rows.ok()) return 0;
  std::string all;
  for (const Firing& firing : rows->firings) {
    absl::StrAppend(&all, firing.plan_id, firing.repo_id,
                    absl::FormatTime(firing.due_at, absl::UTCTimeZone()),
                    OutcomeWord(firing.outcome), firing.reason, firing.job_id,
                    firing.attempts,
                    absl::FormatTime(firing.fired_at, absl::UTCTimeZone()));
  }
  for (const CatalogEvent& event : rows->events) {
    absl::StrAppend(&all, event.id, event.type, event.job_id, event.word,
                    absl::FormatTime(event.at, absl::UTCTimeZone()));
  }
  uint64_t hash = 0xcbf29ce484222325;
  for (const char byte : all) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  }
  return hash;
}

}  // namespace sluice::service
