#include "sluice/catalog/testing/attempt.h"

#include <memory>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
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
    absl::Status status = catalog.TakeOver(context, entry.job.id());
    BackupJob ended = entry.job;
    ended.set_status(BackupJob::INTERRUPTED);
    if (status.ok()) status = catalog.UpdateBackupJob(context, ended);
    if (!status.ok()) return absl::StrCat("recovery: ", status.ToString());
  }
  const absl::Status next = catalog.CreateBackupJob(context, Job("next"));
  return next.ok() ? "" : absl::StrCat("the next backup: ", next.ToString());
}

std::string LookForRows(Catalog& catalog, const Acknowledged& acknowledged) {
  const Context context = Context::Background();
  if (acknowledged.opened && catalog.catalog_id() != acknowledged.catalog_id)
    return "it is another catalog";
  const auto job = catalog.GetJob(context, "job");
  const auto record = catalog.GetRecord(context, "archive");
  if (acknowledged.created && !job.ok()) return job.status().ToString();
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
    if (wrong.empty()) wrong = Recover(**catalog, clock);
    if (!wrong.empty()) return wrong;
  }
  return LookInside(file_system, vfs);
}

}  // namespace sluice
