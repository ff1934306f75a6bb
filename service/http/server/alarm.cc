#include "sluice/service/http/server/alarm.h"

#include <utility>

#include "sluice/base/status_macros.h"

namespace sluice::http {

Alarm::Alarm(Clock* clock, std::function<void()> ring)
    : clock_(clock), ring_(std::move(ring)) {}

absl::StatusOr<std::unique_ptr<Alarm>> Alarm::Start(
    Clock* clock, std::function<void()> ring) {
  std::unique_ptr<Alarm> alarm(new Alarm(clock, std::move(ring)));
  SLUICE_ASSIGN_OR_RETURN(
      alarm->thread_,
      Thread::Start("http-alarm", [alarm = alarm.get()] { alarm->Run(); }));
  return alarm;
}

Alarm::~Alarm() {
  {
    MutexLock lock(mutex_);
    stop_ = true;
    changed_.NotifyAll();
  }
  thread_.Join();
}

void Alarm::Set(absl::Duration when) {
  MutexLock lock(mutex_);
  if (when >= when_) return;
  when_ = when;
  changed_.NotifyAll();
}

void Alarm::Run() {
  MutexLock lock(mutex_);
  while (!stop_) {
    const absl::Duration left = when_ - clock_->SinceBoot();
    if (left > absl::ZeroDuration()) {
      clock_->WaitFor(changed_, lock, left);
      continue;
    }
    when_ = absl::InfiniteDuration();
    lock.Unlock();
    ring_();
    lock.Relock();
  }
}

}  // namespace sluice::http
