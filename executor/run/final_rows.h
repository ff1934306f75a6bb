#ifndef SLUICE_EXECUTOR_RUN_FINAL_ROWS_H_
#define SLUICE_EXECUTOR_RUN_FINAL_ROWS_H_

// Writes the rows that end a run. They must be written even though, and just
// when, the run was cancelled: so under a short deadline of their own, never on
// the run's context, and again where the job store is busy or its answer is
// lost.
//
//   FinalRows rows(clock);
//   absl::Status written = rows.Write([&](const Context& context) {
//     return jobs->UpdateBackupJob(context, job);
//   });
//
// For one thread. Blocks for at most kFinalRowsDeadline, as far as the store
// respects its context.

#include <functional>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "sluice/base/clock.h"
#include "sluice/executor/context.h"

namespace sluice {

inline constexpr absl::Duration kFinalRowsDeadline = absl::Seconds(10);

class FinalRows {
 public:
  // The deadline runs from here on.
  explicit FinalRows(Clock* clock);

  // Calls `write` until it succeeds, fails for good, has failed eight times, or
  // the time is up. Returns its last answer.
  absl::Status Write(const std::function<absl::Status(const Context&)>& write);

 private:
  void Pause(absl::Duration pause);

  Clock* const clock_;
  const std::pair<Context, Context::CancelFunction> deadline_;
};

}  // namespace sluice

#endif  // SLUICE_EXECUTOR_RUN_FINAL_ROWS_H_
