#ifndef SLUICE_CLI_TERMINAL_INTERRUPT_H_
#define SLUICE_CLI_TERMINAL_INTERRUPT_H_

// What tells the process of a run to end it: Ctrl-C, SIGTERM, SIGHUP, and the
// death of the process that supervises it. The first one cancels the run, all
// later ones change nothing: it is the supervisor who loses patience.
//
//   Interrupt::InstallHandlers();   // before the signals are let in
//   auto [context, cancel] = Context::WithCancel(Context::Background());
//   auto interrupt = Interrupt::Start(cancel, link.descriptor(), grace);
//   ... Interrupt::signal() == SIGTERM
//
// Where a hangup goes on, SIGHUP ends nothing: it asks the one HangupHandler to
// do something, and waits for him where there is none yet.
//
// One at a time in a process. Handlers stay installed after it is gone, and do
// nothing then but to count.

#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "sluice/base/thread.h"
#include "sluice/executor/context.h"

namespace sluice::cli {

class Interrupt {
 public:
  // A signal that this process ignores stays ignored. Idempotent.
  static void InstallHandlers(bool hangup_goes_on = false);

  // Calls `handler` for each SIGHUP that came, also for one from before, on the
  // thread of an Interrupt: it must not block. One at a time.
  class HangupHandler {
   public:
    explicit HangupHandler(std::function<void()> handler);
    ~HangupHandler();
    HangupHandler(const HangupHandler&) = delete;
    HangupHandler& operator=(const HangupHandler&) = delete;
  };

  // `supervisor` reports POLLHUP once the supervisor is gone. A run that has
  // not ended `grace` after that ends by _exit, as nobody else is there to end
  // it. -1: there is none. RESOURCE_EXHAUSTED where the system gives no thread:
  // a run that Ctrl-C could not end is not begun.
  static absl::StatusOr<std::unique_ptr<Interrupt>> Start(
      Context::CancelFunction cancel, int supervisor, absl::Duration grace);
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  // The first one that came; 0: none.
  static int signal();
  // Forgets it: whoever sent it has thought better of it, and the next one is
  // the first. While none is started.
  static void Forget();

 private:
  explicit Interrupt(Context::CancelFunction cancel);
  void Watch(int supervisor, absl::Duration grace);

  const Context::CancelFunction cancel_;
  Thread thread_;
};

}  // namespace sluice::cli

#endif  // SLUICE_CLI_TERMINAL_INTERRUPT_H_
