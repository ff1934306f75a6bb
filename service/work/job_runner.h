#ifndef SLUICE_SERVICE_WORK_JOB_RUNNER_H_
#define SLUICE_SERVICE_WORK_JOB_RUNNER_H_

// Does what a claimed job asks for, from its request to its last row: opens
// source and repo, settles the base, sweeps, runs the executor. The command, a
// schedule and the API run a job by this alone.
//
// Example:
//
//   JobRunner runner(catalog, host, {.owner = "host/42"});
//   SLUICE_ASSIGN_OR_RETURN(const auto run,
//                           catalog->queue().Claim(context, {now}));
//   if (run.has_value()) runner.Run(context, *run);
//
// Any thread; runs at the same time share nothing but catalog and plugins. The
// job's last row is written whatever happens, under a deadline of its own; where
// even that fails the job is given up, and is dead for whoever looks next.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "sluice/base/clock.h"
#include "sluice/catalog/catalog.h"
#include "sluice/executor/backupable.h"
#include "sluice/executor/context.h"
#include "sluice/executor/executor.h"
#include "sluice/plugins/host/plugin_host.h"
#include "sluice/service/archive_choice.h"
#include "sluice/service/hooks/hooks.h"
#include "sluice/service/opened_repo.h"
#include "sluice/service/runner.h"

namespace sluice::service {

struct JobRunnerOptions {
  std::string owner;  // "host/pid", for people who look at what writes
  std::string host_name;
  // How long a store may take to return once its run was cancelled.
  absl::Duration abandon_after = absl::Milliseconds(1500);
  // Told of what a run passes over, such as a sweep that failed. May be empty.
  std::function<void(const BackupJob&, const absl::Status&)> on_problem;
  // Told when a run is to end before its time, and why: it was cancelled, or is
  // late. From any thread; must not block. May be empty.
  std::function<void(const BackupJob&, const absl::Status&)> on_ending;
  // Told how far a run is. May be empty.
  std::function<void(const BackupJob&, const RunProgress&)> on_progress;
  // Told of a store that did not return in time: a thread of it may still run.
  // May be empty.
  std::function<void(const BackupJob&)> on_abandoned;
};

class JobRunner {
 public:
  // Borrows catalog and host.
  JobRunner(Catalog* catalog, PluginHost* host, JobRunnerOptions options);

  // `run` is claimed by `catalog`, and ends with this call. Its end as it was
  // stored, or as it would have been.
  absl::Status Run(const Context& context, const QueuedRun& run);

 private:
  struct Work {
    const QueuedRun& run;
    RunOwner owner;
    OpenedRepo repo;
    std::vector<Warning> warnings = {};  // of its last row
  };

  absl::Status Perform(Work& work, bool& row_is_ended);
  absl::Status BackupBetweenHooks(Work& work, bool& row_is_ended);
  absl::Status Backup(Work& work, bool& row_is_ended);
  absl::Status Restore(Work& work, bool& row_is_ended);
  void NoteDamage(const Work& work, const RestoreResult& result);
  absl::Status Verify(Work& work);
  absl::Status Prune(Work& work);
  absl::Status Purge(Work& work);
  void PruneAfter(Work& work);
  absl::StatusOr<std::vector<ArchiveRow>> ArchivesOf(const Work& work);
  absl::StatusOr<absl::optional<Manifest>> BaseFor(const Work& work,
                                                   const StoreInfo& info,
                                                   const std::string& store_id);
  void EndRow(const Work& work, const absl::Status& status);
  void Tell(const BackupJob& job, const absl::Status& problem);

  Catalog* const catalog_;
  PluginHost* const host_;
  const JobRunnerOptions options_;
  HookTurns turns_;
};

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_WORK_JOB_RUNNER_H_
