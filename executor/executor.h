#ifndef SLUICE_EXECUTOR_EXECUTOR_H_
#define SLUICE_EXECUTOR_EXECUTOR_H_

// One backup attempt, or one restore, end to end.
//
// Example:
//
//   Executor executor(&job_store, Clock::Real());
//   BackupRepo repo;
//   repo.set_id("nightly");
//   BackupResult result = executor.RunBackup(
//       Context::Background(), source, destination, repo, "orders", "memory",
//       {});
//   if (!result.status.ok() && result.job.has_value()) {
//     std::cerr << result.job->error();  // result.record is empty
//   }
//
// A record is present only on success. The job is present from the moment it
// was created, also on failure. Neither before.
//
// A run shares its caller's process. A source or destination that ends it
// (exit, a crash, pthread_exit on the caller's thread) ends the caller, and one
// that never returns from a call to a place holds it: no library can promise
// more. Where that matters, run it in a child (base/child_process.h), as the
// command does; SettleDeadJobs and reconcile end the jobs that it leaves.
//
// Thread-safe; concurrent runs share no mutable state. A run blocks its caller
// and starts a thread for the source or target; the destination may start some
// of its own (an archive: one that hashes, one that renews the lease). Memory:
// what RunBackupOptions::pipe says, 8 MiB by default, and what the two parties
// use.
//
// Ownership: source and destination are shared with the run, and with a
// source's thread that was abandoned; all else is borrowed for the call.
//
// Errors: INVALID_ARGUMENT before anything is begun; the job store's where the
// job cannot be created; else the first cause, with its word of base/error.h.

#include <memory>

#include "absl/strings/string_view.h"
#include "sluice/base/clock.h"
#include "sluice/executor/backupable.h"
#include "sluice/executor/context.h"
#include "sluice/executor/destination.h"
#include "sluice/executor/job_store.h"
#include "sluice/executor/models.pb.h"
#include "sluice/executor/run/run.h"

namespace sluice {

// Is `kind` one that a store may have: [a-z][a-z0-9_]{0,31}?
bool IsStoreKind(absl::string_view kind);

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
