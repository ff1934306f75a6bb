#include "sluice/cli/supervisor.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "sluice/base/clock.h"
#include "sluice/base/error.h"
#include "sluice/catalog/settle.h"
#include "sluice/catalog/sqlite/sqlite_catalog.h"
#include "sluice/cli/terminal/exit_code.h"
#include "sluice/cli/terminal/interrupt.h"
#include "sluice/cli/terminal/json.h"
#include "sluice/cli/verbs/run_report.h"
#include "sluice/executor/context.h"
#include "sluice/executor/models.pb.h"

namespace sluice::cli {
namespace {

// How long the child may take to be gone after its last word, or once it was
// killed.
constexpr absl::Duration kGonePatience = absl::Seconds(1);
// How long the jobs' last rows may take.
constexpr absl::Duration kSettlePatience = absl::Seconds(5);
// A run that ends at once needs no words about it.
constexpr absl::Duration kSayEndingAfter = absl::Seconds(1);
// Where the kernel does not tell of a child's end.
constexpr absl::Duration kReapPoll = absl::Milliseconds(20);
constexpr int64_t kLongestPollMs = 60'000;
// Results that nobody has taken yet; then the child waits.
constexpr size_t kMaxPending = 1 << 20;
// A pipe that poll calls writable takes as much without blocking.
constexpr size_t kWritePiece = 4096;
constexpr char kJobMessage = 'j';

constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};

// Holds back the signals that are ours to pass on; read them from descriptor().
class SignalQueue {
 public:
  SignalQueue() {
    sigset_t ours;
    sigemptyset(&ours);
    for (const int number : kSignals) {
      // A parent that ignores one (nohup, a shell's background job) meant it.
      struct sigaction before = {};
      sigaction(number, nullptr, &before);
      if (before.sa_handler != SIG_IGN) sigaddset(&ours, number);
    }
    sigprocmask(SIG_BLOCK, &ours, &before_);
    descriptor_ = signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK);
  }

  int descriptor() const { return descriptor_; }

  // The next one that came; 0: none.
  int Take() const {
    signalfd_siginfo info;
    const ssize_t size = read(descriptor_, &info, sizeof(info));
    return size == sizeof(info) ? static_cast<int>(info.ssi_signo) : 0;
  }

  // As it was, for the child or for the end.
  void Release() const {
    sigprocmask(SIG_SETMASK, &before_, nullptr);
    if (descriptor_ >= 0) close(descriptor_);
  }

 private:
  sigset_t before_;
  int descriptor_ = -1;
};

absl::Status Interrupted(int number) {
  return MakeError(absl::StatusCode::kCancelled, kCancelled,
                   absl::StrCat("interrupted by SIG", sigabbrev_np(number)));
}

absl::Status Late(absl::Duration timeout) {
  return MakeError(
      absl::StatusCode::kDeadlineExceeded, kDeadlineExceeded,
      absl::StrCat("timed out after ", absl::FormatDuration(timeout)));
}

// Of a child that said no last word and that nobody here had killed.
absl::Status Died(const ChildEnd& end) {
  const std::string message =
      absl::StrCat("the process of the run ended before it had said how: ",
                   DescribeEnd(end));
  if (WIFSIGNALED(end.wait_status) && WTERMSIG(end.wait_status) == SIGKILL) {
    return WithHint(
        MakeError(absl::StatusCode::kAborted, kProcessDied, message),
        "out of memory? the kernel's log (dmesg) names what the OOM killer "
        "ended");
  }
  return WithHint(
      MakeError(absl::StatusCode::kAborted, kPluginUnusable, message),
      "a plugin must not end its process, nor crash: `sluice plugin check` "
      "tests one");
}

class Supervisor {
 public:
  explicit Supervisor(const SupervisorOptions& options)
      : options_(options),
        console_(options.console, clock_),
        began_(clock_->SinceBoot()) {}

  int Run(ChildProcess::Body verb);

 private:
  // --- while the child runs
  void AwaitEnd();
  void WaitForSomething();
  bool PassOnSignals();
  void OnSignal(int number);
  void OnMessage(char kind, absl::string_view bytes);
  void BeginEnding(const absl::Status& cause);
  void Kill();
  void StopBoth();
  void LookAtClock();
  absl::Duration NextMoment() const;

  // --- once it is over
  int Judge();
  int Report(const absl::Status& status, int code);
  absl::optional<BackupJob> SettleJobs(const absl::Status& cause);
  bool EndedByOrder() const;
  absl::Status Killed() const;
  int CodeOf(const absl::Status& status) const;

  // --- stdout
  void Print();
  int Deliver(int code);

  const SupervisorOptions& options_;
  Clock* const clock_ = Clock::Real();
  Console console_;
  const SignalQueue signals_;
  std::unique_ptr<ChildProcess> child_;
  const absl::Duration began_;  // all by the boot clock

  std::string held_;     // the result of a run that ends well
  std::string pending_;  // to be printed now
  int output_error_ = 0;

  int first_signal_ = 0;
  absl::Status ending_;  // OK: nobody told the run to end
  absl::Duration ending_since_;
  bool said_ending_ = false;
  absl::optional<absl::Duration> last_word_at_;
  absl::optional<absl::Duration> killed_at_;
};

int Supervisor::Run(ChildProcess::Body verb) {
  ChildProcess::Options start;
  start.on_parent_death = SIGTERM;  // its handler cancels the run
  absl::StatusOr<std::unique_ptr<ChildProcess>> child =
      ChildProcess::Start(start, [&](ChildLink& link) {
        Interrupt::InstallHandlers(options_.hangup_goes_on);
        signals_.Release();
        // Foreign code that prints something must not look like a result.
        dup2(STDERR_FILENO, STDOUT_FILENO);
        return verb(link);
      });
  int code = 0;
  if (child.ok()) {
    child_ = *std::move(child);
    AwaitEnd();
    code = Judge();
  } else {
    code = Report(child.status(), static_cast<int>(ExitCode::kFailed));
  }
  return Deliver(code);
}

// --- while the child runs

void Supervisor::AwaitEnd() {
  const auto receive = [this](char kind, absl::string_view bytes) {
    OnMessage(kind, bytes);
  };
  while (!child_->TryReap()) {
    if (pending_.size() < kMaxPending) child_->Receive(receive);
    if (child_->end().last_word.has_value() && !last_word_at_.has_value()) {
      last_word_at_ = clock_->SinceBoot();
    }
    PassOnSignals();
    LookAtClock();
    if (killed_at_.has_value() &&
        clock_->SinceBoot() - *killed_at_ > kGonePatience) {
      break;  // it hangs in the kernel
    }
    WaitForSomething();
  }
  while (child_->Receive(receive)) {
  }
  // One that ended the child too, as Ctrl-\ does, may not have been seen yet.
  PassOnSignals();
}

void Supervisor::WaitForSomething() {
  const bool full = pending_.size() >= kMaxPending;
  const bool printing = !pending_.empty() && output_error_ == 0;
  pollfd waits[] = {
      {signals_.descriptor(), POLLIN, 0},
      {full ? -1 : child_->link_descriptor(), POLLIN, 0},
      {child_->end_descriptor(), POLLIN, 0},
      {printing ? STDOUT_FILENO : -1, POLLOUT, 0},
  };
  absl::Duration left = NextMoment() - clock_->SinceBoot();
  if (child_->end_descriptor() < 0) left = std::min(left, kReapPoll);
  const int64_t ms = absl::ToInt64Milliseconds(left + absl::Microseconds(999));
  poll(waits, 4, static_cast<int>(std::clamp<int64_t>(ms, 0, kLongestPollMs)));
  if (printing && waits[3].revents != 0) Print();
}

bool Supervisor::PassOnSignals() {
  bool any = false;
  while (const int number = signals_.Take()) {
    any = true;
    OnSignal(number);
  }
  return any;
}

void Supervisor::OnSignal(int number) {
  if (number == SIGTSTP) return StopBoth();
  if (number == SIGHUP && options_.hangup_goes_on) {
    child_->Signal(number);
    return;
  }
  const bool again = first_signal_ != 0;
  if (!again) first_signal_ = number;
  BeginEnding(Interrupted(number));
  // From a terminal the child has it already: to be told twice is nothing new
  // to it. Only we count.
  child_->Signal(number);
  if (again) Kill();
}

void Supervisor::OnMessage(char kind, absl::string_view bytes) {
  switch (kind) {
    case kOutputMessage:
      if (output_error_ == 0) absl::StrAppend(&pending_, bytes);
      break;
    case kResultMessage:
      absl::StrAppend(&held_, bytes);
      break;
    case kEndingMessage:
      BeginEnding(DecodeCause(bytes));
      break;
    default:
      break;
  }
}

void Supervisor::BeginEnding(const absl::Status& cause) {
  if (!ending_.ok() || cause.ok()) return;
  ending_ = cause;
  ending_since_ = clock_->SinceBoot();
}

void Supervisor::Kill() {
  if (killed_at_.has_value()) return;
  killed_at_ = clock_->SinceBoot();
  child_->KillTree();
}

void Supervisor::StopBoth() {
  child_->Signal(SIGSTOP);
  raise(SIGSTOP);
  child_->Signal(SIGCONT);
}

// The grace begins when it is seen that time is up: one who was stopped with
// its run gives it as much.
void Supervisor::LookAtClock() {
  const absl::Duration now = clock_->SinceBoot();
  if (now - began_ >= options_.timeout) BeginEnding(Late(options_.timeout));
  if (last_word_at_.has_value() && now - *last_word_at_ >= kGonePatience) {
    Kill();
  }
  if (ending_.ok() || last_word_at_.has_value()) return;
  if (now - ending_since_ >= options_.grace) return Kill();
  if (said_ending_ || now - ending_since_ < kSayEndingAfter) return;
  said_ending_ = true;
  console_.Note(absl::StrCat(
      ending_.message(), "; ending the run, for ",
      absl::FormatDuration(options_.grace),
      " at most (--grace); a second Ctrl-C or SIGTERM ends it at once"));
}

absl::Duration Supervisor::NextMoment() const {
  absl::Duration next = absl::InfiniteDuration();
  if (ending_.ok()) {
    next = std::min(next, began_ + options_.timeout);
  } else {
    next = std::min(next, ending_since_ + options_.grace);
    if (!said_ending_) next = std::min(next, ending_since_ + kSayEndingAfter);
  }
  if (last_word_at_.has_value()) next = *last_word_at_ + kGonePatience;
  if (killed_at_.has_value()) next = *killed_at_ + kGonePatience;
  return next;
}

// --- once it is over

// Killed by us, or by the very signal that we were sent as well.
bool Supervisor::EndedByOrder() const {
  const ChildEnd& end = child_->end();
  if (killed_at_.has_value()) return true;
  return first_signal_ != 0 && WIFSIGNALED(end.wait_status) &&
         WTERMSIG(end.wait_status) == first_signal_;
}

int Supervisor::CodeOf(const absl::Status& status) const {
  const ExitCode code = ExitCodeOf(status);
  if (code == ExitCode::kInterrupted && first_signal_ != 0) {
    return 128 + first_signal_;
  }
  return static_cast<int>(code);
}

absl::Status Supervisor::Killed() const {
  const absl::Status status =
      MakeError(ending_.code(), ErrorCodeOf(ending_),
                absl::StrCat(ending_.message(),
                             "; the run did not end by itself and was killed"));
  if (child_->end().reaped) return status;
  return WithHint(status,
                  "it hangs in the kernel, on a file system that does not "
                  "answer, and is gone when that does");
}

int Supervisor::Judge() {
  const ChildEnd& end = child_->end();
  if (end.last_word.has_value()) {
    const int code = *end.last_word;
    const bool agrees =
        !end.reaped || killed_at_.has_value() ||
        (WIFEXITED(end.wait_status) && WEXITSTATUS(end.wait_status) == code);
    if (agrees ||
        (code != 0 && code != static_cast<int>(ExitCode::kWarnings))) {
      absl::StrAppend(&pending_, held_);
      return code;
    }
  } else if (EndedByOrder()) {
    const absl::Status status = killed_at_.has_value() ? Killed() : ending_;
    return Report(status, CodeOf(status));
  }
  const absl::Status died = Died(end);
  return Report(died, CodeOf(died));
}

int Supervisor::Report(const absl::Status& status, int code) {
  absl::optional<BackupJob> job;
  if (child_ != nullptr && !options_.catalog_path.empty()) {
    job = SettleJobs(status);
  }
  if (job.has_value()) {
    LogJobFinished(console_, job->repo_id(), job, status,
                   clock_->SinceBoot() - began_);
  }
  if (console_.json()) {
    absl::StrAppend(&pending_, Encode(ErrorJson(status, job)), "\n");
  }
  console_.Error(status);
  return code;
}

absl::optional<BackupJob> Supervisor::SettleJobs(const absl::Status& cause) {
  absl::optional<BackupJob> job;
  ChildLimits limits;
  limits.time_limit = kSettlePatience;
  const absl::StatusOr<ChildEnd> end = RunInChild(
      limits,
      [&](ChildLink& link) {
        if (access(options_.catalog_path.c_str(), F_OK) != 0) return 0;
        SqliteCatalogOptions catalog_options;
        catalog_options.path = options_.catalog_path;
        catalog_options.busy_timeout = kSettlePatience;
        catalog_options.heartbeat = false;
        const absl::StatusOr<std::unique_ptr<Catalog>> catalog =
            OpenSqliteCatalog(Context::Background(), catalog_options);
        if (!catalog.ok()) return 1;
        SettleOptions settle;
        settle.pid = child_->pid();
        settle.cause = cause;
        settle.patience = kSettlePatience;
        const absl::StatusOr<SettleReport> report =
            SettleDeadJobs(Context::Background(), **catalog, settle);
        if (!report.ok()) return 1;
        if (report->of_pid.has_value()) {
          link.Send(kJobMessage, report->of_pid->SerializeAsString());
        }
        return 0;
      },
      [&](char kind, absl::string_view bytes) {
        BackupJob sent;
        if (kind == kJobMessage &&
            sent.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
          job = std::move(sent);
      });
  if (!end.ok() || end->last_word != 0) {
    console_.Note(
        "the catalog did not answer: the run's job is ended by the next "
        "command that opens it");
  }
  return job;
}

// --- stdout

void Supervisor::Print() {
  const size_t size = std::min(pending_.size(), kWritePiece);
  const ssize_t written = write(STDOUT_FILENO, pending_.data(), size);
  if (written >= 0) {
    pending_.erase(0, static_cast<size_t>(written));
  } else if (errno != EINTR && errno != EAGAIN) {
    output_error_ = errno;
    pending_.clear();
    // What prints without end would never find out.
    if (child_ != nullptr) child_->Signal(SIGTERM);
  }
}

// Prints what is left. A reader that is gone ends us as it ends any other
// filter; one that does not read is left by Ctrl-C.
int Supervisor::Deliver(int code) {
  while (!pending_.empty()) {
    pollfd waits[] = {{signals_.descriptor(), POLLIN, 0},
                      {STDOUT_FILENO, POLLOUT, 0}};
    poll(waits, 2, -1);
    const int number = signals_.Take();
    if (number == SIGTSTP) {
      StopBoth();
    } else if (number != 0) {
      return 128 + number;
    }
    if (waits[1].revents != 0) Print();
  }
  if (output_error_ == 0) return code;
  if (output_error_ == EPIPE) {
    signals_.Release();
    signal(SIGPIPE, SIG_DFL);
    raise(SIGPIPE);
  }
  console_.Error(
      MakeError(absl::StatusCode::kInternal, kOutputFailed,
                absl::StrCat("write stdout: ", strerror(output_error_))));
  return static_cast<int>(ExitCode::kFailed);
}

}  // namespace

std::string EncodeCause(const absl::Status& cause) {
  return absl::StrCat(static_cast<int>(cause.code()), "\n", ErrorCodeOf(cause),
                      "\n", cause.message());
}

absl::Status DecodeCause(absl::string_view bytes) {
  const size_t code_end = bytes.find('\n');
  const size_t word_end = bytes.find('\n', code_end + 1);
  int code = 0;
  if (code_end == absl::string_view::npos ||
      word_end == absl::string_view::npos ||
      !absl::SimpleAtoi(bytes.substr(0, code_end), &code) || code == 0) {
    return absl::UnknownError("a malformed message");
  }
  return MakeError(static_cast<absl::StatusCode>(code),
                   bytes.substr(code_end + 1, word_end - code_end - 1),
                   bytes.substr(word_end + 1));
}

int Supervise(const SupervisorOptions& options, ChildProcess::Body verb) {
  // Inherited as ignored, it would leave no child to wait for.
  signal(SIGCHLD, SIG_DFL);
  return Supervisor(options).Run(verb);
}

}  // namespace sluice::cli
