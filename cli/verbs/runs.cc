#include "sluice/cli/verbs/runs.h"

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "sluice/base/clock.h"
#include "sluice/base/error.h"
#include "sluice/cli/terminal/progress.h"
#include "sluice/cli/terminal/text.h"
#include "sluice/cli/verbs/run_report.h"
#include "sluice/service/repo_sweep.h"
#include "sluice/service/runner.h"

namespace sluice::cli {
namespace {

service::RunOwner OwnerOf(Session& session, ProgressMeter& meter) {
  service::RunOwner owner{session.context(), session.cancel()};
  owner.abandon_after = kAbandonAfter;
  owner.on_progress = [&meter](const RunProgress& progress) {
    meter.Update(progress);
  };
  owner.on_job_created = [&console = session.console()](const BackupJob& job) {
    console.Log(LogLevel::kInfo, "job started",
                {{"job_id", job.id()}, {"backup_id", job.backup_id()}});
  };
  return owner;
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
  service::BackupRequest request;
  request.source = source;
  request.store_id = std::string(store_id);
  request.origin = {HostName(), std::string(source_uri),
                    session.command().Get("label")};
  request.base = base;
  request.allow_empty = wishes.allow_empty;
  request.read_back = wishes.read_back;
  request.on_read_back = [&session](uint64_t bytes, absl::Duration took) {
    session.console().Note(
        absl::StrCat("read back and compared ", AmountText(bytes, took)));
  };
  return service::RunBackup(OwnerOf(session, meter), **catalog, repo, request);
}

RestoreResult RunRestore(Session& session, const OpenedRepo& repo,
                         const std::shared_ptr<Backupable>& target,
                         absl::string_view backup_id,
                         absl::string_view from_store) {
  Catalog* const catalog = session.CatalogIfUsable();
  ProgressMeter meter(&session.console(), Clock::Real(), "restore",
                      session.wants_progress());
  return service::RunRestore(
      OwnerOf(session, meter), catalog, repo,
      {{}, target, std::string(backup_id), std::string(from_store)},
      [&session](const absl::Status& status) {
        session.NoteCatalogUnusable(status);
      });
}

void SweepBeforeBackup(Session& session, const OpenedRepo& repo) {
  const absl::StatusOr<Catalog*> catalog = session.catalog();
  const absl::StatusOr<SweepReport> report =
      catalog.ok() ? service::SweepRepo(session.context(), **catalog, repo)
                   : catalog.status();
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

}  // namespace sluice::cli
