#include "sluice/plugins/postgres/client/row_budget.h"

#include "absl/time/time.h"
#include "sluice/base/status_macros.h"

namespace sluice::postgres {
namespace {

// Nobody wakes a wait at a cancel, so it looks by itself.
constexpr absl::Duration kLook = absl::Milliseconds(50);

}  // namespace

absl::Status RowBudget::Take(uint64_t bytes, const Interrupt& interrupt) {
  MutexLock lock(mutex_);
  const uint64_t mine = arrived_++;
  while (served_ != mine || (held_ > 0 && held_ + bytes > bytes_)) {
    SLUICE_RETURN_IF_ERROR(interrupt.status());
    changed_.WaitFor(lock, kLook);
  }
  ++served_;
  held_ += bytes;
  changed_.NotifyAll();
  return absl::OkStatus();
}

void RowBudget::GiveBack(uint64_t bytes) {
  MutexLock lock(mutex_);
  held_ -= bytes;
  changed_.NotifyAll();
}

}  // namespace sluice::postgres
