#include "sluice/catalog/testing/attempt.h"

#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "sluice/base/status_macros.h"
#include "sluice/base/testing/fake_clock.h"
#include "sluice/catalog/catalog.h"
#include "sluice/catalog/sqlite/sqlite.h"
#include "sluice/catalog/sqlite/sqlite_catalog.h"
#include "sluice/catalog/testing/sqlite_vfs.h"
#include "sluice/executor/context.h"
#include "sluice/executor/models.pb.h"

namespace sluice {
namespace {

constexpr char kPath[] = "/state/catalog.db";

SqliteCatalogOptions OptionsFor(FileSystem& file_system, const SqliteVfs& vfs,
                                Clock& clock) {
  SqliteCatalogOptions options;
  options.path = kPath;
  options.clock = &clock;
  options.file_system = &file_system;
  options.vfs = vfs.name();
  options.exclusive = true;
  options.heartbeat = false;
  options.reserve_bytes = 512;
  return options;
}

BackupJob Job(const std::string& id) {
  BackupJob job;
  job.set_id(id);
  job.set_kind(BackupJob::BACKUP);
  job.set_status(BackupJob::RUNNING);
  job.set_repo_id("repo");
  job.set_store_id("store");
  job.set_backup_id("archive");
  job.set_plan_id("plan");
  job.add_warnings()->set_message("a warning");
  return job;
}

BackupRecord Record() {
  BackupRecord record;
  record.set_id("archive");
  record.set_repo_id("repo");
  record.set_job_id("job");
  record.add_warnings()->set_message("a warning");
  return record;
}

BackupJob Succeeded() {
  BackupJob job = Job("job");
  job.set_status(BackupJob::SUCCEEDED);
  job.set_record_id("archive");
  return job;
}

const absl::Time kDue = absl::FromUnixSeconds(1800000000);

absl::Status AddNightly(Catalog& catalog) {
  const Context context = Context::Background();
  BackupRepo repo;
  repo.set_id("repo");
  repo.set_name("repo");
  SLUICE_RETURN_IF_ERROR(catalog.AddRepo(context, repo));
  if (catalog.plans().GetPlan(context, "nightly").ok()) return absl::OkStatus();
  Plan plan;
  plan.set_id("plan");
  plan.set_name("nightly");
  plan.set_revision(1);
  PlanTarget target;
  target.repo_id = "repo";
  target.next_due = kDue;
  target.run_at = kDue;
  return catalog.plans().AddPlan(context, plan, {target});
}

// Fires the due time with the pending job `job_id`.
absl::StatusOr<FireResult> FireNightly(Catalog& catalog,
                                       const std::string& job_id) {
  FireStep step;
  step.plan_id = "plan";
  step.repo_id = "repo";
  step.expected_next_due = kDue;
  step.next_due = kDue + absl::Hours(24);
  step.run_at = step.next_due;
  step.now = kDue;
  step.run = Firing();
  step.run->plan_id = "plan";
  step.run->repo_id = "repo";
  step.run->due_at = kDue;
  step.run->job_id = job_id;
  step.job = QueuedRun();
  step.job->job = Job(job_id);
  step.job->job.set_status(BackupJob::PENDING);
  step.job->request.set_job_id(job_id);
  step.job->request.set_plan_id("plan");
  return catalog.plans().Fire(Context::Background(), step);
}

// What a look into the tables finds wrong.
std::string LookInside(FileSystem& file_system, const SqliteVfs& vfs) {
  SqliteOptions options;
  options.path = kPath;
  options.vfs = vfs.name();
  options.exclusive = true;
  auto database = SqliteDatabase::Open(options);
  if (!database.ok()) return database.status().ToString();
  std::string wrong;
  const absl::Status status = (*database)->Read(
      Context::Background(), [&](SqliteConnection& connection) {
        for (const char* sql :
             {"SELECT count(*) FROM pragma_integrity_check WHERE "
              "integrity_check <> 'ok'",
              "SELECT count(*) FROM jobs WHERE status = 'succeeded' AND "
              "record_id NOT IN (SELECT id FROM records)",
              "SELECT count(*) FROM records WHERE job_id NOT IN (SELECT id "
              "FROM jobs)",
              "SELECT count(*) FROM jobs WHERE (status = 'running') <> (id IN "
              "(SELECT job_id FROM leases))",
              "SELECT count(*) FROM jobs WHERE status = 'pending' AND id NOT "
              "IN (SELECT job_id FROM requests)",
              "SELECT count(*) FROM requests WHERE job_id NOT IN (SELECT id "
              "FROM jobs)",
              "SELECT count(*) <> 1 FROM firings",
              "SELECT count(*) FROM firings WHERE job_id NOT IN (SELECT "
              "id FROM jobs)",
              "SELECT count(*) FROM plan_targets WHERE next_due_ms <= "
              "(SELECT max(due_at_ms) FROM firings)",
              "SELECT (SELECT count(*) FROM events WHERE type = "
              "'job.finished') <> (SELECT count(*) FROM jobs WHERE status IN "
              "('succeeded', 'failed', 'interrupted'))",
              "SELECT count(*) FROM leases, catalog WHERE fence > "
              "last_fence"}) {
          const absl::StatusOr<int64_t> bad = connection.QueryInteger(sql);
          if (!bad.ok()) return bad.status();
          if (*bad != 0) absl::StrAppend(&wrong, *bad, " of: ", sql, "\n");
        }
        return absl::OkStatus();
      });
  return status.ok() ? wrong : status.ToString();
}

// Ends what a dead process left, and makes the next backup's job.
std::string Recover(Catalog& catalog, FakeClock& clock) {
  const Context context = Context::Background();
  clock.Advance(absl::Minutes(1));
  CatalogFilter filter;
  filter.unfinished_only = true;
  const auto unfinished = catalog.ListJobs(context, filter);
  if (!unfinished.ok()) return unfinished.status().ToString();
  for (const CatalogJob& entry : *unfinished) {
    if (entry.live) return "a dead job is alive";
    if (entry.job.status() == BackupJob::PENDING) {
      const absl::Status status =
          catalog.RequestCancel(context, entry.job.id());
      if (!status.ok()) return absl::StrCat("cancel: ", status.ToString());
      continue;
    }
    absl::Status status = catalog.TakeOver(context, entry.job.id());
    BackupJob ended = entry.job;
    ended.set_status(BackupJob::INTERRUPTED);
    if (status.ok()) status = catalog.UpdateBackupJob(context, ended);
    if (!status.ok()) return absl::StrCat("recovery: ", status.ToString());
  }
  const absl::Status next = catalog.CreateBackupJob(context, Job("next"));
  return next.ok() ? "" : absl::StrCat("the next backup: ", next.ToString());
}

// The due time is fired, or can be fired now; whichever, it is not both.
std::string FireOnce(Catalog& catalog, const Acknowledged& acknowledged) {
  const absl::Status planned = AddNightly(catalog);
  if (!planned.ok()) return absl::StrCat("the plan: ", planned.ToString());
  const auto before = catalog.plans().ListFirings(Context::Background(), {});
  if (!before.ok()) return before.status().ToString();
  if (acknowledged.fired && before->empty()) return "the firing is lost";
  const auto result = FireNightly(catalog, "late");
  if (!result.ok()) return absl::StrCat("fire: ", result.status().ToString());
  return result->moved == before->empty() ? "fired twice, or never" : "";
}

std::string LookForRows(Catalog& catalog, const Acknowledged& acknowledged) {
  const Context context = Context::Background();
  if (acknowledged.opened && catalog.catalog_id() != acknowledged.catalog_id)
    return "it is another catalog";
  const auto job = catalog.GetJob(context, "job");
  const auto record = catalog.GetRecord(context, "archive");
  if (acknowledged.fired && !job.ok()) return job.status().ToString();
  if (acknowledged.claimed && job->job.status() == BackupJob::PENDING)
    return "the claim is lost";
  if (acknowledged.recorded && !record.ok()) return record.status().ToString();
  if (acknowledged.ended &&
      job->job.SerializeAsString() != Succeeded().SerializeAsString())
    return "the terminal row is not what was acknowledged";
  if (record.ok() &&
      record->SerializeAsString() != Record().SerializeAsString())
    return "the record is not what was stored";
  return "";
}

}  // namespace

Acknowledged RunAttempt(FileSystem& file_system,
                        const AttemptOptions& options) {
  Acknowledged done;
  const Context context = Context::Background();
  FakeClock clock;
  SqliteVfs vfs(&file_system);
  std::unique_ptr<Catalog> catalog;
  auto step = [&](const char* name, auto body) {
    for (int i = 0; i <= options.retries; ++i) {
      const absl::Status status = body();
      if (status.ok()) {
        if (options.on_step) options.on_step(name);
        return true;
      }
      done.last = status;
    }
    return false;
  };
  done.opened = step("opened", [&] {
    auto opened =
        OpenSqliteCatalog(context, OptionsFor(file_system, vfs, clock));
    if (!opened.ok()) return opened.status();
    catalog = *std::move(opened);
    done.catalog_id = catalog->catalog_id();
    return absl::OkStatus();
  });
  if (!done.opened) return done;
  done.planned = step("planned", [&] { return AddNightly(*catalog); });
  if (!done.planned) return done;
  done.fired =
      step("fired", [&] { return FireNightly(*catalog, "job").status(); });
  if (!done.fired) return done;
  done.claimed = step("claimed", [&] {
    return catalog->queue().Claim(context, {kDue}).status();
  });
  if (!done.claimed) return done;
  done.created = step(
      "created", [&] { return catalog->CreateBackupJob(context, Job("job")); });
  if (!done.created) return done;
  if (!step("checked", [&] { return catalog->CheckLease(context, "job"); }))
    return done;
  done.recorded = step("recorded", [&] {
    return catalog->CreateBackupRecord(context, Record());
  });
  if (!done.recorded) return done;
  done.ended = step(
      "ended", [&] { return catalog->UpdateBackupJob(context, Succeeded()); });
  if (!done.ended) return done;
  done.settled = step("settled", [&] {
    auto ended = catalog->plans().EndedFirings(context, 1);
    if (!ended.ok() || ended->empty()) return ended.status();
    SettleStep settle;
    settle.ended_job_id = ended->at(0).first.job_id;
    settle.firing = ended->at(0).first;
    settle.firing.outcome = Firing::Outcome::kSucceeded;
    return catalog->plans().SettleFiring(context, settle);
  });
  return done;
}

std::string WhatIsWrong(FileSystem& file_system,
                        const Acknowledged& acknowledged) {
  FakeClock clock;
  SqliteVfs vfs(&file_system);
  {
    auto catalog = OpenSqliteCatalog(Context::Background(),
                                     OptionsFor(file_system, vfs, clock));
    if (!catalog.ok())
      return absl::StrCat("reopen: ", catalog.status().ToString());
    std::string wrong = LookForRows(**catalog, acknowledged);
    if (wrong.empty()) wrong = FireOnce(**catalog, acknowledged);
    if (wrong.empty()) wrong = Recover(**catalog, clock);
    if (!wrong.empty()) return wrong;
  }
  return LookInside(file_system, vfs);
}

}  // namespace sluice
