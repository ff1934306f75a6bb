#ifndef SLUICE_CLI_INTERRUPT_H_
#define SLUICE_CLI_INTERRUPT_H_

// Ctrl-C and SIGTERM: the first one cancels the run, the second one leaves at
// once.
//
//   auto [context, cancel] = Context::WithCancel(Context::Background());
//   Interrupt interrupt(cancel);   // one at a time in a process
//   ... interrupt.signal() == SIGTERM
//
// Handlers stay installed after it is gone, and do nothing then but to count.

#include <csignal>
#include <thread>

#include "sluice/executor/context.h"

namespace sluice::cli {

class Interrupt {
 public:
  explicit Interrupt(Context::CancelFunction cancel);
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  // The first one that came; 0: none.
  static int signal();

 private:
  void Watch();

  const Context::CancelFunction cancel_;
  std::thread thread_;
};

}  // namespace sluice::cli

#endif  // SLUICE_CLI_INTERRUPT_H_
