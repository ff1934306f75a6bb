#ifndef SLUICE_SERVICE_WORK_PURGE_H_
#define SLUICE_SERVICE_WORK_PURGE_H_

// Forgets a repo together with its archives: each archive first, its record
// second, each increment before what it builds on, the repo's own row last and
// only where nothing of it is left. What is broken off loses nothing but the
// archives that are gone, and is done again from where it stands.
//
// Example:
//
//   SLUICE_RETURN_IF_ERROR(
//       CheckRepoIsFree(context, catalog, repo.row, job.id()));
//   SLUICE_ASSIGN_OR_RETURN(const PurgeReport report,
//                           PurgeRepo(context, catalog, repo, {job.id()}));
//   for (const KeptArchive& kept : report.kept) Print(kept.id, kept.status);
//   return report.problem;
//
// An archive is of the repo where the catalog has its record, or where its
// manifest names this repo and this catalog. All else that lies in the place,
// another catalog's archives too, stays, and holds nothing back.
//
// Blocks for repo and catalog; any thread, beside any other process.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/base/clock.h"
#include "sluice/catalog/catalog.h"
#include "sluice/executor/context.h"
#include "sluice/executor/models.pb.h"
#include "sluice/service/opened_repo.h"
#include "sluice/service/retention/retention.h"

namespace sluice::service {

// The warning of a purge's job for an archive that is not the repo's, which
// holds nothing back; for one that does it is kArchiveKept.
inline constexpr absl::string_view kArchiveOfOthers = "archive_of_others";

// repo_in_use, with their names, where a plan writes to the repo, or a job of
// it other than `job_id` is pending or running.
absl::Status CheckRepoIsFree(const Context& context, Catalog& catalog,
                             const BackupRepo& repo, absl::string_view job_id);

struct PurgeOptions {
  std::string job_id;  // the job that purges, which uses nothing
  Clock* clock = Clock::Real();
};

struct KeptArchive {
  std::string id;
  absl::Status status;  // why
};

struct PurgeReport {
  std::vector<std::string> removed;  // archives, or records of one that is gone
  std::vector<KeptArchive> kept;     // of the repo: it stays with them
  std::vector<KeptArchive> others;   // not of the repo: left alone
  // OK: the repo is forgotten. Else it is kept, and why: purge_incomplete
  // where all of `kept` are pinned, in use or the base of such, repo_in_use
  // where somebody came meanwhile, else the place's or the catalog's word.
  absl::Status problem;
};

// An error where nothing was removed: those of reading repo and catalog, and
// repo_in_use.
absl::StatusOr<PurgeReport> PurgeRepo(const Context& context, Catalog& catalog,
                                      const OpenedRepo& repo,
                                      const PurgeOptions& options);

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_WORK_PURGE_H_
