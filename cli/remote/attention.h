#ifndef SLUICE_CLI_REMOTE_ATTENTION_H_
#define SLUICE_CLI_REMOTE_ATTENTION_H_

// What a command that works through a server listens to while it waits: signals
// and --timeout. They end its waiting; the job is the server's, and goes on.
//
// Example:
//
//   SLUICE_ASSIGN_OR_RETURN(auto attention,
//                           Attention::Start(Clock::Real(), timeout));
//   ... attention->context() ...
//   if (attention->IsAsked()) SLUICE_RETURN_IF_ERROR(attention->GoOn());
//
// One at a time in a process; one thread.

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "sluice/base/clock.h"
#include "sluice/cli/terminal/console.h"
#include "sluice/cli/terminal/interrupt.h"
#include "sluice/executor/context.h"

namespace sluice::cli {

class Attention {
 public:
  // `timeout`: infinite for none.
  static absl::StatusOr<std::unique_ptr<Attention>> Start(
      Clock* clock, absl::Duration timeout);
  Attention(const Attention&) = delete;
  Attention& operator=(const Attention&) = delete;

  // Ends with the first signal, or when the timeout is over. Another one after
  // GoOn.
  const Context& context() const { return context_; }
  // Takes back the signal that ended the context; the timeout stays as it was.
  absl::Status GoOn();

 private:
  Attention(Clock* clock, absl::Duration timeout);

  Clock* const clock_;
  const absl::Duration ends_at_;  // by SinceBoot
  Context context_ = Context::Background();
  std::unique_ptr<Interrupt> interrupt_;
};

// What a person who pressed Ctrl-C wants of the job that is waited for.
enum class InterruptAnswer { kDetach, kCancel, kContinue };

// Asks on the terminal. kDetach where nobody is there to be asked, where it was
// another signal, and where no answer comes: the end of the input, or a second
// Ctrl-C. With kContinue the context of `attention` is a new one.
absl::StatusOr<InterruptAnswer> AskAtInterrupt(Console& console,
                                               Attention& attention);

// "d", "detach", "" and so on, whatever their case; kDetach for what is none.
InterruptAnswer ParseInterruptAnswer(absl::string_view text);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_REMOTE_ATTENTION_H_
