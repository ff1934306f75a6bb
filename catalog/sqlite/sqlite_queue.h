#ifndef SLUICE_CATALOG_SQLITE_SQLITE_QUEUE_H_
#define SLUICE_CATALOG_SQLITE_SQLITE_QUEUE_H_

// The JobQueue over a SqliteDatabase, which it borrows.

#include <functional>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "sluice/base/clock.h"
#include "sluice/catalog/job_queue.h"
#include "sluice/catalog/lease.h"
#include "sluice/catalog/sqlite/sqlite.h"
#include "sluice/executor/context.h"

namespace sluice {

class SqliteQueue final : public JobQueue {
 public:
  // Writes the lease of a job that is claimed in the transaction that is on.
  using BeginLease = std::function<absl::StatusOr<Lease>(SqliteConnection&,
                                                         absl::string_view)>;
  // Holds the job from now on: the transaction was committed.
  using Hold = std::function<void(const Lease&)>;

  SqliteQueue(SqliteDatabase* database, Clock* clock, BeginLease begin_lease,
              Hold hold)
      : database_(database),
        clock_(clock),
        begin_lease_(std::move(begin_lease)),
        hold_(std::move(hold)) {}

  absl::StatusOr<QueuedRun> Enqueue(const Context& context,
                                    const QueuedRun& run) override;
  absl::StatusOr<JobRequest> GetRequest(const Context& context,
                                        absl::string_view job_id) override;
  absl::StatusOr<absl::optional<QueuedRun>> Claim(
      const Context& context, const ClaimOptions& options) override;
  absl::StatusOr<absl::Time> NextNotBefore(const Context& context) override;
  absl::StatusOr<size_t> EndUnclaimed(const Context& context,
                                      absl::Time now) override;
  absl::StatusOr<std::vector<QueuedRun>> ListWaiting(const Context& context,
                                                     absl::Time now) override;
  absl::Status EndPending(const Context& context, absl::string_view job_id,
                          const absl::Status& cause, absl::Time now) override;
  absl::StatusOr<size_t> DeleteJobs(const Context& context,
                                    absl::Time ended_before) override;

 private:
  SqliteDatabase* const database_;
  Clock* const clock_;
  const BeginLease begin_lease_;
  const Hold hold_;
};

}  // namespace sluice

#endif  // SLUICE_CATALOG_SQLITE_SQLITE_QUEUE_H_
