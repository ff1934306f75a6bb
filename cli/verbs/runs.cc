#include "sluice/cli/verbs/runs.h"

#include <xxhash.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "sluice/base/clock.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/cli/terminal/progress.h"
#include "sluice/cli/terminal/text.h"
#include "sluice/cli/verbs/optional_jobs.h"
#include "sluice/cli/verbs/run_report.h"

namespace sluice::cli {
namespace {

// The hooks that backup and restore have in common. `catalog` may be null.
template <typename Options>
void Watch(Session& session, Catalog* catalog, ProgressMeter* meter,
           Options& options) {
  options.abandon_after = kAbandonAfter;
  options.on_progress = [meter](const RunProgress& progress) {
    meter->Update(progress);
  };
  options.on_job_created = [catalog, &console = session.console(),
                            cancel = session.cancel()](const BackupJob& job) {
    // The callback may come while the run ends: it holds what it needs.
    if (catalog != nullptr) catalog->OnCancelRequested(job.id(), cancel);
    console.Log(LogLevel::kInfo, "job started",
                {{"job_id", job.id()}, {"backup_id", job.backup_id()}});
  };
}

}  // namespace

BackupResult RunBackup(Session& session, const OpenedRepo& repo,
                       const std::shared_ptr<Backupable>& source,
                       absl::string_view source_uri, absl::string_view store_id,
                       const Manifest* base, const BackupWishes& wishes) {
  const absl::StatusOr<Catalog*> catalog = session.catalog();
  if (!catalog.ok()) return {catalog.status(), {}, {}, {}};
  ProgressMeter meter(&session.console(), Clock::Real(), "backup",
                      session.wants_progress());
  RunBackupOptions options;
  Watch(session, *catalog, &meter, options);
  options.base = base;
  options.origin = {HostName(), std::string(source_uri),
                    session.command().Get("label")};
  options.allow_empty = wishes.allow_empty;
  options.read_back = wishes.read_back;
  options.on_read_back = [&session](uint64_t bytes, absl::Duration took) {
    session.console().Note(
        absl::StrCat("read back and compared ", AmountText(bytes, took)));
  };
  options.before_publish = [&session, &catalog](const BackupJob& job) {
    return (*catalog)->BeginPublish(session.context(), job.id());
  };
  const Executor executor(*catalog, Clock::Real());
  return executor.RunBackup(session.context(), source, repo.destination,
                            repo.row, store_id, source->store_kind(), options);
}

RestoreResult RunRestore(Session& session, const OpenedRepo& repo,
                         const std::shared_ptr<Backupable>& target,
                         absl::string_view backup_id,
                         absl::string_view from_store) {
  Catalog* const catalog = session.CatalogIfUsable();
  OptionalJobs jobs(catalog, [&session](const absl::Status& status) {
    session.NoteCatalogUnusable(status);
  });
  ProgressMeter meter(&session.console(), Clock::Real(), "restore",
                      session.wants_progress());
  RunRestoreOptions options;
  Watch(session, catalog, &meter, options);
  options.from_store_id = std::string(from_store);
  const Executor executor(&jobs, Clock::Real());
  return executor.RunRestore(session.context(), target, repo.destination,
                             repo.row, backup_id, options);
}

namespace {

// The backups whose jobs have ended without an archive. Where nobody could tell
// whether there is one, reconcile looks.
absl::StatusOr<std::set<std::string>> EndedBackups(
    Session& session, Catalog& catalog, const CatalogFilter& filter) {
  SLUICE_ASSIGN_OR_RETURN(const std::vector<CatalogJob> jobs,
                          catalog.ListJobs(session.context(), filter));
  std::set<std::string> ended;
  for (const CatalogJob& listed : jobs) {
    const BackupJob& job = listed.job;
    if (job.kind() == BackupJob::BACKUP && IsTerminal(job) &&
        job.status() != BackupJob::SUCCEEDED &&
        job.error_code() != kPublishOutcomeUnknown) {
      ended.insert(job.backup_id());
    }
  }
  return ended;
}

}  // namespace

absl::StatusOr<SweepReport> SweepWithCatalog(Session& session,
                                             const OpenedRepo& repo,
                                             bool take_lost) {
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  CatalogFilter filter;
  filter.repo_id = repo.row.id();
  SLUICE_ASSIGN_OR_RETURN(const std::vector<BackupRecord> records,
                          catalog->ListRecords(session.context(), filter));
  std::set<std::string> recorded;
  for (const BackupRecord& record : records) recorded.insert(record.id());
  SLUICE_ASSIGN_OR_RETURN(const std::set<std::string> ended,
                          EndedBackups(session, *catalog, filter));
  SweepOptions options;
  options.take_lost = take_lost;
  options.has_ended = [&ended](absl::string_view id) {
    return ended.find(std::string(id)) != ended.end();
  };
  options.is_recorded = [&recorded](absl::string_view id) {
    return recorded.find(std::string(id)) != recorded.end();
  };
  return repo.destination->Sweep(session.context(), options);
}

void SweepBeforeBackup(Session& session, const OpenedRepo& repo) {
  const absl::StatusOr<SweepReport> report =
      SweepWithCatalog(session, repo, /*take_lost=*/false);
  Console& console = session.console();
  if (!report.ok()) {
    console.Log(LogLevel::kWarning, "sweep failed",
                {{"repo", repo.label()},
                 {"error_code", ErrorCodeOf(report.status())},
                 {"error", std::string(report.status().message())}});
    return;
  }
  for (const absl::Status& problem : report->problems) {
    console.Log(LogLevel::kWarning, "sweep passed over",
                {{"repo", repo.label()},
                 {"error_code", ErrorCodeOf(problem)},
                 {"error", std::string(problem.message())}});
  }
  for (const std::string& id : report->lost) {
    console.Log(LogLevel::kWarning, "archive without a manifest left alone",
                {{"repo", repo.label()}, {"backup_id", id}});
  }
  if (report->objects_deleted + report->uploads_aborted == 0) return;
  console.Log(LogLevel::kInfo, "swept",
              {{"repo", repo.label()},
               {"objects", report->objects_deleted},
               {"bytes", report->bytes_deleted},
               {"uploads", report->uploads_aborted}});
}

std::string StoreIdFromUri(absl::string_view kind, absl::string_view uri) {
  return absl::StrCat(
      kind, "-", absl::StrFormat("%016x", XXH3_64bits(uri.data(), uri.size())));
}

}  // namespace sluice::cli
