#ifndef SLUICE_BASE_TESTING_FAKE_CLOCK_H_
#define SLUICE_BASE_TESTING_FAKE_CLOCK_H_

// A clock that stands still until a test moves it.
//
//   FakeClock clock;
//   std::thread run([&] { ... clock.WaitFor(condition, lock, Seconds(2)); });
//   clock.AwaitWaiters(1);              // the run waits on the clock now
//   clock.Advance(absl::Seconds(2));    // and wakes, having waited two seconds
//
// Thread-safe. The wall clock begins at a fixed time and may be set anywhere;
// the time since boot only goes forward.

#include <map>

#include "absl/time/time.h"
#include "sluice/base/clock.h"
#include "sluice/base/mutex.h"

namespace sluice {

class FakeClock final : public Clock {
 public:
  FakeClock() = default;

  absl::Time Now() const override;
  absl::Duration SinceBoot() const override;
  bool WaitFor(CondVar& condition, MutexLock& lock,
               absl::Duration timeout) override;

  // Both clocks go forward by `step`; waits whose time has come return.
  void Advance(absl::Duration step);
  // The wall clock alone jumps.
  void SetNow(absl::Time now);
  // Threads inside a WaitFor whose end has not come yet.
  int waiters() const;
  // Blocks until waiters() is `count` or more.
  void AwaitWaiters(int count);

 private:
  mutable Mutex mutex_;
  CondVar waiters_changed_;
  absl::Time now_ ABSL_GUARDED_BY(mutex_) = absl::FromUnixMillis(1700000000000);
  absl::Duration since_boot_ ABSL_GUARDED_BY(mutex_) = absl::Seconds(1000);
  // The conditions waited on, and until when.
  std::multimap<CondVar*, absl::Duration> waiters_ ABSL_GUARDED_BY(mutex_);

  int Pending() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
};

}  // namespace sluice

#endif  // SLUICE_BASE_TESTING_FAKE_CLOCK_H_
