#include "sluice/cli/terminal/interrupt.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "sluice/base/error.h"
#include "sluice/base/mutex.h"
#include "sluice/base/status_macros.h"

namespace sluice::cli {
namespace {

constexpr int kEndedWithoutSupervisor = 128 + SIGTERM;

std::atomic<int> first_signal{0};
static_assert(std::atomic<int>::is_always_lock_free);
int wake_pipe[2] = {-1, -1};  // the handler's, so a plain array

// Who is told of SIGHUP, where that goes on.
struct Hangups {
  Mutex mutex;
  bool came ABSL_GUARDED_BY(mutex) = false;  // and nobody was told
  std::function<void()> handler ABSL_GUARDED_BY(mutex);
};

Hangups& HangupsOfProcess() {
  static auto& hangups = *new Hangups;
  return hangups;
}

void TellOfHangup() {
  Hangups& hangups = HangupsOfProcess();
  MutexLock lock(hangups.mutex);
  hangups.came = hangups.handler == nullptr;
  if (hangups.handler != nullptr) hangups.handler();
}

// Only what POSIX allows in a handler.
void OnHangup(int) {
  const int saved = errno;
  const char byte = 'h';
  [[maybe_unused]] const ssize_t written = write(wake_pipe[1], &byte, 1);
  errno = saved;
}

// Only what POSIX allows in a handler.
void OnSignal(int number) {
  int none = 0;
  if (!first_signal.compare_exchange_strong(none, number)) return;
  const int saved = errno;
  const char byte = 's';
  [[maybe_unused]] const ssize_t written = write(wake_pipe[1], &byte, 1);
  errno = saved;
}

absl::Status Cancelled(absl::string_view why) {
  return MakeError(absl::StatusCode::kCancelled, kCancelled, why);
}

}  // namespace

void Interrupt::InstallHandlers(bool hangup_goes_on) {
  static const bool installed = [hangup_goes_on] {
    if (pipe2(wake_pipe, O_CLOEXEC) != 0) return false;
    struct sigaction action = {};
    action.sa_handler = OnSignal;
    action.sa_flags = SA_RESTART;
    sigemptyset(&action.sa_mask);
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
      // A parent that ignores it (nohup, a shell's background job) meant it.
      struct sigaction before = {};
      sigaction(number, nullptr, &before);
      action.sa_handler =
          number == SIGHUP && hangup_goes_on ? OnHangup : OnSignal;
      if (before.sa_handler != SIG_IGN) sigaction(number, &action, nullptr);
    }
    return true;
  }();
  static_cast<void>(installed);
}

Interrupt::HangupHandler::HangupHandler(std::function<void()> handler) {
  Hangups& hangups = HangupsOfProcess();
  MutexLock lock(hangups.mutex);
  hangups.handler = std::move(handler);
  if (std::exchange(hangups.came, false)) hangups.handler();
}

Interrupt::HangupHandler::~HangupHandler() {
  Hangups& hangups = HangupsOfProcess();
  MutexLock lock(hangups.mutex);
  hangups.handler = nullptr;
}

Interrupt::Interrupt(Context::CancelFunction cancel)
    : cancel_(std::move(cancel)) {}

absl::StatusOr<std::unique_ptr<Interrupt>> Interrupt::Start(
    Context::CancelFunction cancel, int supervisor, absl::Duration grace) {
  std::unique_ptr<Interrupt> interrupt(new Interrupt(std::move(cancel)));
  InstallHandlers();
  SLUICE_ASSIGN_OR_RETURN(
      interrupt->thread_,
      Thread::Start("signals", [raw = interrupt.get(), supervisor, grace] {
        raw->Watch(supervisor, grace);
      }));
  return interrupt;
}

Interrupt::~Interrupt() {
  if (!thread_.joinable()) return;
  const char byte = 'q';
  [[maybe_unused]] const ssize_t written = write(wake_pipe[1], &byte, 1);
  thread_.Join();
}

int Interrupt::signal() { return first_signal.load(); }

void Interrupt::Forget() { first_signal.store(0); }

void Interrupt::Watch(int supervisor, absl::Duration grace) {
  int patience_ms = -1;
  while (true) {
    pollfd waits[] = {{wake_pipe[0], POLLIN, 0}, {supervisor, 0, 0}};
    const int ready = poll(waits, 2, patience_ms);
    if (ready < 0) continue;  // EINTR
    if (ready == 0) _exit(kEndedWithoutSupervisor);
    if (waits[1].revents != 0) {
      supervisor = -1;
      patience_ms = static_cast<int>(std::clamp<int64_t>(
          absl::ToInt64Milliseconds(grace), 0, 1'000'000'000));
      cancel_(Cancelled("the process that supervised the run has died"));
    }
    char byte = 0;
    if ((waits[0].revents & POLLIN) == 0) continue;
    if (read(wake_pipe[0], &byte, 1) != 1 || byte == 'q') return;
    if (byte == 'h') {
      TellOfHangup();
      continue;
    }
    if (signal() == 0) continue;  // it was a copy of us that got one
    cancel_(
        Cancelled(absl::StrCat("interrupted by SIG", sigabbrev_np(signal()))));
  }
}

}  // namespace sluice::cli
