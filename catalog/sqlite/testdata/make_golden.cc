// Writes the golden catalog of this schema version, once, when the version is
// made:
//
//   bazel run //catalog/sqlite:make_golden -- $PWD/catalog/sqlite/testdata/catalog_v1.db
//
// golden_test.cc says what is in it. The files of past versions stay as they
// are for ever.

#include <cstdio>

#include "sluice/catalog/sqlite/sqlite_catalog.h"

namespace sluice {
namespace {

BackupJob Job(const char* id, BackupJob::Status status) {
  BackupJob job;
  job.set_id(id);
  job.set_kind(status == BackupJob::INTERRUPTED ? BackupJob::RESTORE
                                                : BackupJob::BACKUP);
  job.set_status(status);
  job.set_repo_id("01REPO0000000000000000GOLD");
  job.set_store_id(id);
  job.set_store_kind("memory");
  job.set_backup_id("01BACKUP00000000000000GOLD");
  job.set_progress(77);
  job.set_bytes_done(uint64_t{1} << 63);
  job.set_bytes_estimated(3);
  job.set_created_at_ms(1700000000000);
  job.set_started_at_ms(1700000000001);
  job.set_stage("streaming");
  Warning* warning = job.add_warnings();
  warning->set_code("symlink_skipped");
  warning->set_message("a -> b");
  return job;
}

absl::Status Fill(const Context& context, Catalog& catalog) {
  BackupRepo repo;
  repo.set_id("01REPO0000000000000000GOLD");
  repo.set_name("golden");
  repo.set_kind("local");
  repo.set_config("local:/backups");
  repo.add_key_refs("env:KEY");
  repo.mutable_encryption()->set_required(true);
  repo.mutable_encryption()->add_key_ids("key-1");
  absl::Status status = catalog.AddRepo(context, repo);
  BackupRecord record;
  record.set_id("01BACKUP00000000000000GOLD");
  record.set_repo_id(repo.id());
  record.set_job_id("01JOBSUCCEEDED00000000GOLD");
  record.set_store_id("orders");
  record.set_store_kind("memory");
  record.set_created_at_ms(1700000000000);
  record.set_sha256("abc");
  record.set_size_bytes(123);
  record.add_warnings()->set_code("symlink_skipped");
  status.Update(catalog.CreateBackupRecord(context, record));
  status.Update(catalog.SetPin(context, record.id(), Pin{"the audit"}));
  status.Update(catalog.SetDamaged(context, record.id(), true));
  status.Update(catalog.CreateBackupJob(
      context, Job("01JOBRUNNING0000000000GOLD", BackupJob::RUNNING)));
  for (BackupJob job :
       {Job("01JOBSUCCEEDED00000000GOLD", BackupJob::SUCCEEDED),
        Job("01JOBFAILED00000000000GOLD", BackupJob::FAILED),
        Job("01JOBINTERRUPTED000000GOLD", BackupJob::INTERRUPTED)}) {
    job.set_finished_at_ms(1700000009000);
    if (job.status() == BackupJob::SUCCEEDED) {
      job.set_record_id("01BACKUP00000000000000GOLD");
    } else {
      job.set_error_code("destination_no_space");
    }
    status.Update(catalog.CreateBackupJob(context, job));
  }
  return status;
}

int Main(const char* path) {
  const Context context = Context::Background();
  SqliteCatalogOptions options;
  options.path = path;
  auto catalog = OpenSqliteCatalog(context, options);
  const absl::Status status =
      catalog.ok() ? Fill(context, **catalog) : catalog.status();
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}

}  // namespace
}  // namespace sluice

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  return sluice::Main(argv[1]);
}
