#include "sluice/cli/remote/attention.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "sluice/base/status_macros.h"

namespace sluice::cli {
namespace {

// How often a second Ctrl-C is looked for while a person thinks.
constexpr int kLookMillis = 100;
constexpr size_t kMaxAnswer = 64;

// One line of stdin; empty where none comes before another signal.
std::string ReadAnswer() {
  std::string answer;
  while (Interrupt::signal() == 0 && answer.size() < kMaxAnswer) {
    pollfd input = {STDIN_FILENO, POLLIN, 0};
    if (poll(&input, 1, kLookMillis) <= 0) continue;
    char byte = 0;
    if (read(STDIN_FILENO, &byte, 1) != 1 || byte == '\n') return answer;
    answer.push_back(byte);
  }
  return "";
}

}  // namespace

Attention::Attention(Clock* clock, absl::Duration timeout)
    : clock_(clock), ends_at_(clock->SinceBoot() + timeout) {}

absl::StatusOr<std::unique_ptr<Attention>> Attention::Start(
    Clock* clock, absl::Duration timeout) {
  std::unique_ptr<Attention> attention(new Attention(clock, timeout));
  SLUICE_RETURN_IF_ERROR(attention->GoOn());
  return attention;
}

absl::Status Attention::GoOn() {
  interrupt_.reset();
  Interrupt::Forget();
  auto [context, cancel] = Context::WithCancel(Context::Background());
  // There is no supervisor, so that nobody's patience ends.
  SLUICE_ASSIGN_OR_RETURN(
      interrupt_, Interrupt::Start(cancel, -1, absl::InfiniteDuration()));
  context_ = std::move(context);
  if (ends_at_ < absl::InfiniteDuration()) {
    context_ = Context::WithTimeout(context_, clock_,
                                    std::max(ends_at_ - clock_->SinceBoot(),
                                             absl::ZeroDuration()))
                   .first;
  }
  return absl::OkStatus();
}

InterruptAnswer ParseInterruptAnswer(absl::string_view text) {
  const std::string word =
      absl::AsciiStrToLower(absl::StripAsciiWhitespace(text));
  if (word == "c" || word == "continue") return InterruptAnswer::kContinue;
  return word == "x" || word == "cancel" ? InterruptAnswer::kCancel
                                         : InterruptAnswer::kDetach;
}

absl::StatusOr<InterruptAnswer> AskAtInterrupt(Console& console,
                                               Attention& attention) {
  if (Interrupt::signal() != SIGINT || isatty(STDIN_FILENO) != 1 ||
      isatty(STDERR_FILENO) != 1) {
    return InterruptAnswer::kDetach;
  }
  SLUICE_RETURN_IF_ERROR(attention.GoOn());
  console.Note(
      "the job goes on without this command: detach, which is the default, "
      "continue to wait, or cancel the job? [d/c/x]");
  return ParseInterruptAnswer(ReadAnswer());
}

}  // namespace sluice::cli
