#ifndef SLUICE_CATALOG_EVENT_LOG_H_
#define SLUICE_CATALOG_EVENT_LOG_H_

// What happened, in the order in which it was committed, and totals that
// outlive the rows they count. Both are written in the transaction that they
// tell of, so that neither can say what did not happen.
//
// Example:
//
//   absl::StatusOr<std::vector<CatalogEvent>> news =
//       events.Read(context, last_seen, 100);
//
// Thread-safe; every call blocks as those of Catalog do.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sluice/executor/context.h"

namespace sluice {

struct CatalogEvent {
  int64_t id = 0;  // grows, with gaps
  absl::Time at;
  // "job.queued", "job.started", "job.finished", "plan.created",
  // "plan.changed", "plan.removed", "schedule.skipped", "schedule.missed",
  // "schedule.failed" (no attempt of a due time is left), "hook.failed",
  // "backup.recorded", "backup.changed", "backup.removed", "repo.added",
  // "repo.changed", "repo.removed"
  std::string type;
  // Whom it concerns; empty: nobody of that kind.
  std::string plan_id;
  std::string repo_id;
  std::string job_id;
  std::string record_id;
  // Of a job its status, of a skipped or missed time the reason.
  std::string word;
};

// A counter. Which labels a metric has is its own affair.
struct CatalogTotal {
  // "runs" (label: the job's status), "run_seconds" (label: the bucket's upper
  // bound in seconds, "+Inf"), "run_milliseconds", "missed" (label: the
  // reason), "removed".
  std::string metric;
  std::string plan_id;
  std::string repo_id;
  std::string label;
  int64_t value = 0;
};

class EventLog {
 public:
  virtual ~EventLog() = default;

  // For what is in no row: all else is told of by whoever writes the row.
  virtual absl::Status Append(const Context& context,
                              const CatalogEvent& event) = 0;
  // Those after `after`, ascending, `limit` at most.
  virtual absl::StatusOr<std::vector<CatalogEvent>> Read(const Context& context,
                                                         int64_t after,
                                                         size_t limit) = 0;
  // The ids of the first and the last that are there; 0 and the last one ever
  // given where there is none.
  struct Range {
    int64_t first = 0;
    int64_t last = 0;
  };
  virtual absl::StatusOr<Range> Bounds(const Context& context) = 0;
  // Changes when another process has written. One small read of shared memory.
  virtual absl::StatusOr<int64_t> DataVersion(const Context& context) = 0;
  virtual absl::StatusOr<size_t> DeleteEvents(const Context& context,
                                              absl::Time before) = 0;

  virtual absl::StatusOr<std::vector<CatalogTotal>> Totals(
      const Context& context) = 0;
  // Adds to the counter, which begins at 0.
  virtual absl::Status AddToTotal(const Context& context,
                                  const CatalogTotal& by) = 0;
};

}  // namespace sluice

#endif  // SLUICE_CATALOG_EVENT_LOG_H_
