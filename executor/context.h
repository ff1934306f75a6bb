#ifndef SLUICE_EXECUTOR_CONTEXT_H_
#define SLUICE_EXECUTOR_CONTEXT_H_

// Cancellation and deadline of one run, passed in and never reached for.
//
// A Context is a cheap copyable handle (two pointers); all copies share one
// state, all methods may be called from any thread. A child ends when its
// parent does, not the other way round.
//
// Example:
//
//   auto [context, cancel] = Context::WithCancel(Context::Background());
//   SLUICE_ASSIGN_OR_RETURN(
//       Thread ctrl_c, Thread::Start("ctrl-c", [cancel = cancel] {
//         AwaitKey();
//         cancel(absl::CancelledError("interrupted by the user"));
//       }));
//   executor.RunBackup(context, source, destination, repo, "orders", "memory",
//                      {});
//
// Ownership: the handles share the state, the last one frees it. Nothing here
// fails: where no thread is to be had for a deadline, the context has ended
// with RESOURCE_EXHAUSTED from the start. Cost: status() and done() are an
// atomic load, a child is one registration with its parent.

#include <functional>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "sluice/base/clock.h"

namespace sluice {

class Context {
 public:
  // Ends the context with `cause` (must not be OK). The first cause stays.
  // Never blocks on the run, may be called from any thread.
  using CancelFunction = std::function<void(absl::Status cause)>;

  // Never ends.
  static Context Background();
  static std::pair<Context, CancelFunction> WithCancel(const Context& parent);
  // Also ends with DEADLINE_EXCEEDED once `clock` is `timeout` further. Costs
  // one waiting thread for as long as a copy lives.
  static std::pair<Context, CancelFunction> WithTimeout(const Context& parent,
                                                        Clock* clock,
                                                        absl::Duration timeout);

  // OK while the run may go on, else the first cause, in memory of its own. One
  // atomic load while it is OK.
  absl::Status status() const;
  bool done() const;

  // Runs `callback` once when the context ends, at once if it has already, on
  // the thread that ends it. The callback must not block. Dropping the returned
  // handle unregisters it, and waits for a callback under way on another
  // thread.
  class [[nodiscard]] Registration {
   public:
    Registration() = default;
    explicit Registration(std::shared_ptr<void> handle)
        : handle_(std::move(handle)) {}

   private:
    std::shared_ptr<void> handle_;
  };
  Registration OnDone(std::function<void(const absl::Status&)> callback) const;

 private:
  struct State;
  explicit Context(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;
};

}  // namespace sluice

#endif  // SLUICE_EXECUTOR_CONTEXT_H_
