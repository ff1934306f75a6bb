#include "sluice/executor/run/final_rows.h"

#include "sluice/base/mutex.h"

namespace sluice {
namespace {

constexpr int kAttempts = 8;
constexpr absl::Duration kFirstPause = absl::Milliseconds(10);

// Answers that the same call would get again.
bool IsFinal(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kOk:
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kUnimplemented:
      return true;
    default:
      return false;
  }
}

// Where there is no thread for a deadline, the count of attempts must do.
std::pair<Context, Context::CancelFunction> Deadline(Clock* clock) {
  auto deadline =
      Context::WithTimeout(Context::Background(), clock, kFinalRowsDeadline);
  return deadline.first.done() ? Context::WithCancel(Context::Background())
                               : deadline;
}

}  // namespace

FinalRows::FinalRows(Clock* clock)
    : clock_(clock), deadline_(Deadline(clock)) {}

absl::Status FinalRows::Write(
    const std::function<absl::Status(const Context&)>& write) {
  absl::Duration pause = kFirstPause;
  for (int attempt = 1;; ++attempt) {
    const absl::Status status = write(deadline_.first);
    if (IsFinal(status.code()) || attempt == kAttempts ||
        deadline_.first.done()) {
      return status;
    }
    Pause(pause);
    pause *= 2;
  }
}

void FinalRows::Pause(absl::Duration pause) {
  Mutex mutex;
  CondVar changed;
  const auto wake = deadline_.first.OnDone([&](const absl::Status&) {
    MutexLock lock(mutex);
    changed.NotifyAll();
  });
  const absl::Duration until = clock_->SinceBoot() + pause;
  MutexLock lock(mutex);
  while (!deadline_.first.done()) {
    const absl::Duration left = until - clock_->SinceBoot();
    if (left <= absl::ZeroDuration()) return;
    clock_->WaitFor(changed, lock, left);
  }
}

}  // namespace sluice
