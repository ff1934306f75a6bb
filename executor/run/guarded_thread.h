#ifndef SLUICE_EXECUTOR_RUN_GUARDED_THREAD_H_
#define SLUICE_EXECUTOR_RUN_GUARDED_THREAD_H_

// Code that we didn't write: called so that it cannot throw into us, and on a
// thread that we can leave behind.

#include <functional>
#include <memory>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sluice/base/clock.h"
#include "sluice/base/thread_scheduler.h"

namespace sluice {

// The result of `call`; or, where it throws, UNKNOWN with "`what` threw: …".
// The one place where Sluice catches.
absl::Status CallGuarded(absl::string_view what,
                         absl::FunctionRef<absl::Status()> call);

// One call on a thread of its own.
//
//   auto thread = GuardedThread::Start([state] { state->RunSource(); });
//   if (!(*thread)->AwaitReturn(clock, absl::Seconds(2))) ...;  // hangs
//   thread->reset();       // joins it, or leaves it behind
//
// `body` must own all that it touches (shared_ptr): it may outlive everything
// else. One owner at a time.
class GuardedThread {
 public:
  // RESOURCE_EXHAUSTED where the system gives no thread. A simulation orders
  // the thread by `scheduler` as "store"; null in production.
  static absl::StatusOr<std::unique_ptr<GuardedThread>> Start(
      std::function<void()> body, ThreadScheduler* scheduler = nullptr);
  // Joins where the body has returned; else abandons the thread.
  ~GuardedThread();
  GuardedThread(const GuardedThread&) = delete;
  GuardedThread& operator=(const GuardedThread&) = delete;

  // Waits; false when `timeout` of `clock` passed first. Once true, the body
  // and what it captured are gone.
  bool AwaitReturn(Clock* clock, absl::Duration timeout);

 private:
  struct Shared;
  GuardedThread();
  std::shared_ptr<Shared> shared_;
};

}  // namespace sluice

#endif  // SLUICE_EXECUTOR_RUN_GUARDED_THREAD_H_
