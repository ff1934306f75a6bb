#ifndef SLUICE_CATALOG_SQLITE_PLAN_ROWS_H_
#define SLUICE_CATALOG_SQLITE_PLAN_ROWS_H_

// Plans, targets, firings and requests as rows. Each function is part of its
// caller's transaction; errors are those of sqlite.h, and catalog_unavailable
// for a row that holds no JSON of its message.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "sluice/catalog/job_queue.h"
#include "sluice/catalog/plan.pb.h"
#include "sluice/catalog/plan_store.h"
#include "sluice/catalog/sqlite/sqlite.h"

namespace sluice {

// Inserts or replaces.
absl::Status PutPlan(SqliteConnection& connection, const Plan& plan);
absl::StatusOr<absl::optional<Plan>> ReadPlan(SqliteConnection& connection,
                                              absl::string_view id);
absl::StatusOr<std::vector<Plan>> ReadPlans(SqliteConnection& connection);

// The rest of a SELECT ("WHERE … ORDER BY …") with its parameters.
struct RowQuery {
  std::string rest;
  std::vector<std::string> texts = {};  // bound before
  std::vector<int64_t> integers = {};   // these
};

absl::StatusOr<std::vector<PlanTarget>> ReadTargets(
    SqliteConnection& connection, const RowQuery& query);

absl::Status PutFiring(SqliteConnection& connection, const Firing& firing);
absl::StatusOr<absl::optional<Firing>> ReadFiring(SqliteConnection& connection,
                                                  absl::string_view plan_id,
                                                  absl::string_view repo_id,
                                                  absl::Time due_at);
absl::StatusOr<std::vector<Firing>> ReadFirings(SqliteConnection& connection,
                                                const RowQuery& query);

// Inserts both rows, and tells of it.
absl::Status PutQueuedRun(SqliteConnection& connection, const QueuedRun& run,
                          absl::Time at);
absl::StatusOr<absl::optional<JobRequest>> ReadRequest(
    SqliteConnection& connection, absl::string_view job_id);
// The pending or running job that a run like this one would meet; empty: none.
absl::StatusOr<std::string> JobOfSameKey(SqliteConnection& connection,
                                         const QueuedRun& run);

// The job that is to delete the repo: one that waits and may still begin, else
// one that runs; empty: there is none.
absl::StatusOr<std::string> PurgeOf(SqliteConnection& connection,
                                    const std::string& repo_id, absl::Time now);
// repo_in_use: nothing is backed up into a repo that is about to go.
absl::Status PurgeInTheWay(absl::string_view job_id);

}  // namespace sluice

#endif  // SLUICE_CATALOG_SQLITE_PLAN_ROWS_H_
