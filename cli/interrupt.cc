#include "sluice/cli/interrupt.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"

namespace sluice::cli {
namespace {

std::atomic<int> first_signal{0};
static_assert(std::atomic<int>::is_always_lock_free);
int wake_pipe[2] = {-1, -1};  // the handler's, so a plain array

// Only what POSIX allows in a handler.
void OnSignal(int number) {
  int none = 0;
  if (!first_signal.compare_exchange_strong(none, number)) _exit(128 + number);
  const int saved = errno;
  const char byte = 's';
  [[maybe_unused]] const ssize_t written = write(wake_pipe[1], &byte, 1);
  errno = saved;
}

absl::string_view NameOf(int number) {
  switch (number) {
    case SIGTERM:
      return "SIGTERM";
    case SIGHUP:
      return "SIGHUP";
    default:
      return "SIGINT";
  }
}

void Install() {
  static const bool installed = [] {
    if (pipe2(wake_pipe, O_CLOEXEC) != 0) return false;
    struct sigaction action = {};
    action.sa_handler = OnSignal;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
      // A parent that ignores it (nohup, a shell's background job) meant it.
      struct sigaction before = {};
      sigaction(number, nullptr, &before);
      if (before.sa_handler != SIG_IGN) sigaction(number, &action, nullptr);
    }
    return true;
  }();
  static_cast<void>(installed);
}

}  // namespace

Interrupt::Interrupt(Context::CancelFunction cancel)
    : cancel_(std::move(cancel)) {}

absl::StatusOr<std::unique_ptr<Interrupt>> Interrupt::Start(
    Context::CancelFunction cancel) {
  std::unique_ptr<Interrupt> interrupt(new Interrupt(std::move(cancel)));
  Install();
  SLUICE_ASSIGN_OR_RETURN(
      interrupt->thread_,
      Thread::Start("signals", [raw = interrupt.get()] { raw->Watch(); }));
  return interrupt;
}

Interrupt::~Interrupt() {
  if (!thread_.joinable()) return;
  const char byte = 'q';
  [[maybe_unused]] const ssize_t written = write(wake_pipe[1], &byte, 1);
  thread_.Join();
}

int Interrupt::signal() { return first_signal.load(); }

void Interrupt::Watch() {
  char byte = 0;
  while (true) {
    const ssize_t got = read(wake_pipe[0], &byte, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0 || byte == 'q') return;
    cancel_(MakeError(absl::StatusCode::kCancelled, kCancelled,
                      absl::StrCat("interrupted by ", NameOf(signal()))));
  }
}

}  // namespace sluice::cli
