#ifndef SLUICE_CATALOG_SQLITE_SQLITE_CATALOG_IMPL_H_
#define SLUICE_CATALOG_SQLITE_SQLITE_CATALOG_IMPL_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "sluice/base/thread.h"
#include "sluice/catalog/catalog.h"
#include "sluice/catalog/lease.h"
#include "sluice/catalog/process_identity.h"
#include "sluice/catalog/sqlite/happenings.h"
#include "sluice/catalog/sqlite/held_jobs.h"
#include "sluice/catalog/sqlite/sqlite.h"
#include "sluice/catalog/sqlite/sqlite_access.h"
#include "sluice/catalog/sqlite/sqlite_catalog.h"
#include "sluice/catalog/sqlite/sqlite_nodes.h"
#include "sluice/catalog/sqlite/sqlite_outbox.h"
#include "sluice/catalog/sqlite/sqlite_plans.h"
#include "sluice/catalog/sqlite/sqlite_queue.h"
#include "sluice/catalog/sqlite/sqlite_settings.h"
#include "sluice/executor/context.h"
#include "sluice/executor/models.pb.h"

namespace sluice {

// The Catalog over a SqliteDatabase. Its three .cc files follow catalog.h:
// sqlite_catalog.cc (opening, repos, records), sqlite_catalog_jobs.cc (jobs),
// sqlite_catalog_leases.cc (leases, and the heartbeat's thread).
class SqliteCatalog final : public Catalog {
 public:
  SqliteCatalog(const SqliteCatalogOptions& options,
                std::unique_ptr<SqliteDatabase> database,
                std::string catalog_id);
  ~SqliteCatalog() override;

  // Once, before all else, where leases are to be renewed.
  absl::Status StartHeartbeat();

  std::string catalog_id() const override { return catalog_id_; }
  PlanStore& plans() override { return plans_; }
  JobQueue& queue() override { return queue_; }
  EventLog& events() override { return events_; }
  AccessStore& access() override { return access_; }
  NodeStore& nodes() override { return nodes_; }
  OutboxStore& outbox() override { return outbox_; }
  SettingStore& settings() override { return settings_; }

  absl::Status CreateBackupJob(const Context& context,
                               const BackupJob& job) override;
  absl::Status UpdateBackupJob(const Context& context,
                               const BackupJob& job) override;
  absl::Status UpdateBackupJobProgress(const Context& context,
                                       absl::string_view job_id,
                                       uint32_t progress, uint64_t bytes_done,
                                       absl::string_view stage) override;
  absl::Status CreateBackupRecord(const Context& context,
                                  const BackupRecord& record) override;

  absl::Status AddRepo(const Context& context, const BackupRepo& repo) override;
  absl::Status UpdateRepo(const Context& context,
                          const BackupRepo& repo) override;
  absl::StatusOr<BackupRepo> GetRepo(const Context& context,
                                     absl::string_view name_or_id) override;
  absl::StatusOr<std::vector<BackupRepo>> ListRepos(
      const Context& context) override;
  absl::Status RemoveRepo(const Context& context,
                          absl::string_view name_or_id) override;

  absl::StatusOr<BackupRecord> GetRecord(
      const Context& context, absl::string_view id_or_prefix) override;
  absl::StatusOr<std::vector<BackupRecord>> ListRecords(
      const Context& context, const CatalogFilter& filter) override;
  absl::Status SetPin(const Context& context, absl::string_view id_or_prefix,
                      const absl::optional<Pin>& pin) override;
  absl::Status SetDamaged(const Context& context,
                          absl::string_view id_or_prefix,
                          bool damaged) override;
  absl::Status SetVerified(const Context& context,
                           absl::string_view id_or_prefix,
                           BackupRecord::Depth depth, absl::Time at) override;
  absl::Status DeleteRecord(const Context& context,
                            absl::string_view id_or_prefix) override;

  absl::StatusOr<CatalogJob> GetJob(const Context& context,
                                    absl::string_view id_or_prefix) override;
  absl::StatusOr<std::vector<CatalogJob>> ListJobs(
      const Context& context, const CatalogFilter& filter) override;
  absl::Status RequestCancel(const Context& context,
                             absl::string_view id_or_prefix) override;

  void OnCancelRequested(absl::string_view job_id,
                         HeldJobs::Callback callback) override {
    held_.SetCallback(job_id, std::move(callback));
  }
  absl::Status CheckLease(const Context& context,
                          absl::string_view job_id) override;
  absl::Status BeginPublish(const Context& context,
                            absl::string_view job_id) override;
  absl::Status TakeOver(const Context& context,
                        absl::string_view job_id) override;
  absl::Status Release(const Context& context,
                       absl::string_view job_id) override;

 private:
  LeaseJudge Judge() const {
    return {self_, options_.clock->Now(), options_.clock->SinceBoot()};
  }
  // A run of this object that slept past its lease must not find itself holding
  // the job again.
  absl::Status CheckNotHeld(absl::string_view job_id) const;
  // Draws a number and writes the lease that begins now.
  absl::StatusOr<Lease> BeginLease(SqliteConnection& connection,
                                   absl::string_view job_id);
  absl::Status EndDeadLeases(SqliteConnection& connection,
                             const BackupJob& job);
  absl::Status EndLease(SqliteConnection& connection, Lease over);
  absl::Status CheckNoPurge(SqliteConnection& connection,
                            const std::string& repo_id);
  // False: the row bears another number, or is gone.
  absl::StatusOr<bool> RenewRow(SqliteConnection& connection,
                                const HeldJobs::View& held,
                                absl::Duration& ends);
  // Renews the lease of a held job and runs `then` in the same transaction.
  absl::Status RenewAnd(const Context& context, absl::string_view job_id,
                        SqliteDatabase::Body then);
  // Write that may use the room kept for a full disk.
  absl::Status WriteUrgently(const Context& context, SqliteDatabase::Body body);
  // Changes the record and tells of it. `change` has the full id.
  absl::Status ChangeRecord(
      const Context& context, absl::string_view id_or_prefix,
      absl::FunctionRef<absl::Status(SqliteConnection&, absl::string_view)>
          change);
  // The first row of a job: one that nobody knows, or one that was claimed.
  absl::Status PutFirstRow(SqliteConnection& connection, const BackupJob& job,
                           absl::optional<Lease>& lease);
  // Whether this object claimed the job and has not begun its run.
  bool IsClaimed(const CatalogJob& entry) const;
  absl::StatusOr<std::string> FindRepo(SqliteConnection& connection,
                                       absl::string_view name_or_id);
  // Adds what only this object and this moment know.
  void Complete(CatalogJob& entry) const;

  void Heartbeat();
  void LoseLapsed();
  void RenewAndWriteProgress();
  void PollCancel();

  const SqliteCatalogOptions options_;
  const std::unique_ptr<SqliteDatabase> database_;
  const std::string catalog_id_;
  const ProcessIdentity self_;
  const std::string owner_;
  const std::pair<Context, Context::CancelFunction> alive_;
  HeldJobs held_;
  SqlitePlans plans_;
  SqliteQueue queue_;
  SqliteEvents events_;
  SqliteAccess access_;
  SqliteNodes nodes_;
  SqliteOutbox outbox_;
  SqliteSettings settings_;
  // Of the heartbeat's thread.
  absl::Duration progress_written_at_ = -absl::InfiniteDuration();
  Thread thread_;
};

// publish_fenced: the job is not this object's (any more).
absl::Status FencedError(absl::string_view job_id, absl::string_view why);
// job_finished.
absl::Status FinishedError(const BackupJob& job);
absl::Status JobNotFoundError(absl::string_view job_id);
// name_taken.
absl::Status NameTakenError(absl::string_view what);

}  // namespace sluice

#endif  // SLUICE_CATALOG_SQLITE_SQLITE_CATALOG_IMPL_H_
