#include "sluice/service/admin/requests.h"

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/executor/ulid.h"
#include "sluice/service/store_uri.h"
#include "sluice/service/work/purge.h"

namespace sluice::service {
namespace {

QueuedRun RunOf(BackupJob::Kind kind, const std::string& repo_id, Clock& clock,
                const Asker& asker) {
  const int64_t now = absl::ToUnixMillis(clock.Now());
  QueuedRun run;
  run.job.set_id(NewUlid(clock));
  run.job.set_kind(kind);
  run.job.set_status(BackupJob::PENDING);
  run.job.set_stage("queued");
  run.job.set_repo_id(repo_id);
  run.job.set_created_at_ms(now);
  run.request.set_job_id(run.job.id());
  run.request.set_requester(asker.requester);
  run.request.set_idempotency_key(asker.idempotency_key);
  run.request.set_request_sha256(asker.request_sha256);
  run.request.set_not_before_ms(now);
  if (asker.patience != absl::InfiniteDuration()) {
    run.request.set_expires_at_ms(
        absl::ToUnixMillis(clock.Now() + asker.patience));
  }
  return run;
}

int64_t MillisOf(absl::Duration timeout) {
  return timeout == absl::InfiniteDuration()
             ? 0
             : absl::ToInt64Milliseconds(timeout);
}

// The job of the repo that was asked for with the same key; empty: there is
// none.
absl::StatusOr<std::string> UnfinishedOfKey(const Context& context,
                                            Catalog& catalog,
                                            const QueuedRun& run) {
  const std::string& key = run.request.idempotency_key();
  if (key.empty()) return std::string();
  CatalogFilter filter;
  filter.repo_id = run.job.repo_id();
  filter.unfinished_only = true;
  SLUICE_ASSIGN_OR_RETURN(const std::vector<CatalogJob> jobs,
                          catalog.ListJobs(context, filter));
  for (const CatalogJob& entry : jobs) {
    const auto request = catalog.queue().GetRequest(context, entry.job.id());
    if (request.ok() && request->idempotency_key() == key) {
      return entry.job.id();
    }
  }
  return std::string();
}

absl::Status CheckPlace(PluginHost& host, const UriFacts& store,
                        const BackupRepo& repo) {
  SLUICE_ASSIGN_OR_RETURN(const UriFacts place,
                          host.ReadPlaceUri(repo.config()));
  return CheckApart(store, place.paths);
}

}  // namespace

absl::StatusOr<QueuedRun> AskForBackup(const Context& context, Catalog& catalog,
                                       PluginHost& host, Clock& clock,
                                       const BackupWish& wish,
                                       const Asker& asker) {
  SLUICE_ASSIGN_OR_RETURN(const BackupRepo repo,
                          catalog.GetRepo(context, wish.repo));
  SLUICE_ASSIGN_OR_RETURN(const UriFacts facts,
                          host.ReadSourceUri(wish.source));
  SLUICE_RETURN_IF_ERROR(CheckPlace(host, facts, repo));
  QueuedRun run = RunOf(BackupJob::BACKUP, repo.id(), clock, asker);
  run.request.set_store(facts.uri);
  run.request.set_base(wish.base);
  run.request.set_label(wish.label);
  run.request.set_store_id(wish.store_id);
  run.request.set_allow_empty(wish.allow_empty);
  run.request.set_read_back(wish.read_back);
  run.request.set_timeout_ms(MillisOf(wish.timeout));
  return EnqueueOnce(context, catalog.queue(), run);
}

absl::StatusOr<QueuedRun> AskForRestore(const Context& context,
                                        Catalog& catalog, PluginHost& host,
                                        Clock& clock, const RestoreWish& wish,
                                        const Asker& asker) {
  SLUICE_ASSIGN_OR_RETURN(const BackupRecord record,
                          catalog.GetRecord(context, wish.backup_id));
  SLUICE_ASSIGN_OR_RETURN(const BackupRepo repo,
                          catalog.GetRepo(context, record.repo_id()));
  SLUICE_ASSIGN_OR_RETURN(const UriFacts facts,
                          host.ReadSourceUri(wish.target));
  SLUICE_RETURN_IF_ERROR(CheckPlace(host, facts, repo));
  QueuedRun run = RunOf(BackupJob::RESTORE, repo.id(), clock, asker);
  run.job.set_backup_id(record.id());
  run.job.set_store_id(record.store_id());
  run.job.set_store_kind(record.store_kind());
  run.request.set_store(facts.uri);
  run.request.set_from_store(wish.from_store);
  run.request.set_timeout_ms(MillisOf(wish.timeout));
  return EnqueueOnce(context, catalog.queue(), run);
}

absl::StatusOr<QueuedRun> AskForVerify(
    const Context& context, Catalog& catalog, Clock& clock,
    const std::vector<std::string>& backup_ids, const Asker& asker) {
  if (backup_ids.empty()) return InvalidArgument("no archive is named");
  std::vector<BackupRecord> records;
  for (const std::string& id : backup_ids) {
    SLUICE_ASSIGN_OR_RETURN(BackupRecord record,
                            catalog.GetRecord(context, id));
    records.push_back(std::move(record));
  }
  QueuedRun run = RunOf(BackupJob::VERIFY, records[0].repo_id(), clock, asker);
  if (records.size() == 1) run.job.set_backup_id(records[0].id());
  for (const BackupRecord& record : records) {
    if (record.repo_id() != records[0].repo_id()) {
      return InvalidArgument(absl::StrCat("archives ", records[0].id(), " and ",
                                          record.id(), " are in two repos"),
                             "ask for each repo by itself");
    }
    run.request.add_backup_ids(record.id());
  }
  return EnqueueOnce(context, catalog.queue(), run);
}

absl::StatusOr<QueuedRun> AskForPurge(const Context& context, Catalog& catalog,
                                      Clock& clock, const BackupRepo& repo,
                                      const Asker& asker) {
  // One that the same key asked for before is in nobody's way.
  const QueuedRun run = RunOf(BackupJob::PURGE, repo.id(), clock, asker);
  SLUICE_ASSIGN_OR_RETURN(const std::string before,
                          UnfinishedOfKey(context, catalog, run));
  SLUICE_RETURN_IF_ERROR(CheckRepoIsFree(context, catalog, repo, before));
  return EnqueueOnce(context, catalog.queue(), run);
}

absl::StatusOr<QueuedRun> EnqueueOnce(const Context& context, JobQueue& queue,
                                      const QueuedRun& run) {
  SLUICE_ASSIGN_OR_RETURN(QueuedRun queued, queue.Enqueue(context, run));
  const std::string& before = queued.request.request_sha256();
  const std::string& now = run.request.request_sha256();
  if (before.empty() || now.empty() || before == now) return queued;
  return WithHint(
      MakeError(absl::StatusCode::kAlreadyExists, kIdempotencyKeyReused,
                absl::StrCat("the idempotency key asked for job ",
                             queued.job.id(), " before, which is another")),
      "draw a new key for each thing that is asked for");
}

}  // namespace sluice::service
