#include "sluice/cli/verbs/follow.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "sluice/base/clock.h"
#include "sluice/base/error.h"
#include "sluice/base/mutex.h"
#include "sluice/base/status_macros.h"
#include "sluice/catalog/settle.h"
#include "sluice/cli/terminal/progress.h"
#include "sluice/cli/terminal/text.h"
#include "sluice/cli/verbs/run_report.h"
#include "sluice/cli/verbs/runs.h"
#include "sluice/cli/views/job_view.h"
#include "sluice/service/engine/presence.h"
#include "sluice/service/work/job_runner.h"

namespace sluice::cli {
namespace {

constexpr absl::Duration kLook = absl::Milliseconds(250);

// For what is still to be read of a run that was told to end.
Context AfterTheRun() {
  return Context::WithTimeout(Context::Background(), Clock::Real(),
                              kCatalogPatience)
      .first;
}

// False: the session's context has ended.
bool WaitALittle(const Session& session) {
  Mutex mutex;
  CondVar ended;
  const Context::Registration told =
      session.context().OnDone([&](const absl::Status&) {
        MutexLock lock(mutex);
        ended.NotifyAll();
      });
  MutexLock lock(mutex);
  if (!session.context().done()) Clock::Real()->WaitFor(ended, lock, kLook);
  return !session.context().done();
}

absl::Duration TookBy(const BackupJob& job) {
  return absl::Milliseconds(job.finished_at_ms() - job.started_at_ms());
}

std::string RepoLabel(Catalog& catalog, const std::string& repo_id) {
  const absl::StatusOr<BackupRepo> repo =
      catalog.GetRepo(AfterTheRun(), repo_id);
  return repo.ok() ? repo->name() : repo_id;
}

Outcome ReportSuccess(Session& session, Catalog& catalog,
                      const BackupJob& job) {
  absl::optional<BackupRecord> record;
  if (!job.record_id().empty()) {
    const auto found = catalog.GetRecord(AfterTheRun(), job.record_id());
    if (found.ok()) record = *found;
  }
  return ReportSucceeded(session, job, record,
                         RepoLabel(catalog, job.repo_id()));
}

Outcome Report(Session& session, Catalog& catalog, const BackupJob& job) {
  if (job.status() != BackupJob::SUCCEEDED) return {ErrorOfJob(job), job};
  return ReportSuccess(session, catalog, job);
}

// Nobody runs it any more, and nobody but reconcile can say how it ended.
absl::Status DeadError(const BackupJob& job) {
  return WithHint(MakeError(absl::StatusCode::kAborted, kProcessDied,
                            absl::StrCat("the process of job ", job.id(),
                                         " ended before the job did")),
                  "`sluice reconcile` sees in the repo what became of it");
}

absl::Status Detached(const Session& session, const std::string& job_id) {
  return WithHint(session.context().status(),
                  absl::StrCat("the job goes on; `sluice job wait ", job_id,
                               "` waits for it again"));
}

void LogProblem(Console& console, const BackupJob& job,
                const absl::Status& problem) {
  console.Log(LogLevel::kWarning, "passed over",
              {{"job_id", job.id()},
               {"error_code", ErrorCodeOf(problem)},
               {"error", std::string(problem.message())}});
}

}  // namespace

Outcome ReportSucceeded(Session& session, const BackupJob& job,
                        const absl::optional<BackupRecord>& record,
                        absl::string_view repo) {
  Console& console = session.console();
  NoteWarnings(console, job.warnings());
  if (console.json()) {
    console.ResultJson({{"record", ToJson(record)}, {"job", ToJson(job)}});
  } else if (record.has_value()) {
    PrintRecord(console, repo, *record, TookBy(job));
  } else {
    console.Done(absl::StrCat(job.id(), " succeeded  ", KindName(job.kind()),
                              job.backup_id().empty() ? "" : " of ",
                              job.backup_id(), "\n"));
  }
  Outcome outcome;
  if (job.warnings_size() > 0) outcome.code = ExitCode::kWarnings;
  return outcome;
}

Outcome FollowJob(Session& session, const std::string& job_id) {
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  ProgressMeter meter(&session.console(), Clock::Real(), "job",
                      session.wants_progress());
  bool told = false;
  bool settled = false;
  do {
    absl::StatusOr<CatalogJob> row = catalog->GetJob(session.context(), job_id);
    if (session.context().done()) break;
    SLUICE_RETURN_IF_ERROR(row.status());
    const BackupJob& job = row->job;
    if (IsTerminal(job)) {
      meter.Finish();
      return Report(session, *catalog, job);
    }
    meter.Update(job.stage(), job.bytes_done(), job.bytes_estimated());
    if (job.status() == BackupJob::PENDING && !told) {
      told = true;
      const auto there = service::NodePresence::AnyIsThere(
          session.context(), *catalog, *Clock::Real());
      if (there.ok() && !*there) {
        session.console().Note(
            "the job waits, and no `sluice serve` is there to begin it");
      }
    }
    if (job.status() == BackupJob::RUNNING && !row->live && row->owner_ended) {
      if (std::exchange(settled, true)) return {DeadError(job), job};
      SettleDeadJobs(session.context(), *catalog, {}).IgnoreError();
    }
  } while (WaitALittle(session));
  return Detached(session, job_id);
}

Outcome RunQueuedHere(Session& session, const QueuedRun& run) {
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  SLUICE_ASSIGN_OR_RETURN(PluginHost* const host, session.host());
  Console& console = session.console();
  const std::string& id = run.job.id();
  absl::optional<QueuedRun> claimed;
  while (true) {
    SLUICE_ASSIGN_OR_RETURN(
        claimed, catalog->queue().Claim(session.context(),
                                        {Clock::Real()->Now(), 0, id}));
    if (claimed.has_value()) break;
    SLUICE_ASSIGN_OR_RETURN(const CatalogJob row,
                            catalog->GetJob(session.context(), id));
    if (row.job.status() != BackupJob::PENDING) return FollowJob(session, id);
    if (WaitALittle(session)) continue;
    catalog->RequestCancel(AfterTheRun(), id).IgnoreError();
    return session.context().status();
  }
  bool abandoned = false;
  ProgressMeter meter(&console, Clock::Real(), "backup",
                      session.wants_progress());
  service::JobRunnerOptions options;
  options.owner = Owner();
  options.host_name = HostName();
  options.abandon_after = kAbandonAfter;
  options.on_problem = [&](const BackupJob& job, const absl::Status& problem) {
    LogProblem(console, job, problem);
  };
  options.on_progress = [&](const BackupJob&, const RunProgress& progress) {
    meter.Update(progress);
  };
  options.on_abandoned = [&](const BackupJob&) { abandoned = true; };
  // So that whoever supervises this process knows that it is to end.
  options.on_ending = [cancel = session.cancel()](const BackupJob&,
                                                  const absl::Status& cause) {
    cancel(cause);
  };
  console.Log(LogLevel::kInfo, "job started", {{"job_id", id}});
  const absl::Status status = service::JobRunner(catalog, host, options)
                                  .Run(session.context(), *claimed);
  meter.Finish();
  const absl::StatusOr<CatalogJob> ended = catalog->GetJob(AfterTheRun(), id);
  const BackupJob& job = ended.ok() ? ended->job : claimed->job;
  LogJobFinished(console, RepoLabel(*catalog, job.repo_id()), job, status,
                 TookBy(job));
  if (!status.ok()) return {status, job, abandoned};
  SLUICE_RETURN_IF_ERROR(ended.status());
  return ReportSuccess(session, *catalog, job);
}

}  // namespace sluice::cli
