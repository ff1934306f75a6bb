#ifndef SLUICE_EXECUTOR_RUN_RESTORE_RUN_H_
#define SLUICE_EXECUTOR_RUN_RESTORE_RUN_H_

// One restore: the state of Executor::RunRestore, and its steps. Used once, on
// the caller's thread, which waits and tells the progress while the target
// works on a thread that can be left behind.

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "sluice/base/clock.h"
#include "sluice/executor/backupable.h"
#include "sluice/executor/context.h"
#include "sluice/executor/destination.h"
#include "sluice/executor/job_store.h"
#include "sluice/executor/models.pb.h"
#include "sluice/executor/run/guarded_thread.h"
#include "sluice/executor/run/run.h"
#include "sluice/executor/run/run_progress.h"
#include "sluice/executor/stream/first_cause.h"

namespace sluice {

class RestoreRun {
 public:
  struct Arguments {
    const Context& context;
    std::shared_ptr<Backupable> target;
    std::shared_ptr<Destination> destination;
    const BackupRepo& repo;
    std::string backup_id;
    std::string target_kind;
    const RunRestoreOptions& options;
  };

  // The arguments have been checked.
  RestoreRun(JobStore* jobs, Clock* clock, Arguments arguments);

  RestoreResult Run();

 private:
  // Everything that the target's thread touches; it may outlive the run.
  struct TargetSide;

  absl::Status CreateJob();
  absl::Status Restore();
  // The archive and those it builds on, full first.
  absl::StatusOr<std::vector<Manifest>> ReadChain();
  absl::Status CheckKind() const;
  void FillChain(std::vector<Manifest> chain);
  // Waits for the target and tells the progress; then, what it answered.
  absl::Status AwaitTarget();
  RestoreResult Finish(const absl::Status& restored);
  void WriteTerminalRow();

  JobStore* const jobs_;
  Clock* const clock_;
  const Arguments arguments_;
  const std::shared_ptr<FirstCause> cause_;
  std::shared_ptr<TargetSide> side_;
  std::unique_ptr<GuardedThread> thread_;
  BackupJob job_;
  absl::optional<Manifest> manifest_;  // of the archive asked for
  absl::optional<RunProgressReporter> progress_;
  uint64_t bytes_total_ = 0;
  bool target_abandoned_ = false;
};

}  // namespace sluice

#endif  // SLUICE_EXECUTOR_RUN_RESTORE_RUN_H_
