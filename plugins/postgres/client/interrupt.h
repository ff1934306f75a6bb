#ifndef SLUICE_PLUGINS_POSTGRES_CLIENT_INTERRUPT_H_
#define SLUICE_PLUGINS_POSTGRES_CLIENT_INTERRUPT_H_

// When work on connections must end early: the run was cancelled, a sibling
// failed, or a deadline passed.
//
//   Interrupt interrupt(run);              // one for all workers of a run
//   ...
//   if (!status.ok()) interrupt.Stop();    // the others return CANCELLED
//
// What must still be done after a cancel has an interrupt of its own:
//   Interrupt cleanup(sdk::Run(), absl::Now() + absl::Seconds(5));
//
// Thread-safe. Outlives the connections that borrow it.

#include <atomic>

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "sluice/base/error.h"
#include "sluice/plugins/sdk/run.h"

namespace sluice::postgres {

// How often one who waits for a file descriptor asks.
inline constexpr int kPollMilliseconds = 50;

class Interrupt {
 public:
  explicit Interrupt(sdk::Run run, absl::Time deadline = absl::InfiniteFuture())
      : run_(run), deadline_(deadline) {}
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  void Stop() { stopped_.store(true, std::memory_order_relaxed); }

  // OK while work may go on, else CANCELLED or DEADLINE_EXCEEDED.
  absl::Status status() const {
    if (stopped_.load(std::memory_order_relaxed)) {
      return MakeError(absl::StatusCode::kCancelled, kCancelled,
                       "another connection of the run failed");
    }
    if (deadline_ != absl::InfiniteFuture() && absl::Now() >= deadline_) {
      return MakeError(absl::StatusCode::kDeadlineExceeded, kDeadlineExceeded,
                       "the server took too long");
    }
    return run_.status();
  }

 private:
  const sdk::Run run_;
  const absl::Time deadline_;
  std::atomic<bool> stopped_{false};
};

}  // namespace sluice::postgres

#endif  // SLUICE_PLUGINS_POSTGRES_CLIENT_INTERRUPT_H_
