#ifndef SLUICE_CLI_INTERRUPT_H_
#define SLUICE_CLI_INTERRUPT_H_

// Ctrl-C, SIGTERM, and SIGHUP of a terminal that is closed: the first one
// cancels the run, which takes its temporary files away; the second one leaves
// at once.
//
//   auto [context, cancel] = Context::WithCancel(Context::Background());
//   auto interrupt = Interrupt::Start(cancel);  // one at a time in a process
//   ... Interrupt::signal() == SIGTERM
//
// Handlers stay installed after it is gone, and do nothing then but to count.

#include <memory>

#include "absl/status/statusor.h"
#include "sluice/base/thread.h"
#include "sluice/executor/context.h"

namespace sluice::cli {

class Interrupt {
 public:
  // RESOURCE_EXHAUSTED where the system gives no thread: a run that Ctrl-C
  // could not end is not begun.
  static absl::StatusOr<std::unique_ptr<Interrupt>> Start(
      Context::CancelFunction cancel);
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  // The first one that came; 0: none.
  static int signal();

 private:
  explicit Interrupt(Context::CancelFunction cancel);
  void Watch();

  const Context::CancelFunction cancel_;
  Thread thread_;
};

}  // namespace sluice::cli

#endif  // SLUICE_CLI_INTERRUPT_H_
