#include "sluice/service/engine/steady_clock_watch.h"

namespace sluice::service {
namespace {

// What a clock may be set by without that it counts as a jump.
constexpr absl::Duration kJump = absl::Seconds(2);
constexpr absl::Duration kSteady = absl::Minutes(10);

}  // namespace

bool SteadyClockWatch::IsSteady() {
  const absl::Duration boot = clock_->SinceBoot();
  const absl::Duration offset = clock_->Now() - absl::UnixEpoch() - boot;
  const bool is_first = !offset_.has_value();
  if (is_first || absl::AbsDuration(offset - *offset_) > kJump) {
    steady_since_ = boot;
    has_jumped_ = !is_first;
  }
  offset_ = offset;
  return boot >= steady_since_ + kSteady;
}

}  // namespace sluice::service
