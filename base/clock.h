#ifndef SLUICE_BASE_CLOCK_H_
#define SLUICE_BASE_CLOCK_H_

// Time as something that is passed in, so that a test can own it.
//
// Example:
//
//   const absl::Duration began = clock->SinceBoot();
//   Work();
//   const absl::Duration took = clock->SinceBoot() - began;
//
// Thread-safe. A clock is borrowed by whatever is given one and must outlive
// it; base/testing/fake_clock.h is one for tests. Nothing here fails. To ask
// for the time costs no system call on common machines.

#include "absl/time/time.h"
#include "sluice/base/mutex.h"

namespace sluice {

class Clock {
 public:
  virtual ~Clock() = default;

  // Wall clock, for what people and other machines read. May jump.
  virtual absl::Time Now() const = 0;

  // Time since boot, counting time asleep (CLOCK_BOOTTIME), for leases and
  // deadlines. Never goes back.
  virtual absl::Duration SinceBoot() const = 0;

  // Waits on `condition` for at most `timeout` of this clock; false when it
  // timed out. Wakes may be spurious.
  virtual bool WaitFor(CondVar& condition, MutexLock& lock,
                       absl::Duration timeout) = 0;

  // The machine's clock. Never deleted.
  static Clock* Real();
};

}  // namespace sluice

#endif  // SLUICE_BASE_CLOCK_H_
