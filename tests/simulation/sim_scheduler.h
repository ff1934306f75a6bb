#ifndef SLUICE_TESTS_SIMULATION_SIM_SCHEDULER_H_
#define SLUICE_TESTS_SIMULATION_SIM_SCHEDULER_H_

// Runs the threads of one backup one at a time, in an order that follows from a
// seed, on a clock that only moves when nobody else can.
//
//   SimScheduler scheduler(seed);
//   scheduler.EnterMain("caller");
//   Executor(jobs, scheduler.clock()).RunBackup(...);
//       // the scripted parts call scheduler.Step("place.commit")
//   scheduler.LeaveMain();
//
// A thread that the scheduler was told of holds the token while it runs. It
// gives the token away at Step, Await and a wait on the clock, and who gets it
// is drawn from all that could go on. Waits on the clock may wake spuriously,
// as the clock's contract says; virtual time advances when all are waiting.
// Threads that the scheduler was not told of (the hash thread) run freely:
// nothing they do decides an order. When nobody can go on, the process aborts
// with the schedule.

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sluice/base/clock.h"
#include "sluice/base/mutex.h"
#include "sluice/base/thread_scheduler.h"

namespace sluice {

class SimScheduler final : public ThreadScheduler {
 public:
  explicit SimScheduler(uint64_t seed);
  ~SimScheduler() override;

  // The calling thread takes part from here, and holds the token.
  void EnterMain(absl::string_view name);
  // Waits until every other thread has left, then leaves.
  void LeaveMain();

  // A place where another thread may go on first. Does nothing on a thread that
  // the scheduler was not told of.
  void Step(absl::string_view what);

  // The virtual clock. It lives as long as the scheduler.
  Clock* clock();

  // Every step so far, in order, as "thread:what".
  std::vector<std::string> trace() const;

  void Starting(absl::string_view name) override;
  void Enter(absl::string_view name) override;
  void Leave() override;
  void Await(absl::FunctionRef<bool()> ready) override;

 private:
  class SimClock;
  struct Actor;

  Actor* Self() const;
  // Gives the token to one that can go on, drawn from the seed.
  void Dispatch() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void AwaitToken(Actor* self, MutexLock& lock)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool CanRun(const Actor& actor) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool AdvanceClock() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  [[noreturn]] void Deadlock() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // False when the virtual timeout passed. The caller's lock is let go of
  // meanwhile, which the analysis cannot follow through a parameter.
  bool WaitOnClock(CondVar& condition, MutexLock& lock,
                   absl::Duration timeout) ABSL_NO_THREAD_SAFETY_ANALYSIS;

  const uint64_t seed_;
  mutable Mutex mutex_;
  CondVar granted_;
  std::mt19937_64 random_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::unique_ptr<Actor>> actors_ ABSL_GUARDED_BY(mutex_);
  Actor* running_ ABSL_GUARDED_BY(mutex_) = nullptr;
  // Grows whenever something happened that a waiter may have waited for.
  uint64_t epoch_ ABSL_GUARDED_BY(mutex_) = 1;
  absl::Duration elapsed_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> trace_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<SimClock> clock_;
};

}  // namespace sluice

#endif  // SLUICE_TESTS_SIMULATION_SIM_SCHEDULER_H_
