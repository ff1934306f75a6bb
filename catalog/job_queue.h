#ifndef SLUICE_CATALOG_JOB_QUEUE_H_
#define SLUICE_CATALOG_JOB_QUEUE_H_

// Requests wait as pending jobs, whoever asked: a schedule, a person, a service.
// A worker claims one: the job is running then, under a lease of the catalog
// object that claimed it, and the executor's CreateBackupJob turns the row into
// that of its run.
//
// Example:
//
//   SLUICE_ASSIGN_OR_RETURN(
//       const absl::optional<QueuedRun> run,
//       queue.Claim(context, {.now = clock->Now()}));
//   if (run.has_value()) Perform(run->job, run->request);
//
// A pending job has no lease, and nobody takes it for dead. RequestCancel ends
// it at once; one that nobody claims in time ends as not_claimed.
//
// Thread-safe; every call blocks as those of Catalog do. Errors:
// backup_already_running, job_not_found, and those of Catalog.

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "sluice/catalog/plan_store.h"
#include "sluice/executor/context.h"
#include "sluice/executor/models.pb.h"

namespace sluice {

struct ClaimOptions {
  absl::Time now;
  // Running jobs that one repo may have at the same time; 0: any number.
  size_t per_repo = 0;
  // This one only, whoever's turn it is; empty: any.
  std::string job_id = {};
};

class JobQueue {
 public:
  virtual ~JobQueue() = default;

  // Stores the pending job and its request. Where a job of the same
  // idempotency key is there, that one is the answer and nothing is stored.
  // ALREADY_EXISTS (backup_already_running, JobInTheWay) while a backup of the
  // same plan, or of the same source without one, into that repo is pending or
  // running; FAILED_PRECONDITION (repo_in_use) for a backup while a purge of the
  // repo is.
  virtual absl::StatusOr<QueuedRun> Enqueue(const Context& context,
                                            const QueuedRun& run) = 0;
  virtual absl::StatusOr<JobRequest> GetRequest(const Context& context,
                                                absl::string_view job_id) = 0;
  // The pending job whose turn it is: of the plan with the fewest running jobs,
  // the one that may begin the longest. It is running (stage "opening") and
  // held by this object when this returns. None: nothing may begin now.
  virtual absl::StatusOr<absl::optional<QueuedRun>> Claim(
      const Context& context, const ClaimOptions& options) = 0;
  // The earliest time at which a pending job may begin; the infinite future
  // where none waits.
  virtual absl::StatusOr<absl::Time> NextNotBefore(const Context& context) = 0;
  // Ends pending jobs that may begin no more, as interrupted (not_claimed).
  // How many.
  virtual absl::StatusOr<size_t> EndUnclaimed(const Context& context,
                                              absl::Time now) = 0;
  // Pending jobs that may not begin until after `now`.
  virtual absl::StatusOr<std::vector<QueuedRun>> ListWaiting(
      const Context& context, absl::Time now) = 0;
  // Ends a pending job, as interrupted for `cause`; nothing where it is not
  // pending any more.
  virtual absl::Status EndPending(const Context& context,
                                  absl::string_view job_id,
                                  const absl::Status& cause,
                                  absl::Time now) = 0;
  // Deletes jobs that ended before `ended_before`, with their requests, but
  // those that an open firing still needs. How many.
  virtual absl::StatusOr<size_t> DeleteJobs(const Context& context,
                                            absl::Time ended_before) = 0;
};

// The id of the job that backup_already_running is about; empty: not said.
std::string JobInTheWay(const absl::Status& status);

}  // namespace sluice

#endif  // SLUICE_CATALOG_JOB_QUEUE_H_
