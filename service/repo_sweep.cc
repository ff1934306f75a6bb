#include "sluice/service/repo_sweep.h"

#include <set>
#include <string>
#include <vector>

#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"

namespace sluice::service {
namespace {

// The backups whose jobs have ended without an archive. Where nobody could tell
// whether there is one, reconcile looks.
absl::StatusOr<std::set<std::string>> EndedBackups(
    const Context& context, Catalog& catalog, const CatalogFilter& filter) {
  SLUICE_ASSIGN_OR_RETURN(const std::vector<CatalogJob> jobs,
                          catalog.ListJobs(context, filter));
  std::set<std::string> ended;
  for (const CatalogJob& listed : jobs) {
    const BackupJob& job = listed.job;
    if (job.kind() == BackupJob::BACKUP && IsTerminal(job) &&
        !job.backup_id().empty() && job.status() != BackupJob::SUCCEEDED &&
        job.error_code() != kPublishOutcomeUnknown) {
      ended.insert(job.backup_id());
    }
  }
  return ended;
}

}  // namespace

absl::StatusOr<SweepReport> SweepRepo(const Context& context, Catalog& catalog,
                                      const OpenedRepo& repo, bool take_lost) {
  CatalogFilter filter;
  filter.repo_id = repo.row.id();
  SLUICE_ASSIGN_OR_RETURN(const std::vector<BackupRecord> records,
                          catalog.ListRecords(context, filter));
  std::set<std::string> recorded;
  for (const BackupRecord& record : records) recorded.insert(record.id());
  SLUICE_ASSIGN_OR_RETURN(const std::set<std::string> ended,
                          EndedBackups(context, catalog, filter));
  SweepOptions options;
  options.take_lost = take_lost;
  options.has_ended = [&ended](absl::string_view id) {
    return ended.find(std::string(id)) != ended.end();
  };
  options.is_recorded = [&recorded](absl::string_view id) {
    return recorded.find(std::string(id)) != recorded.end();
  };
  return repo.destination->Sweep(context, options);
}

}  // namespace sluice::service
