#include "sluice/executor/stream/first_cause.h"

#include <utility>

#include "sluice/base/error.h"

namespace sluice {

FirstCause::FirstCause(Clock* clock)
    : FirstCause(clock, Context::WithCancel(Context::Background())) {}

FirstCause::FirstCause(Clock* clock,
                       std::pair<Context, Context::CancelFunction> context)
    : clock_(clock),
      stopped_(std::move(context.first)),
      stop_(std::move(context.second)) {}

bool FirstCause::Set(Party party, absl::Status status) {
  {
    MutexLock lock(mutex_);
    if (cause_.has_value()) return false;
    if (committing_ && party == Party::kRun) return false;
    cause_ = Cause{party, DeepCopy(status), clock_->SinceBoot()};
  }
  stop_(std::move(status));
  return true;
}

absl::Status FirstCause::BeginCommit() {
  MutexLock lock(mutex_);
  if (cause_.has_value()) return DeepCopy(cause_->status);
  committing_ = true;
  return absl::OkStatus();
}

absl::optional<FirstCause::Cause> FirstCause::cause() const {
  MutexLock lock(mutex_);
  if (!cause_.has_value()) return absl::nullopt;
  return Cause{cause_->party, DeepCopy(cause_->status), cause_->at};
}

}  // namespace sluice
