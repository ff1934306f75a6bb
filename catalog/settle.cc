#include "sluice/catalog/settle.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"

namespace sluice {
namespace {

// From BeginPublish on the archive may be there.
bool MayHavePublished(const BackupJob& job) {
  return job.kind() == BackupJob::BACKUP && job.stage() != "opening" &&
         job.stage() != "starting" && job.stage() != "streaming";
}

// Another process was faster, or its owner is back: not ours to end.
bool IsOthers(const absl::Status& status) {
  const std::string word = ErrorCodeOf(status);
  return word == kJobFinished || word == kBackupAlreadyRunning ||
         word == kPublishFenced || word == kJobNotFound;
}

absl::Status CauseOf(const BackupJob& job, bool seen,
                     const SettleOptions& options) {
  if (!seen || options.cause.ok()) {
    return MakeError(absl::StatusCode::kAborted, kProcessDied,
                     "the process that ran it has died");
  }
  if (!MayHavePublished(job)) return options.cause;
  return MakeError(
      absl::StatusCode::kAborted, kPublishOutcomeUnknown,
      absl::StrCat("ended while it published archive ", job.backup_id(), ": ",
                   options.cause.message()));
}

// Ends one job; false: it is not ours to end.
absl::StatusOr<bool> End(const Context& context, Catalog& catalog,
                         const BackupJob& job) {
  const absl::Status taken = catalog.TakeOver(context, job.id());
  if (IsOthers(taken)) return false;
  SLUICE_RETURN_IF_ERROR(taken);
  const absl::Status ended = catalog.UpdateBackupJob(context, job);
  if (!ended.ok()) catalog.Release(context, job.id()).IgnoreError();
  if (IsOthers(ended)) return false;
  SLUICE_RETURN_IF_ERROR(ended);
  return true;
}

BackupJob Interrupted(BackupJob job, const absl::Status& cause,
                      const Clock& clock) {
  job.set_status(BackupJob::INTERRUPTED);
  job.set_error(std::string(cause.message()));
  job.set_error_code(ErrorCodeOf(cause));
  job.set_finished_at_ms(absl::ToUnixMillis(clock.Now()));
  return job;
}

}  // namespace

absl::StatusOr<SettleReport> SettleDeadJobs(const Context& context,
                                            Catalog& catalog,
                                            const SettleOptions& options) {
  CatalogFilter filter;
  filter.unfinished_only = true;
  SLUICE_ASSIGN_OR_RETURN(std::vector<CatalogJob> jobs,
                          catalog.ListJobs(context, filter));
  jobs.erase(
      std::remove_if(jobs.begin(), jobs.end(),
                     [](const CatalogJob& job) { return !job.owner_ended; }),
      jobs.end());
  SettleReport report;
  if (jobs.empty()) return report;
  const auto [limited, stop] =
      Context::WithTimeout(context, options.clock, options.patience);
  for (const CatalogJob& entry : jobs) {
    const bool seen =
        options.pid != 0 && entry.lease->process.pid == options.pid;
    if (MayHavePublished(entry.job) && !seen) {
      report.left.push_back(entry.job);
      continue;
    }
    const BackupJob job = Interrupted(
        entry.job, CauseOf(entry.job, seen, options), *options.clock);
    SLUICE_ASSIGN_OR_RETURN(const bool ended, End(limited, catalog, job));
    if (!ended) continue;
    report.ended.push_back(job);
    if (seen) report.of_pid = job;
  }
  return report;
}

}  // namespace sluice
