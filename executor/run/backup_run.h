#ifndef SLUICE_EXECUTOR_RUN_BACKUP_RUN_H_
#define SLUICE_EXECUTOR_RUN_BACKUP_RUN_H_

// One attempt at a backup: the state of Executor::RunBackup, and its steps in
// the order of "Life of a backup" in ARCHITECTURE.md. Used once, on the
// caller's thread.

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "sluice/base/clock.h"
#include "sluice/executor/destination.h"
#include "sluice/executor/job_store.h"
#include "sluice/executor/models.pb.h"
#include "sluice/executor/run/job_run.h"
#include "sluice/executor/run/run.h"

namespace sluice {

class BackupRun final : private JobRun {
 public:
  // The arguments have been checked. Borrows the options.
  BackupRun(JobStore* jobs, Clock* clock, RunArguments arguments,
            std::string store_id, const RunBackupOptions& options);

  BackupResult Run();

 private:
  // Everything that the source's thread touches; it may outlive the run.
  struct SourceSide;

  absl::Status CreateStream();
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

  const std::string store_id_;
  const RunBackupOptions& options_;
  std::shared_ptr<SourceSide> side_;
  Manifest manifest_;
};

}  // namespace sluice

#endif  // SLUICE_EXECUTOR_RUN_BACKUP_RUN_H_
