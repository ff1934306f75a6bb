#ifndef SLUICE_EXECUTOR_RUN_RESTORE_RUN_H_
#define SLUICE_EXECUTOR_RUN_RESTORE_RUN_H_

// One restore: the state of Executor::RunRestore, and its steps. Used once, on
// the caller's thread, which waits and tells the progress while the target
// works on a thread that can be left behind.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "sluice/base/clock.h"
#include "sluice/executor/job_store.h"
#include "sluice/executor/models.pb.h"
#include "sluice/executor/run/job_run.h"
#include "sluice/executor/run/run.h"

namespace sluice {

class RestoreRun final : private JobRun {
 public:
  // The arguments have been checked. Borrows the options.
  RestoreRun(JobStore* jobs, Clock* clock, RunArguments arguments,
             std::string backup_id, const RunRestoreOptions& options);

  RestoreResult Run();

 private:
  // Everything that the target's thread touches; it may outlive the run.
  struct TargetSide;

  absl::Status Restore();
  // The archive and those it builds on, full first.
  absl::StatusOr<std::vector<Manifest>> ReadChain();
  absl::Status CheckKind() const;
  void FillChain(std::vector<Manifest> chain);
  // Waits for the target and tells the progress; then, what it answered.
  absl::Status AwaitTarget();
  RestoreResult Finish(const absl::Status& restored);

  const std::string backup_id_;
  const RunRestoreOptions& options_;
  const std::shared_ptr<TargetSide> side_;
  absl::optional<Manifest> manifest_;  // of the archive asked for
  uint64_t bytes_total_ = 0;
};

}  // namespace sluice

#endif  // SLUICE_EXECUTOR_RUN_RESTORE_RUN_H_
