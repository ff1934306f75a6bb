#ifndef SLUICE_SERVICE_SCHEDULE_DUE_H_
#define SLUICE_SERVICE_SCHEDULE_DUE_H_

// What is to be done now about a plan's due times: which of them are over,
// which one is to run and when, which ones are missed and why, and which is the
// next. A pure function of what is kept and of the time.
//
// Due times are kept, not computed anew at start: `DueState` is written with
// each firing, in one transaction with it, so that a restart, a sleep or an
// upgrade shifts nothing.
//
// Example:
//
//   DueRules rules;
//   rules.jitter = StableJitter(plan_id, DefaultJitterWindow(schedule));
//   DueState state;
//   state.next_due = FirstDue(schedule, now);  // created, edited, resumed
//   // At state.next_due + rules.jitter, or at any time after next_due:
//   const DueDecision decision = DecideDue(schedule, rules, state, now);
//   if (decision.run.has_value()) state.last_fired = decision.run->nominal;
//   state.next_due = decision.next_due;
//
// The caller's unique key (plan, repo, nominal time) has the last word. Where a
// firing with a job stands already, the decision's run is done; one that was
// recorded as missed, under a clock that was wrong, is replaced by it. Missed
// times that stand already stay as they are.
//
// Any thread; nothing here fails. Costs: some microseconds, however long the
// machine slept; at most kMaxListedMissed times are listed, the rest counted.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "sluice/service/schedule/cron.h"
#include "sluice/service/schedule/window.h"

namespace sluice::service {

// How long after its time a run still counts as punctual: workers are busy, a
// service is restarted. What is later goes by the rules for missed ones.
inline constexpr absl::Duration kPunctual = absl::Minutes(1);
inline constexpr size_t kMaxListedMissed = 100;

enum class MissedRuns {
  kRunOnce,  // one run for all that were missed
  kSkip,     // none: the next due time counts
};

struct DueRules {
  MissedRuns missed_runs = MissedRuns::kRunOnce;
  // How old a missed time may be that is still run. Not set: the plan's own
  // interval, which the last missed time never exceeds.
  absl::optional<absl::Duration> catch_up;
  // When missed ones may run, in the schedule's zone. What is on time runs at
  // its time: the schedule said so.
  absl::optional<DailyWindow> window;
  // What StableJitter gave.
  absl::Duration jitter;
};

// What is kept of a plan.
struct DueState {
  // Nominal: as the schedule says, without jitter.
  absl::Time next_due;
  // The newest nominal time that has a run.
  absl::optional<absl::Time> last_fired;
};

struct DueRun {
  absl::Time nominal;
  // When to start: nominal and jitter if that is not over; a late one is spread
  // by the jitter from now on, and may wait for the window, for hours.
  absl::Time start;
  bool late = false;
};

enum class MissedReason {
  kSuperseded,       // a later one runs in its place
  kTooOld,           // older than catch_up
  kOutsideWindow,    // the window does not open before the next due time
  kSkippedByPolicy,  // MissedRuns::kSkip
};

// "missed_superseded", "missed_too_old", "missed_outside_window",
// "skipped_by_policy". Never renamed.
absl::string_view MissedReasonWord(MissedReason reason);

struct MissedTime {
  absl::Time nominal;
  MissedReason reason;
};

struct DueDecision {
  absl::optional<DueRun> run;
  // The newest ones, oldest first.
  std::vector<MissedTime> missed;
  // How many there are before the first of `missed`; they have its reason.
  int64_t more_missed = 0;
  // The oldest of all, where any was missed.
  absl::Time oldest_missed;
  absl::Time next_due;
  // The kept next_due was further off than the schedule's next time: a clock
  // had been wrong, and next_due is computed anew.
  bool computed_anew = false;
};

// The first due time of a plan that is created, edited or resumed now: never
// now.
absl::Time FirstDue(const Schedule& schedule, absl::Time now);

// What to do at `now`. Nothing is due before state.next_due; asking then is
// harmless, and mends a next_due that a wrong clock left behind.
DueDecision DecideDue(const Schedule& schedule, const DueRules& rules,
                      const DueState& state, absl::Time now);

// Five minutes, or a tenth of the schedule's shortest interval where that is
// less; zero below a second.
absl::Duration DefaultJitterWindow(const Schedule& schedule);

// The plan's place in `window`: FNV-1a (64 bits; Fowler, Noll, Vo) of its id,
// modulo the window's whole seconds. The same on every machine and in every
// version; zero for a window below a second.
absl::Duration StableJitter(absl::string_view plan_id, absl::Duration window);

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_SCHEDULE_DUE_H_
