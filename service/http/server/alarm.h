#ifndef SLUICE_SERVICE_HTTP_SERVER_ALARM_H_
#define SLUICE_SERVICE_HTTP_SERVER_ALARM_H_

// Calls back at a time of a Clock, which a test may own: epoll_wait knows the
// machine's alone. Thread-safe.

#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "sluice/base/clock.h"
#include "sluice/base/mutex.h"
#include "sluice/base/thread.h"

namespace sluice::http {

class Alarm {
 public:
  // `ring` is called on a thread of the alarm's. Borrows the clock.
  static absl::StatusOr<std::unique_ptr<Alarm>> Start(
      Clock* clock, std::function<void()> ring);
  ~Alarm();

  // Rings once at `when` of Clock::SinceBoot, or before: who is rung looks at
  // the clock and sets it anew. A time later than the one set is passed over.
  void Set(absl::Duration when);

 private:
  Alarm(Clock* clock, std::function<void()> ring);
  void Run();

  Clock* const clock_;
  const std::function<void()> ring_;
  Mutex mutex_;
  CondVar changed_;
  absl::Duration when_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteDuration();
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  Thread thread_;
};

}  // namespace sluice::http

#endif  // SLUICE_SERVICE_HTTP_SERVER_ALARM_H_
