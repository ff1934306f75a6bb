#ifndef SLUICE_SERVICE_HOOKS_HOOKS_H_
#define SLUICE_SERVICE_HOOKS_HOOKS_H_

// Commands of a plan that run before and after its backups: to freeze and thaw
// what is backed up, to mount and unmount, to tell somebody.
//
// Example:
//
//   HookRun run(plan, &turns, on_problem);
//   absl::Status status = run.Before(context, environment);
//   if (status.ok()) status = BackUp();
//   SLUICE_RETURN_IF_ERROR(run.After(environment, status));
//
// A hook is `exec:` and words: an absolute path and arguments, taken apart as
// SplitWords does. No shell, and nothing of the service's environment: the
// SLUICE_ variables tell it what it is run for. One that does not end in time is
// killed with what it has started.
//
// Each class says its own threads. Hooks block for as long as they run. Errors:
// invalid_argument; hook_failed, with what the hook wrote.

#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sluice/base/mutex.h"
#include "sluice/catalog/plan.pb.h"
#include "sluice/executor/context.h"

namespace sluice::service {

// Of a job: a hook that its plan requires failed.
inline constexpr absl::string_view kHookFailed = "hook_failed";

inline constexpr absl::Duration kHookTimeout = absl::Minutes(5);

using HookEnvironment = std::vector<std::pair<std::string, std::string>>;

// The words of a hook: `exec:` with an absolute path behind it.
absl::StatusOr<std::vector<std::string>> ParseHook(absl::string_view command);

// Runs of one plan that have hooks take turns, within a process: what one has
// thawed another must not find frozen. Thread-safe.
class HookTurns {
 public:
  // Waits until no other run of the plan is between its hooks, or the context
  // ends.
  absl::Status Take(const Context& context, const std::string& plan_id);
  void Leave(const std::string& plan_id);

 private:
  Mutex mutex_;
  CondVar left_;
  std::set<std::string> taken_ ABSL_GUARDED_BY(mutex_);
};

// The hooks around one run of a plan. One thread.
class HookRun {
 public:
  // Told of a hook that failed and decides nothing.
  using OnProblem = std::function<void(const absl::Status&)>;

  // Borrows `turns`.
  HookRun(const Plan& plan, HookTurns* turns, OnProblem on_problem);
  // Leaves the turn.
  ~HookRun();
  HookRun(const HookRun&) = delete;
  HookRun& operator=(const HookRun&) = delete;

  bool empty() const { return plan_.spec().hooks().empty(); }

  // hook_failed where a required one failed: none is run after it, and there
  // must be no backup. The context's end where it ends meanwhile.
  absl::Status Before(const Context& context,
                      const HookEnvironment& environment);
  // `ended`: how the run ended. To be called whatever Before said; does nothing
  // where no hook was begun. Not under the run's context: something may have to
  // be thawed after a cancel too. All are run; the first failure of a required
  // one.
  absl::Status After(HookEnvironment environment, const absl::Status& ended);

 private:
  absl::Status RunAll(const Context& context, absl::string_view when,
                      const HookEnvironment& environment, bool stop_at_failure);
  absl::Status RunOne(const Context& context, const Hook& hook,
                      const HookEnvironment& environment);

  const Plan plan_;
  HookTurns* const turns_;
  const OnProblem on_problem_;
  bool has_turn_ = false;
};

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_HOOKS_HOOKS_H_
