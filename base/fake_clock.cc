#include "sluice/base/fake_clock.h"

namespace sluice {

absl::Time FakeClock::Now() const {
  MutexLock lock(mutex_);
  return now_;
}

absl::Duration FakeClock::SinceBoot() const {
  MutexLock lock(mutex_);
  return since_boot_;
}

bool FakeClock::WaitFor(CondVar& condition, MutexLock& lock,
                        absl::Duration timeout) {
  if (timeout == absl::InfiniteDuration()) {
    condition.Wait(lock);
    return true;
  }
  absl::Duration deadline;
  {
    MutexLock own(mutex_);
    deadline = since_boot_ + timeout;
    if (timeout <= absl::ZeroDuration()) return false;
    ++waiters_[&condition];
    ++waiter_count_;
    waiters_changed_.NotifyAll();
  }
  // Advance notifies the condition without the caller's mutex, so a wake can
  // fall between the check above and this wait; the short real timeout picks
  // that up.
  condition.WaitFor(lock, absl::Milliseconds(1));
  MutexLock own(mutex_);
  --waiter_count_;
  if (--waiters_[&condition] == 0) waiters_.erase(&condition);
  return since_boot_ < deadline;
}

void FakeClock::Advance(absl::Duration step) {
  MutexLock lock(mutex_);
  now_ += step;
  since_boot_ += step;
  for (const auto& waiter : waiters_) waiter.first->NotifyAll();
}

void FakeClock::SetNow(absl::Time now) {
  MutexLock lock(mutex_);
  now_ = now;
}

void FakeClock::AwaitWaiters(int count) {
  MutexLock lock(mutex_);
  while (waiter_count_ < count) waiters_changed_.Wait(lock);
}

}  // namespace sluice
