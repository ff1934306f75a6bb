#ifndef SLUICE_EXECUTOR_STREAM_FIRST_CAUSE_H_
#define SLUICE_EXECUTOR_STREAM_FIRST_CAUSE_H_

// Which error is told. A run has three parties: the run itself (cancel,
// deadline), the source (at restore: the target) and the destination. The first
// error of any is the cause, set once; whatever the others answer after they
// were stopped is an echo. So a full disk is never told as "source failed", nor
// a source's error as a broken pipe.
//
//   auto cause = std::make_shared<FirstCause>(clock);
//   auto watch = context.OnDone([cause](const absl::Status& status) {
//     cause->Set(FirstCause::Party::kRun, status);
//   });
//   cause->Set(FirstCause::Party::kDestination, no_space);  // true: the first
//   cause->stopped().status();                              // no_space
//
// The first cause ends the context stopped(), which both sides work under.
// BeginCommit is the point of no return: from there on a cancel is no cause.
//
// Thread-safe. Touches the clock only while there is no cause, so an abandoned
// source may go on calling it after the clock is gone.

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "sluice/base/clock.h"
#include "sluice/base/mutex.h"
#include "sluice/executor/context.h"

namespace sluice {

class FirstCause {
 public:
  enum class Party { kRun, kSource, kDestination };

  struct Cause {
    Party party = Party::kRun;
    absl::Status status;
    absl::Duration at;  // Clock::SinceBoot
  };

  explicit FirstCause(Clock* clock);

  // Makes `status` (not OK) the cause; false when there was one already, or
  // when it is a cancel that comes after BeginCommit.
  bool Set(Party party, absl::Status status);

  // OK: nothing went wrong so far, and from now on no cancel counts. Else the
  // cause.
  absl::Status BeginCommit();

  absl::optional<Cause> cause() const;

  // Ends with the first cause.
  const Context& stopped() const { return stopped_; }

 private:
  Clock* const clock_;
  const Context stopped_;
  const Context::CancelFunction stop_;
  mutable Mutex mutex_;
  bool committing_ ABSL_GUARDED_BY(mutex_) = false;
  absl::optional<Cause> cause_ ABSL_GUARDED_BY(mutex_);

  FirstCause(Clock* clock, std::pair<Context, Context::CancelFunction> context);
};

}  // namespace sluice

#endif  // SLUICE_EXECUTOR_STREAM_FIRST_CAUSE_H_
