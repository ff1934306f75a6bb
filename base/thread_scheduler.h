#ifndef SLUICE_BASE_THREAD_SCHEDULER_H_
#define SLUICE_BASE_THREAD_SCHEDULER_H_

// The seam for deterministic simulation: who runs next, decided by a test.
//
// In production there is none (a null pointer) and threads run as the machine
// likes. In a simulation exactly one thread of a run goes on at a time, and a
// seed decides which. Code that starts a thread, or that would block on another
// thread of the same run, tells the scheduler; nothing else changes.
//
// Example:
//
//   std::atomic<bool> ready = false;
//   if (scheduler != nullptr) scheduler->Await([&] { return ready.load(); });
//
// Thread-safe. Borrowed by the run, which it outlives. Nothing here fails. In
// production it costs the look at a null pointer.

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"

namespace sluice {

class ThreadScheduler {
 public:
  virtual ~ThreadScheduler() = default;

  // Called by the thread that is about to start one called `name`.
  virtual void Starting(absl::string_view name) = 0;
  // The first and the last thing that the started thread does.
  virtual void Enter(absl::string_view name) = 0;
  virtual void Leave() = 0;

  // Returns once `ready` is true. It is called with the scheduler's lock held,
  // on any thread, so it may only read atomics.
  virtual void Await(absl::FunctionRef<bool()> ready) = 0;
};

}  // namespace sluice

#endif  // SLUICE_BASE_THREAD_SCHEDULER_H_
