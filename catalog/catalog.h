#ifndef SLUICE_CATALOG_CATALOG_H_
#define SLUICE_CATALOG_CATALOG_H_

// What Sluice remembers: repos, jobs, records, and who owns each running job.
//
// Example:
//
//   SLUICE_ASSIGN_OR_RETURN(
//       std::unique_ptr<Catalog> catalog,
//       OpenSqliteCatalog(context, {.path = "/var/lib/sluice/catalog.db"}));
//   RunBackupOptions options;
//   options.on_job_created = [&](const BackupJob& job) {
//     catalog->OnCancelRequested(job.id(), cancel);
//   };
//   options.before_publish = [&](const BackupJob& job) {
//     return catalog->BeginPublish(context, job.id());
//   };
//   Executor(catalog.get(), Clock::Real())
//       .RunBackup(context, source, destination, repo, "orders", "memory",
//                  options);
//
// Leases. A job that this object created, or took over, is *held* by it: a
// lease with a fencing number stands in the catalog, a thread of this object
// renews it every quarter of its length, and nobody else can change the job.
// The lease ends with the job's terminal update. Where the process dies, is
// stopped or sleeps for longer than the lease, it is lost for ever: CheckLease
// says publish_fenced from then on, also after another took the job over.
//
// Thread-safe. Every call blocks for disk and for other processes, until its
// context ends; what it takes is borrowed, what it gives is a copy. Ids given
// by people may be unique prefixes, in either case.
//
// Errors: catalog_unavailable (retry helps where the canonical code is
// UNAVAILABLE), catalog_permission_denied, catalog_no_space, job_not_found,
// record_not_found, repo_not_found, ambiguous_id, name_taken, job_finished,
// publish_fenced (held by another, or lost). What work is to come, and who asks
// for it, is kept in seven parts: plans, queue, events, access, nodes, outbox,
// settings.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "sluice/catalog/access_store.h"
#include "sluice/catalog/event_log.h"
#include "sluice/catalog/job_queue.h"
#include "sluice/catalog/lease.h"
#include "sluice/catalog/node_store.h"
#include "sluice/catalog/outbox_store.h"
#include "sluice/catalog/plan_store.h"
#include "sluice/catalog/setting_store.h"
#include "sluice/executor/context.h"
#include "sluice/executor/job_store.h"
#include "sluice/executor/models.pb.h"

namespace sluice {

// A job with what only the catalog knows of it.
struct CatalogJob {
  BackupJob job;
  bool cancel_requested = false;
  absl::optional<Lease> lease;
  // The lease is there and was not over when it was read. A running job that is
  // not live is dead; a pending one has no lease and waits.
  bool live = false;
  // The process that last held the lease has certainly ended.
  bool owner_ended = false;
};

inline bool IsTerminal(const BackupJob& job) {
  return job.status() == BackupJob::SUCCEEDED ||
         job.status() == BackupJob::FAILED ||
         job.status() == BackupJob::INTERRUPTED;
}

// Which rows a list gives. Empty fields ask for nothing.
struct CatalogFilter {
  std::string repo_id;
  std::string store_id;
  std::string plan_id;
  // Of jobs: those that are not terminal.
  bool unfinished_only = false;
  BackupJob::Status status = BackupJob::STATUS_UNSPECIFIED;
  BackupJob::Kind kind = BackupJob::KIND_UNSPECIFIED;
  // Of records: those that are pinned.
  bool pinned_only = false;
  // Only those before the row of this id, in the list's own order; for a next
  // page of the newest.
  std::string before_id;
  size_t limit = 0;  // the newest so many; 0: all
  // Of records, and all of them: as this catalog wrote them, whatever any clock
  // said.
  bool in_order_of_recording = false;
};

// Why an archive is to stay, and how long.
struct Pin {
  std::string reason;
  absl::Time until = absl::InfiniteFuture();
};

class Catalog : public JobStore {
 public:
  // Parts of this object, as thread-safe as it is.
  virtual PlanStore& plans() = 0;
  virtual JobQueue& queue() = 0;
  virtual EventLog& events() = 0;
  virtual AccessStore& access() = 0;
  virtual NodeStore& nodes() = 0;
  virtual OutboxStore& outbox() = 0;
  virtual SettingStore& settings() = 0;

  // --- repos

  // The same repo already there is success; another one of that id or name is
  // ALREADY_EXISTS (name_taken).
  virtual absl::Status AddRepo(const Context& context,
                               const BackupRepo& repo) = 0;
  // Replaces the repo of that id.
  virtual absl::Status UpdateRepo(const Context& context,
                                  const BackupRepo& repo) = 0;
  // By name, else by id or prefix.
  virtual absl::StatusOr<BackupRepo> GetRepo(const Context& context,
                                             absl::string_view name_or_id) = 0;
  // By name, ascending.
  virtual absl::StatusOr<std::vector<BackupRepo>> ListRepos(
      const Context& context) = 0;
  // Forgets it; its jobs and records stay.
  virtual absl::Status RemoveRepo(const Context& context,
                                  absl::string_view name_or_id) = 0;

  // --- records

  virtual absl::StatusOr<BackupRecord> GetRecord(
      const Context& context, absl::string_view id_or_prefix) = 0;
  // Oldest first.
  virtual absl::StatusOr<std::vector<BackupRecord>> ListRecords(
      const Context& context, const CatalogFilter& filter) = 0;
  // Retention leaves a pinned archive alone. None: it is pinned no more.
  virtual absl::Status SetPin(const Context& context,
                              absl::string_view id_or_prefix,
                              const absl::optional<Pin>& pin) = 0;
  // What a verification found. `latest` passes over damaged records.
  virtual absl::Status SetDamaged(const Context& context,
                                  absl::string_view id_or_prefix,
                                  bool damaged) = 0;
  // That it was proven so deep, just now. A shallower proof leaves a deeper one.
  virtual absl::Status SetVerified(const Context& context,
                                   absl::string_view id_or_prefix,
                                   BackupRecord::Depth depth,
                                   absl::Time at) = 0;
  virtual absl::Status DeleteRecord(const Context& context,
                                    absl::string_view id_or_prefix) = 0;

  // --- jobs

  virtual absl::StatusOr<CatalogJob> GetJob(const Context& context,
                                            absl::string_view id_or_prefix) = 0;
  // Oldest first.
  virtual absl::StatusOr<std::vector<CatalogJob>> ListJobs(
      const Context& context, const CatalogFilter& filter) = 0;
  // Asks the job's owner, whichever process that is, to end it; seen there
  // within a quarter of a second. A pending job ends at once. FAILED_PRECONDITION
  // (job_finished) for a terminal job.
  virtual absl::Status RequestCancel(const Context& context,
                                     absl::string_view id_or_prefix) = 0;

  // --- the held job

  // Registers what ends the run of a held job: called once, with the cause,
  // when someone requests its cancellation or its lease is lost. Called from a
  // thread of this object; must not block, and must capture what it needs, as
  // it may come while the job ends. One a job; the last counts.
  virtual void OnCancelRequested(
      absl::string_view job_id,
      std::function<void(absl::Status cause)> callback) = 0;
  // OK: this object holds the job, its lease was renewed just now. Else
  // publish_fenced; the run must not publish.
  virtual absl::Status CheckLease(const Context& context,
                                  absl::string_view job_id) = 0;
  // The last look before the point of no return: CheckLease, and with it a
  // durable note (stage "publishing") that the job's archive may exist from now
  // on. A dead job without that note has published nothing: whoever finds it
  // may end it without a look at the repo.
  virtual absl::Status BeginPublish(const Context& context,
                                    absl::string_view job_id) = 0;

  // --- for reconcile

  // Makes this object hold the job `job_id`, whose owner is dead: no two takers
  // succeed, and the owner, should it only have been stopped, has lost it.
  // FAILED_PRECONDITION: backup_already_running while its lease is live,
  // job_finished where it is terminal.
  virtual absl::Status TakeOver(const Context& context,
                                absl::string_view job_id) = 0;
  // Gives up a held job without ending it: nobody's from then on.
  virtual absl::Status Release(const Context& context,
                               absl::string_view job_id) = 0;
};

}  // namespace sluice

#endif  // SLUICE_CATALOG_CATALOG_H_
