#ifndef SLUICE_SERVICE_WORK_PRUNE_H_
#define SLUICE_SERVICE_WORK_PRUNE_H_

// Removes from a repo what its plans' rules do not want: the archive first, its
// record second, each increment before what it builds on. What is broken off
// leaves whole archives, and the next pass goes on: it forgets the record of an
// archive under whose name stands that it was deleted.
//
// Example:
//
//   SLUICE_ASSIGN_OR_RETURN(const PruneReport report,
//                           PruneRepo(context, catalog, repo,
//                                     {.plan_id = plan.id(), .dry_run = true}));
//   for (const PrunedGroup& group : report.groups) Print(group.decision);
//
// Blocks for repo and catalog; any thread, and any number of processes at once:
// an archive that somebody deletes meanwhile is gone, which was wanted. Errors
// are those of reading repo and catalog; what one archive alone refuses is
// PruneReport::problem.

#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "sluice/base/clock.h"
#include "sluice/catalog/catalog.h"
#include "sluice/executor/context.h"
#include "sluice/service/archive_choice.h"
#include "sluice/service/opened_repo.h"
#include "sluice/service/retention/retention.h"

namespace sluice::service {

struct PruneOptions {
  std::string plan_id;  // only its archives; empty: those of all plans
  std::string job_id;   // the job that prunes, which uses nothing
  bool dry_run = false;
  // What came back from a repo may be removed from now on; with `dry_run`: what
  // would be removed then.
  bool accept_adopted = false;
  Clock* clock = Clock::Real();
};

struct PrunedGroup {
  std::string plan_id;
  std::string plan_name;
  std::string store_id;
  RetentionDecision decision;
};

struct PruneReport {
  std::vector<PrunedGroup> groups;
  std::vector<std::string> removed;
  std::vector<std::string> failed;
  absl::Status problem;  // of the first of `failed`
};

absl::StatusOr<PruneReport> PruneRepo(const Context& context, Catalog& catalog,
                                      const OpenedRepo& repo,
                                      const PruneOptions& options);

// The archives of the repo as retention sees them, by plan and store, what is
// being read or built on by any job but `job_id` marked. One that the catalog
// has no record of was adopted or made by hand: it is of no plan.
absl::StatusOr<std::vector<RetentionGroup>> GroupsOf(
    const Context& context, Catalog& catalog, const OpenedRepo& repo,
    const std::vector<ArchiveRow>& archives, const std::string& job_id);

// Deletes the archive, then its record.
absl::Status RemoveArchive(const Context& context, Catalog& catalog,
                           const OpenedRepo& repo, const std::string& id);

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_WORK_PRUNE_H_
