#include "sluice/service/schedule/due.h"

#include <algorithm>

namespace sluice::service {
namespace {

constexpr absl::Duration kTick = absl::Nanoseconds(1);

// When the late time `nominal` is to start; why not, where it is not.
struct LateStart {
  absl::optional<absl::Time> start;
  MissedReason reason = MissedReason::kSuperseded;
};

LateStart StartLate(const Schedule& schedule, const DueRules& rules,
                    absl::Time nominal, absl::Time next, absl::Time now) {
  if (rules.missed_runs == MissedRuns::kSkip) {
    return {absl::nullopt, MissedReason::kSkippedByPolicy};
  }
  if (rules.catch_up.has_value() && now - nominal > *rules.catch_up) {
    return {absl::nullopt, MissedReason::kTooOld};
  }
  absl::Time start = now + rules.jitter;
  if (rules.window.has_value()) {
    const absl::TimeZone zone = schedule.zone();
    const absl::Time opens = rules.window->NextWithin(now, zone);
    start = opens + rules.jitter;
    if (!rules.window->Contains(start, zone)) start = opens;
    const bool too_old =
        rules.catch_up.has_value() && start - nominal > *rules.catch_up;
    if (opens != now && (start >= next || too_old)) {
      return {absl::nullopt, MissedReason::kOutsideWindow};
    }
  }
  // Not two runs in a row: the next one is about to come.
  if (start >= next) return {absl::nullopt, MissedReason::kSuperseded};
  return {start, MissedReason::kSuperseded};
}

// Lists the times in [from, until), none of which runs.
void ListMissed(const Schedule& schedule, absl::Time from, absl::Time until,
                MissedReason reason, DueDecision& decision) {
  absl::Time oldest = until;
  while (decision.missed.size() < kMaxListedMissed) {
    const absl::Time time = schedule.Previous(oldest);
    if (time < from) break;
    decision.missed.push_back({time, reason});
    oldest = time;
  }
  if (decision.missed.empty()) return;
  decision.oldest_missed = oldest;
  if (decision.missed.size() < kMaxListedMissed) return;
  decision.more_missed = schedule.Count(from - kTick, oldest - kTick);
  if (decision.more_missed > 0) {
    decision.oldest_missed = schedule.Next(from - kTick);
  }
}

}  // namespace

absl::string_view MissedReasonWord(MissedReason reason) {
  switch (reason) {
    case MissedReason::kSuperseded:
      return "missed_superseded";
    case MissedReason::kTooOld:
      return "missed_too_old";
    case MissedReason::kOutsideWindow:
      return "missed_outside_window";
    case MissedReason::kSkippedByPolicy:
      return "skipped_by_policy";
  }
  return "missed";
}

absl::Time FirstDue(const Schedule& schedule, absl::Time now) {
  return schedule.Next(now);
}

DueDecision DecideDue(const Schedule& schedule, const DueRules& rules,
                      const DueState& state, absl::Time now) {
  DueDecision decision;
  absl::Time next = schedule.Next(now);
  // A clock that went back a little does not bring back what just ran.
  if (state.last_fired == next) next = schedule.Next(next);
  decision.next_due = next;
  if (state.next_due > now) {
    decision.computed_anew = state.next_due > next;
    decision.next_due = std::min(state.next_due, next);
    return decision;
  }
  // What has run is over: a next_due from before that is of a clock that was
  // behind for a while.
  absl::Time from = state.next_due;
  if (state.last_fired.has_value() && *state.last_fired <= now) {
    from = std::max(from, *state.last_fired + kTick);
  }
  const absl::Time last = schedule.Previous(now + kTick);
  if (last < from) return decision;

  MissedReason of_earlier = MissedReason::kSuperseded;
  if (now <= last + rules.jitter + kPunctual) {
    decision.run = DueRun{last, std::max(now, last + rules.jitter), false};
  } else {
    const LateStart late = StartLate(schedule, rules, last, next, now);
    of_earlier = late.reason;
    if (late.start.has_value()) decision.run = DueRun{last, *late.start, true};
  }
  if (rules.missed_runs == MissedRuns::kSkip) {
    of_earlier = MissedReason::kSkippedByPolicy;
  }
  ListMissed(schedule, from, decision.run.has_value() ? last : last + kTick,
             of_earlier, decision);
  std::reverse(decision.missed.begin(), decision.missed.end());
  return decision;
}

absl::Duration DefaultJitterWindow(const Schedule& schedule) {
  const absl::Duration window =
      std::min(absl::Minutes(5), schedule.shortest_interval() / 10);
  return window < absl::Seconds(1) ? absl::ZeroDuration() : window;
}

absl::Duration StableJitter(absl::string_view plan_id, absl::Duration window) {
  const int64_t seconds = absl::ToInt64Seconds(window);
  if (seconds < 1) return absl::ZeroDuration();
  uint64_t hash = 0xcbf29ce484222325;
  for (const char byte : plan_id) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  }
  return absl::Seconds(
      static_cast<int64_t>(hash % static_cast<uint64_t>(seconds)));
}

}  // namespace sluice::service
