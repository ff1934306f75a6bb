#include "sluice/base/testing/fake_clock.h"

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
  std::multimap<CondVar*, absl::Duration>::iterator waiter;
  {
    MutexLock own(mutex_);
    deadline = since_boot_ + timeout;
    if (timeout <= absl::ZeroDuration()) return false;
    waiter = waiters_.emplace(&condition, deadline);
    waiters_changed_.NotifyAll();
  }
  // Advance notifies the condition without the caller's mutex, so a wake can
  // fall between the check above and this wait; the short real timeout picks
  // that up.
  condition.WaitFor(lock, absl::Milliseconds(1));
  MutexLock own(mutex_);
  waiters_.erase(waiter);
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
  while (Pending() < count) waiters_changed_.Wait(lock);
}

int FakeClock::waiters() const {
  MutexLock lock(mutex_);
  return Pending();
}

int FakeClock::Pending() const {
  int pending = 0;
  for (const auto& waiter : waiters_) pending += waiter.second > since_boot_;
  return pending;
}

}  // namespace sluice
