#ifndef SLUICE_EXECUTOR_RUN_JOB_RUN_H_
#define SLUICE_EXECUTOR_RUN_JOB_RUN_H_

// What a backup and a restore have in common: the job's row from the first to
// the last, the thread that the store works on, and what ends the run.
//
// A base class, used on the caller's thread alone; what it is given outlives
// it. Errors carry a word each.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "sluice/base/clock.h"
#include "sluice/base/thread_scheduler.h"
#include "sluice/executor/backupable.h"
#include "sluice/executor/context.h"
#include "sluice/executor/destination.h"
#include "sluice/executor/job_store.h"
#include "sluice/executor/models.pb.h"
#include "sluice/executor/payload.h"
#include "sluice/executor/run/guarded_thread.h"
#include "sluice/executor/run/run.h"
#include "sluice/executor/run/run_progress.h"
#include "sluice/executor/stream/first_cause.h"

namespace sluice {

struct RunArguments {
  const Context& context;
  std::shared_ptr<Backupable> store;  // source or target
  std::shared_ptr<Destination> destination;
  const BackupRepo& repo;
  std::string kind;  // of the store
};

class JobRun {
 protected:
  JobRun(JobStore* jobs, Clock* clock, RunArguments arguments);

  // The first row, and what tells the progress from there on. `intended` has
  // the kind, the store, the backup and its base.
  absl::Status CreateJob(
      BackupJob intended, const absl::optional<BackupJob>& claimed,
      const std::function<void(const RunProgress&)>& on_progress);
  // The run's context ends the run until this is dropped.
  Context::Registration StopWithContext();
  absl::Status StartThread(std::function<void()> work,
                           ThreadScheduler* scheduler);
  // The progress and the warnings of `party` ("the source"), which had so long
  // to return.
  void FillTerminalRow(const std::vector<PayloadWarning>& warnings,
                       absl::string_view party, absl::Duration abandon_after);
  // A failure becomes a warning: the run's story stays.
  void WriteTerminalRow();

  JobStore* const jobs_;
  Clock* const clock_;
  const RunArguments arguments_;
  const std::shared_ptr<FirstCause> cause_;
  std::unique_ptr<GuardedThread> thread_;
  BackupJob job_;
  absl::optional<RunProgressReporter> progress_;
  bool abandoned_ = false;  // the store did not return
};

}  // namespace sluice

#endif  // SLUICE_EXECUTOR_RUN_JOB_RUN_H_
