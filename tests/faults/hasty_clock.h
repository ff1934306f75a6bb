#ifndef SLUICE_TESTS_FAULTS_HASTY_CLOCK_H_
#define SLUICE_TESTS_FAULTS_HASTY_CLOCK_H_

// A clock for runs that meet faults thousands of times: the short waits between
// retries pass at once, the long ones (leases, an unresponsive source) last
// until somebody ends them, as they would on a machine where nothing hangs.
//
// Thread-safe.

#include <atomic>
#include <cstdint>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "sluice/base/clock.h"

namespace sluice {

class HastyClock final : public Clock {
 public:
  // Waits up to this long pass at once.
  static constexpr absl::Duration kShort = absl::Seconds(10);

  explicit HastyClock(absl::Duration ahead = absl::ZeroDuration())
      : begun_(absl::Now()), elapsed_ns_(absl::ToInt64Nanoseconds(ahead)) {}

  absl::Time Now() const override { return begun_ + SinceBoot(); }
  absl::Duration SinceBoot() const override {
    return absl::Nanoseconds(elapsed_ns_.load());
  }
  bool WaitFor(CondVar& condition, MutexLock& lock,
               absl::Duration timeout) override {
    if (timeout > kShort) return condition.WaitFor(lock, absl::Hours(1));
    elapsed_ns_ += absl::ToInt64Nanoseconds(timeout);
    return condition.WaitFor(lock, absl::Microseconds(100));
  }

 private:
  const absl::Time begun_;
  std::atomic<int64_t> elapsed_ns_;
};

}  // namespace sluice

#endif  // SLUICE_TESTS_FAULTS_HASTY_CLOCK_H_
