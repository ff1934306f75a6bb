// Another process at the same catalog, for processes_test.cc. Speaks a line at
// a time on stdout, and takes the next step for each line on stdin.
//
//   catalog_worker hold PATH JOB LEASE_MS
//       "held", then for each line "check": CheckLease; "end": the terminal
//       update; "cancel": waits for a cancel. Answers "ok" or the error's word.
//   catalog_worker hammer PATH NAME COUNT
//       COUNT whole backups of one store that all workers share; "did ID" after
//       each, once its terminal row is acknowledged.

#include <cstdlib>
#include <iostream>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/mutex.h"
#include "sluice/catalog/sqlite/sqlite_catalog.h"

namespace sluice {
namespace {

void Say(const std::string& line) { std::cout << line << std::endl; }
void Answer(const absl::Status& status) {
  Say(status.ok() ? "ok" : ErrorCodeOf(status));
}

BackupJob Job(const std::string& id, const std::string& store) {
  BackupJob job;
  job.set_id(id);
  job.set_kind(BackupJob::BACKUP);
  job.set_status(BackupJob::RUNNING);
  job.set_repo_id("repo");
  job.set_store_id(store);
  job.set_backup_id("archive-of-" + id);
  return job;
}

int Hold(Catalog& catalog, const std::string& id) {
  const Context context = Context::Background();
  BackupJob job = Job(id, "store-of-" + id);
  const absl::Status created = catalog.CreateBackupJob(context, job);
  Mutex mutex;
  CondVar changed;
  bool cancelled = false;
  catalog.OnCancelRequested(id, [&](const absl::Status&) {
    MutexLock lock(mutex);
    cancelled = true;
    changed.NotifyAll();
  });
  if (created.ok()) {
    Say("held");
  } else {
    Answer(created);
  }
  std::string line;
  while (std::getline(std::cin, line)) {
    if (line == "check") Answer(catalog.CheckLease(context, id));
    if (line == "end") {
      job.set_status(BackupJob::SUCCEEDED);
      Answer(catalog.UpdateBackupJob(context, job));
    }
    if (line == "cancel") {
      MutexLock lock(mutex);
      while (!cancelled) changed.Wait(lock);
      Say("ok");
    }
  }
  return 0;
}

int Hammer(Catalog& catalog, const std::string& name, int count) {
  const Context context = Context::Background();
  for (int i = 0; i < count; ++i) {
    BackupJob job = Job(absl::StrCat(name, "-", i), "shared");
    absl::Status status = catalog.CreateBackupJob(context, job);
    while (ErrorCodeOf(status) == kBackupAlreadyRunning)
      status = catalog.CreateBackupJob(context, job);
    BackupRecord record;
    record.set_id(job.backup_id());
    record.set_repo_id("repo");
    record.set_job_id(job.id());
    if (status.ok()) status = catalog.CheckLease(context, job.id());
    if (status.ok()) status = catalog.CreateBackupRecord(context, record);
    job.set_status(BackupJob::SUCCEEDED);
    job.set_record_id(record.id());
    if (status.ok()) status = catalog.UpdateBackupJob(context, job);
    if (!status.ok()) {
      Say(status.ToString());
      return 1;
    }
    Say("did " + job.id());
  }
  return 0;
}

int Main(const std::string& verb, const std::string& path,
         const std::string& name, const std::string& number) {
  int value = 0;
  if (!absl::SimpleAtoi(number, &value)) return 2;
  SqliteCatalogOptions options;
  options.path = path;
  if (verb == "hold") options.lease = absl::Milliseconds(value);
  auto catalog = OpenSqliteCatalog(Context::Background(), options);
  if (!catalog.ok()) {
    Say(catalog.status().ToString());
    return 1;
  }
  return verb == "hold" ? Hold(**catalog, name)
                        : Hammer(**catalog, name, value);
}

}  // namespace
}  // namespace sluice

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  return sluice::Main(argv[1], argv[2], argv[3], argv[4]);
}
