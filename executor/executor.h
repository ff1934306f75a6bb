#ifndef SLUICE_EXECUTOR_EXECUTOR_H_
#define SLUICE_EXECUTOR_EXECUTOR_H_

// One backup attempt, or one restore, end to end.
//
//   Executor executor(&job_store, Clock::Real());
//   BackupRepo repo;
//   repo.set_id("nightly");
//   BackupResult result = executor.RunBackup(Context::Background(), store,
//   destination, repo, "orders", "memory", {}); if (!result.status.ok())
//   LOG(result.job->error());    // result.record is empty
//
// A record is present only on success. The job is present from the moment it
// was created, also on failure. Neither before.
//
// Thread-safe; concurrent runs share no mutable state. A run blocks its caller,
// starts two threads (source, hash) and uses `pipe` memory.

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "sluice/base/clock.h"
#include "sluice/executor/backupable.h"
#include "sluice/executor/context.h"
#include "sluice/executor/destination.h"
#include "sluice/executor/job_store.h"
#include "sluice/executor/models.pb.h"
#include "sluice/executor/pipe.h"

namespace sluice {

struct RunProgress {
  absl::string_view
      stage;  // "starting", "streaming", "publishing", "recording", "done"
  uint32_t percent = 0;
  uint64_t bytes_done = 0;
  uint64_t bytes_estimated = 0;  // 0: not known
};

struct RunBackupOptions {
  // Called on the caller's thread once the job exists, before any payload. Must
  // not call back into the run.
  std::function<void(const BackupJob&)> on_job_created;
  // Called right before the manifest is committed: a catalog checks its lease
  // for the last time. An error stops the publish.
  std::function<absl::Status(const BackupJob&)> before_publish;
  // Called from a thread of the run, at most every 100 ms and at each stage.
  // Must not block.
  std::function<void(const RunProgress&)> on_progress;
  // An archive of no bytes and no counts is a failure unless this is set.
  bool allow_empty = false;
  // The manifest to build an increment on; null: a full backup. Borrowed.
  const Manifest* base = nullptr;
  PipeOptions pipe;
  // How long a source may take to return after its run was cancelled before it
  // is abandoned.
  absl::Duration abandon_after = absl::Seconds(2);
  // Folder for the spool of payload ids; empty: $TMPDIR or /tmp.
  std::string scratch_dir;
};

struct BackupResult {
  absl::Status status;
  absl::optional<BackupRecord> record;
  absl::optional<BackupJob> job;
  // Present with the record.
  absl::optional<Manifest> manifest;
  // The source did not return in time: a thread of it lives on. A command
  // leaves by _exit, a service gives this source no new run.
  bool source_abandoned = false;
};

struct RunRestoreOptions {
  std::function<void(const BackupJob&)> on_job_created;
  std::function<void(const RunProgress&)> on_progress;
  // The guard: the store id that the archive must have. Empty: the target's own
  // id, if it has one, must be the archive's.
  std::string from_store_id;
  absl::Duration abandon_after = absl::Seconds(2);
};

struct RestoreResult {
  absl::Status status;
  absl::optional<BackupJob> job;
  absl::optional<Manifest> manifest;
  // As in BackupResult, of the target.
  bool source_abandoned = false;
};

class Executor {
 public:
  // Borrows both; they must outlive every run.
  Executor(JobStore* jobs, Clock* clock);

  // `store_kind` is [a-z][a-z0-9_]{0,31} and the source's; no id is empty, no
  // pointer null: else INVALID_ARGUMENT, and neither job nor record.
  BackupResult RunBackup(const Context& context,
                         std::shared_ptr<Backupable> source,
                         std::shared_ptr<Destination> destination,
                         const BackupRepo& repo, absl::string_view store_id,
                         absl::string_view store_kind,
                         const RunBackupOptions& options) const;

  // Restores archive `backup_id` (with its chain of bases) into the empty store
  // `target`.
  RestoreResult RunRestore(const Context& context,
                           std::shared_ptr<Backupable> target,
                           std::shared_ptr<Destination> destination,
                           const BackupRepo& repo, absl::string_view backup_id,
                           const RunRestoreOptions& options) const;

 private:
  JobStore* const jobs_;
  Clock* const clock_;
};

}  // namespace sluice

#endif  // SLUICE_EXECUTOR_EXECUTOR_H_
