#include "sluice/service/work/job_runner.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/catalog/catalog_error.h"
#include "sluice/executor/run/final_rows.h"
#include "sluice/executor/ulid.h"
#include "sluice/service/archives.h"
#include "sluice/service/base_choice.h"
#include "sluice/service/plan/plan_rules.h"
#include "sluice/service/repo_sweep.h"
#include "sluice/service/store_uri.h"
#include "sluice/service/work/open_repo.h"
#include "sluice/service/work/prune.h"
#include "sluice/service/work/purge.h"
#include "sluice/service/work/verify.h"

namespace sluice::service {
namespace {

// Who lost the place to another run of the same store was in nobody's fault.
absl::Status AsOverlap(const absl::Status& status) {
  if (ErrorCodeOf(status) != kBackupAlreadyRunning) return status;
  return WithCode(status, kOverlap);
}

bool EndsAsInterrupted(const absl::Status& status) {
  return status.code() == absl::StatusCode::kCancelled ||
         status.code() == absl::StatusCode::kDeadlineExceeded ||
         status.code() == absl::StatusCode::kAborted ||
         ErrorCodeOf(status) == kOverlap;
}

// When the full backup was made that `manifest` builds on in the end.
absl::Time FullBackupTime(const std::vector<ArchiveRow>& archives,
                          const Manifest& manifest) {
  const auto row = std::find_if(
      archives.begin(), archives.end(),
      [&](const ArchiveRow& r) { return r.id == manifest.backup_id(); });
  if (row == archives.end()) return absl::InfinitePast();
  const auto chain = ChainOf(archives, *row);
  if (!chain.ok() || chain->empty()) return absl::InfinitePast();
  // Ids order by the time of the snapshot.
  return TimeOfUlid(chain->front().id);
}

}  // namespace

JobRunner::JobRunner(Catalog* catalog, PluginHost* host,
                     JobRunnerOptions options)
    : catalog_(catalog), host_(host), options_(std::move(options)) {}

absl::Status JobRunner::Run(const Context& context, const QueuedRun& run) {
  const absl::Duration timeout =
      run.request.timeout_ms() > 0
          ? absl::Milliseconds(run.request.timeout_ms())
          : absl::InfiniteDuration();
  auto [limited, cancel] =
      timeout == absl::InfiniteDuration()
          ? Context::WithCancel(context)
          : Context::WithTimeout(context, Clock::Real(), timeout);
  catalog_->OnCancelRequested(run.job.id(), cancel);
  const Context::Registration ending =
      limited.OnDone([this, &run](const absl::Status& cause) {
        if (options_.on_ending) options_.on_ending(run.job, cause);
      });
  Work work{run, {limited, cancel}, {}};
  work.owner.abandon_after = options_.abandon_after;
  if (options_.on_progress) {
    work.owner.on_progress = [&](const RunProgress& progress) {
      options_.on_progress(run.job, progress);
    };
  }
  bool row_is_ended = false;
  const absl::Status status = AsOverlap(Perform(work, row_is_ended));
  if (!row_is_ended) EndRow(work, status);
  if (status.ok() && run.job.kind() == BackupJob::BACKUP) PruneAfter(work);
  return status;
}

absl::Status JobRunner::Perform(Work& work, bool& row_is_ended) {
  const BackupJob& job = work.run.job;
  const Context& context = work.owner.context;
  SLUICE_ASSIGN_OR_RETURN(const BackupRepo row,
                          catalog_->GetRepo(context, job.repo_id()));
  const RepoUse use =
      job.kind() == BackupJob::RESTORE || job.kind() == BackupJob::VERIFY
          ? RepoUse::kRead
          : RepoUse::kWrite;
  SLUICE_ASSIGN_OR_RETURN(
      work.repo, OpenKnownRepo(context, *host_, row, use, options_.owner));
  switch (job.kind()) {
    case BackupJob::BACKUP:
      return BackupBetweenHooks(work, row_is_ended);
    case BackupJob::RESTORE:
      return Restore(work, row_is_ended);
    case BackupJob::VERIFY:
      return Verify(work);
    case BackupJob::PRUNE:
      return Prune(work);
    case BackupJob::PURGE:
      return Purge(work);
    default:
      return MakeError(absl::StatusCode::kUnimplemented, kInvalidArgument,
                       absl::StrCat("this Sluice runs no job of kind ",
                                    BackupJob::Kind_Name(job.kind())));
  }
}

absl::StatusOr<std::vector<ArchiveRow>> JobRunner::ArchivesOf(
    const Work& work) {
  SLUICE_ASSIGN_OR_RETURN(const std::vector<BackupRecord> records,
                          RecordsOf(work.owner.context, *catalog_, work.repo));
  return LoadArchives(work.owner.context, work.repo, records);
}

// --- backup

absl::Status JobRunner::BackupBetweenHooks(Work& work, bool& row_is_ended) {
  const BackupJob& job = work.run.job;
  const Context& context = work.owner.context;
  if (job.plan_id().empty()) return Backup(work, row_is_ended);
  const absl::StatusOr<Plan> plan =
      catalog_->plans().GetPlan(context, job.plan_id());
  if (ErrorCodeOf(plan.status()) == kPlanNotFound) {
    return Backup(work, row_is_ended);
  }
  SLUICE_RETURN_IF_ERROR(plan.status());
  HookRun hooks(*plan, &turns_,
                [&](const absl::Status& problem) { Tell(job, problem); });
  HookEnvironment environment = {
      {"SLUICE_PLAN", plan->name()},     {"SLUICE_PLAN_ID", plan->id()},
      {"SLUICE_JOB_ID", job.id()},       {"SLUICE_REPO", work.repo.row.name()},
      {"SLUICE_REPO_ID", job.repo_id()},
  };
  absl::Status status = hooks.Before(context, environment);
  if (status.ok()) status = Backup(work, row_is_ended);
  const absl::Status after = hooks.After(environment, status);
  if (after.ok()) return status;
  // What was recorded is there, and its job's last row may be written: the
  // failure is an event of its own.
  Tell(job, after);
  CatalogEvent event;
  event.at = Clock::Real()->Now();
  event.type = "hook.failed";
  event.plan_id = job.plan_id();
  event.repo_id = job.repo_id();
  event.job_id = job.id();
  event.word = std::string(kHookFailed);
  const absl::Status told =
      FinalRows(Clock::Real()).Write([&](const Context& patience) {
        return catalog_->events().Append(patience, event);
      });
  if (!told.ok()) Tell(job, Annotate(told, "tell of a hook"));
  return status;
}

absl::StatusOr<absl::optional<Manifest>> JobRunner::BaseFor(
    const Work& work, const StoreInfo& info, const std::string& store_id) {
  const JobRequest& request = work.run.request;
  if (request.base().empty() || !info.increments) {
    return absl::optional<Manifest>();
  }
  SLUICE_ASSIGN_OR_RETURN(const std::vector<ArchiveRow> archives,
                          ArchivesOf(work));
  const absl::Time now = Clock::Real()->Now();
  SLUICE_ASSIGN_OR_RETURN(
      BaseChoice choice, ChooseBase(archives, {request.base(), store_id, now}));
  if (choice.base.has_value() && request.full_every_ms() > 0 &&
      FullBackupTime(archives, *choice.base) +
              absl::Milliseconds(request.full_every_ms()) <=
          now) {
    return absl::optional<Manifest>();
  }
  return std::move(choice.base);
}

absl::Status JobRunner::Backup(Work& work, bool& row_is_ended) {
  const JobRequest& request = work.run.request;
  const Context& context = work.owner.context;
  SLUICE_ASSIGN_OR_RETURN(const std::shared_ptr<Backupable> source,
                          host_->CreateSource(request.store()));
  SLUICE_ASSIGN_OR_RETURN(const UriFacts facts,
                          host_->ReadSourceUri(request.store()));
  SLUICE_ASSIGN_OR_RETURN(const StoreInfo info, source->Describe(context));
  SLUICE_ASSIGN_OR_RETURN(
      const std::string store_id,
      StoreIdOf(info, source->store_kind(), facts, request.store_id()));
  SLUICE_RETURN_IF_ERROR(CheckApart(facts, work.repo.paths));
  const auto swept = SweepRepo(context, *catalog_, work.repo);
  if (!swept.ok()) Tell(work.run.job, Annotate(swept.status(), "sweep"));
  SLUICE_ASSIGN_OR_RETURN(const absl::optional<Manifest> base,
                          BaseFor(work, info, store_id));
  BackupRequest backup;
  backup.claimed = work.run.job;
  backup.source = source;
  backup.store_id = store_id;
  backup.origin = {options_.host_name, facts.uri, request.label()};
  backup.base = base.has_value() ? &*base : nullptr;
  backup.allow_empty = request.allow_empty();
  backup.read_back = request.read_back();
  const BackupResult result =
      RunBackup(work.owner, *catalog_, work.repo, backup);
  row_is_ended = result.job.has_value();
  if (result.source_abandoned && options_.on_abandoned) {
    options_.on_abandoned(work.run.job);
  }
  return result.status;
}

// --- restore, verify, prune

absl::Status JobRunner::Restore(Work& work, bool& row_is_ended) {
  const JobRequest& request = work.run.request;
  SLUICE_ASSIGN_OR_RETURN(const std::shared_ptr<Backupable> target,
                          host_->CreateSource(request.store()));
  SLUICE_ASSIGN_OR_RETURN(const UriFacts facts,
                          host_->ReadSourceUri(request.store()));
  SLUICE_RETURN_IF_ERROR(CheckApart(facts, work.repo.paths));
  RestoreRequest restore;
  restore.claimed = work.run.job;
  restore.target = target;
  restore.backup_id = work.run.job.backup_id();
  restore.from_store = request.from_store();
  const RestoreResult result =
      RunRestore(work.owner, catalog_, work.repo, restore,
                 [&](const absl::Status& status) {
                   Tell(work.run.job, Annotate(status, "catalog"));
                 });
  row_is_ended = result.job.has_value();
  if (result.source_abandoned && options_.on_abandoned) {
    options_.on_abandoned(work.run.job);
  }
  if (ErrorCodeOf(result.status) == kArchiveDamaged) NoteDamage(work, result);
  if (result.status.ok() && result.manifest.has_value()) {
    const absl::Status noted =
        catalog_->SetVerified(work.owner.context, result.manifest->backup_id(),
                              BackupRecord::RESTORED, Clock::Real()->Now());
    if (!noted.ok()) Tell(work.run.job, Annotate(noted, "note the proof"));
  }
  return result.status;
}

// What a restore found, so that nobody takes the archive for a good one. Where
// the store saw it before our hashes did, they have the word.
void JobRunner::NoteDamage(const Work& work, const RestoreResult& result) {
  const Context& context = work.owner.context;
  const std::string& id = work.run.job.backup_id();
  absl::Status noted;
  if (!result.damaged_backup_id.empty()) {
    noted = catalog_->SetDamaged(context, result.damaged_backup_id,
                                 /*damaged=*/true);
  } else if (auto archives = ArchivesOf(work); archives.ok()) {
    const absl::Status verified =
        VerifyChain(context, *catalog_, work.repo, *archives, id);
    if (ErrorCodeOf(verified) != kArchiveDamaged) noted = verified;
  } else {
    noted = archives.status();
  }
  if (!noted.ok()) Tell(work.run.job, Annotate(noted, "note the damage"));
}

// Reads each archive that is named and all that it builds on; the catalog learns
// what was found.
absl::Status JobRunner::Verify(Work& work) {
  const Context& context = work.owner.context;
  SLUICE_ASSIGN_OR_RETURN(const std::vector<ArchiveRow> archives,
                          ArchivesOf(work));
  absl::Status first;
  std::set<std::string> whole;
  for (const std::string& id : work.run.request.backup_ids()) {
    const absl::Status verified =
        VerifyChain(context, *catalog_, work.repo, archives, id, &whole);
    if (first.ok()) first = verified;
    if (context.done()) return context.status();
  }
  return first;
}

// A plan's run ends with it; nothing that comes of it changes the run.
void JobRunner::PruneAfter(Work& work) {
  const BackupJob& job = work.run.job;
  if (job.plan_id().empty()) return;
  const auto plan =
      catalog_->plans().GetPlan(work.owner.context, job.plan_id());
  if (!plan.ok()) return;
  const absl::StatusOr<PlanRules> rules = RulesOf(*plan);
  if (!rules.ok() || rules->retention.keeps_everything()) return;
  const absl::Status pruned = Prune(work);
  if (!pruned.ok()) Tell(job, Annotate(pruned, "prune"));
}

absl::Status JobRunner::Prune(Work& work) {
  PruneOptions options;
  options.plan_id = work.run.job.plan_id();
  options.job_id = work.run.job.id();
  SLUICE_ASSIGN_OR_RETURN(
      const PruneReport report,
      PruneRepo(work.owner.context, *catalog_, work.repo, options));
  return report.problem;
}

absl::Status JobRunner::Purge(Work& work) {
  SLUICE_ASSIGN_OR_RETURN(
      const PurgeReport report,
      PurgeRepo(work.owner.context, *catalog_, work.repo, {work.run.job.id()}));
  const auto note = [&](absl::string_view code, const KeptArchive& archive) {
    Warning warning;
    warning.set_code(std::string(code));
    warning.set_message(
        absl::StrCat(archive.id, ": ", archive.status.message()));
    work.warnings.push_back(std::move(warning));
  };
  for (const KeptArchive& kept : report.kept) note(kArchiveKept, kept);
  for (const KeptArchive& other : report.others) note(kArchiveOfOthers, other);
  return report.problem;
}

// --- the last row

void JobRunner::EndRow(const Work& work, const absl::Status& status) {
  const BackupJob& job = work.run.job;
  BackupJob ended = job;
  for (const Warning& warning : work.warnings) *ended.add_warnings() = warning;
  ended.set_status(status.ok()                 ? BackupJob::SUCCEEDED
                   : EndsAsInterrupted(status) ? BackupJob::INTERRUPTED
                                               : BackupJob::FAILED);
  ended.set_stage("done");
  if (status.ok()) {
    ended.set_progress(100);
  } else {
    ended.set_error(std::string(status.message()));
    ended.set_error_code(ErrorCodeOf(status));
  }
  ended.set_finished_at_ms(absl::ToUnixMillis(Clock::Real()->Now()));
  const absl::Status written =
      FinalRows(Clock::Real()).Write([&](const Context& context) {
        return catalog_->UpdateBackupJob(context, ended);
      });
  if (written.ok() || ErrorCodeOf(written) == kJobFinished) return;
  Tell(job, Annotate(written, "the job's last row"));
  FinalRows(Clock::Real())
      .Write([&](const Context& context) {
        return catalog_->Release(context, job.id());
      })
      .IgnoreError();
}

void JobRunner::Tell(const BackupJob& job, const absl::Status& problem) {
  if (options_.on_problem) options_.on_problem(job, problem);
}

}  // namespace sluice::service
