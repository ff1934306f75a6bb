#ifndef SLUICE_EXECUTOR_RUN_BACKUP_RUN_H_
#define SLUICE_EXECUTOR_RUN_BACKUP_RUN_H_

// One attempt at a backup: the state of Executor::RunBackup, and its steps in
// the order of "Life of a backup" in ARCHITECTURE.md. Used once, on the
// caller's thread.

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
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
#include "sluice/executor/stream/payload_stream.h"

namespace sluice {

class BackupRun {
 public:
  struct Arguments {
    const Context& context;
    std::shared_ptr<Backupable> source;
    std::shared_ptr<Destination> destination;
    const BackupRepo& repo;
    std::string store_id;
    std::string store_kind;
    const RunBackupOptions& options;
  };

  // The arguments have been checked.
  BackupRun(JobStore* jobs, Clock* clock, Arguments arguments);

  BackupResult Run();

 private:
  // Everything that the source's thread touches; it may outlive the run.
  struct SourceSide;

  absl::Status CreateStream();
  absl::Status CreateJob();
  void BeginManifest();
  // The indexes of the base's chain, full first; all of them or none.
  void OpenBaseIndexes();
  // Source into destination. OK: published, and read to its end.
  absl::Status Transfer();
  PutOptions PublishSteps();
  absl::Status BeforePublish();
  absl::Status Judge(const absl::Status& put);
  absl::Status CheckPublished() const;
  void AwaitSource();
  BackupRecord MakeRecord() const;
  BackupResult Succeed();
  BackupResult Fail(BackupJob::Status ended_as, const absl::Status& status);
  void CopyWarnings();
  // The terminal row. A failure becomes a warning: the run's story stays.
  void WriteTerminalRow();

  JobStore* const jobs_;
  Clock* const clock_;
  const Arguments arguments_;
  const std::shared_ptr<FirstCause> cause_;
  std::shared_ptr<SourceSide> side_;
  std::unique_ptr<GuardedThread> thread_;
  BackupJob job_;
  Manifest manifest_;
  absl::optional<RunProgressReporter> progress_;
  bool source_abandoned_ = false;
};

}  // namespace sluice

#endif  // SLUICE_EXECUTOR_RUN_BACKUP_RUN_H_
