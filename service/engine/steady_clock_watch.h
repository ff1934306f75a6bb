#ifndef SLUICE_SERVICE_ENGINE_STEADY_CLOCK_WATCH_H_
#define SLUICE_SERVICE_ENGINE_STEADY_CLOCK_WATCH_H_

#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "sluice/base/clock.h"

namespace sluice::service {

// Whether the wall clock has told the same time for ten minutes, by the clock
// since boot: then something may end for being old by it. One that was wrong at
// boot, or reads 2030 for a minute, has not. Ask at least every few minutes: a
// jump that came and went between two questions is not seen.
//
// Example:
//
//   SteadyClockWatch watch(Clock::Real());
//   if (watch.IsSteady()) DeleteWhatIsOld();
//
// One thread at a time.
class SteadyClockWatch {
 public:
  // Borrows the clock.
  explicit SteadyClockWatch(Clock* clock) : clock_(clock) {}

  bool IsSteady();
  // Whether it was a jump that was seen last, not the first question.
  bool has_jumped() const { return has_jumped_; }

 private:
  Clock* const clock_;
  absl::optional<absl::Duration> offset_;  // of the wall clock from boot's
  absl::Duration steady_since_;            // by the clock since boot
  bool has_jumped_ = false;
};

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_ENGINE_STEADY_CLOCK_WATCH_H_
