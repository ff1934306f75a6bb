#include "sluice/catalog/sqlite_catalog.h"

#include <unistd.h>

#include <algorithm>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/catalog/catalog_file.h"
#include "sluice/catalog/held_jobs.h"
#include "sluice/catalog/rows.h"
#include "sluice/catalog/schema.h"
#include "sluice/catalog/sqlite.h"

namespace sluice {
namespace {

// Progress is for people to look at; each write of it costs a sync.
constexpr absl::Duration kProgressInterval = absl::Seconds(1);

constexpr char kLost[] = "its lease ran out, or another process took it";

absl::Status Fenced(absl::string_view job_id, absl::string_view why) {
  return MakeError(absl::StatusCode::kFailedPrecondition, kPublishFenced,
                   absl::StrCat("job ", job_id, ": ", why));
}

absl::Status Finished(const BackupJob& job) {
  return MakeError(absl::StatusCode::kFailedPrecondition, kJobFinished,
                   absl::StrCat("job ", job.id(), " has ended already"));
}

// The same end, told again: a write whose answer was lost.
bool SameEnd(const BackupJob& a, const BackupJob& b) {
  return a.state() == b.state() && a.record_id() == b.record_id() &&
         a.error_code() == b.error_code() && a.error() == b.error();
}

// What a person may change later (pinned, damaged) and the time it was written
// tell no two archives apart.
bool SameArchive(const BackupRecord& a, const BackupRecord& b) {
  return a.id() == b.id() && a.repo_id() == b.repo_id() &&
         a.store_id() == b.store_id() && a.store_kind() == b.store_kind() &&
         a.sha256() == b.sha256() && a.size_bytes() == b.size_bytes() &&
         a.plain_size_bytes() == b.plain_size_bytes();
}

absl::Status CheckRepoFields(const BackupRepo& repo) {
  const std::string& name = repo.name();
  bool good = !name.empty() && name.size() <= 63;
  for (size_t i = 0; good && i < name.size(); ++i) {
    const char c = name[i];
    const bool alphanumeric = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    good = alphanumeric || (i > 0 && (c == '.' || c == '_' || c == '-'));
  }
  if (!good)
    return MakeError(absl::StatusCode::kInvalidArgument, kInvalidArgument,
                     absl::StrCat("a repo's name is 1 to 63 of a-z 0-9 . _ -, "
                                  "beginning with a letter or digit, not \"",
                                  name, "\""));
  if (repo.id().empty())
    return MakeError(absl::StatusCode::kInvalidArgument, kInvalidArgument,
                     "the repo id is empty");
  return absl::OkStatus();
}

absl::Status NameTaken(absl::string_view what) {
  return MakeError(absl::StatusCode::kAlreadyExists, kNameTaken,
                   absl::StrCat("the catalog holds another ", what));
}

std::string DescribeOwner(const ProcessIdentity& self) {
  char host[256] = "?";
  gethostname(host, sizeof(host) - 1);
  return absl::StrCat(host, ":", self.pid);
}

class SqliteCatalog final : public Catalog {
 public:
  SqliteCatalog(const SqliteCatalogOptions& options,
                std::unique_ptr<SqliteDatabase> database,
                std::string catalog_id)
      : options_(options),
        database_(std::move(database)),
        catalog_id_(std::move(catalog_id)),
        self_(CurrentProcess()),
        owner_(DescribeOwner(self_)),
        alive_(Context::WithCancel(Context::Background())) {
    if (options_.heartbeat) thread_ = std::thread([this] { Heartbeat(); });
  }

  ~SqliteCatalog() override {
    alive_.second(absl::CancelledError("the catalog is being closed"));
    held_.Stop();
    if (thread_.joinable()) thread_.join();
  }

  std::string catalog_id() const override { return catalog_id_; }

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
  absl::Status SetPinned(const Context& context, absl::string_view id_or_prefix,
                         bool pinned) override;
  absl::Status SetDamaged(const Context& context,
                          absl::string_view id_or_prefix,
                          bool damaged) override;
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
  absl::Status TakeOver(const Context& context,
                        absl::string_view job_id) override;
  absl::Status Release(const Context& context,
                       absl::string_view job_id) override;

 private:
  LeaseJudge Judge() const {
    return {self_, options_.clock->Now(), options_.clock->SinceBoot()};
  }
  // Draws a number and writes the lease that begins now.
  absl::StatusOr<Lease> BeginLease(SqliteConnection& connection,
                                   absl::string_view job_id);
  absl::Status EndDeadLeases(SqliteConnection& connection,
                             const BackupJob& job);
  // False: the row bears another number, or is gone.
  absl::StatusOr<bool> RenewRow(SqliteConnection& connection,
                                const HeldJobs::View& held,
                                absl::Duration& ends);
  // Write that may use the room kept for a full disk.
  absl::Status WriteUrgently(const Context& context, SqliteDatabase::Body body);
  absl::Status FlagRecord(const Context& context, const char* sql, bool flag,
                          absl::string_view id_or_prefix);
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
  // Of the heartbeat's thread.
  absl::Duration progress_written_at_ = -absl::InfiniteDuration();
  std::thread thread_;
};

// --- jobs, as the executor sees them

absl::StatusOr<Lease> SqliteCatalog::BeginLease(SqliteConnection& connection,
                                                absl::string_view job_id) {
  // A run of this object that slept past its lease must not find itself holding
  // the job again.
  if (held_.Find(job_id))
    return MakeError(
        absl::StatusCode::kFailedPrecondition, kBackupAlreadyRunning,
        absl::StrCat("job ", job_id, " is still run by this process"));
  Lease lease;
  lease.job_id = std::string(job_id);
  SLUICE_ASSIGN_OR_RETURN(lease.fence, DrawFence(connection));
  lease.owner = owner_;
  lease.process = self_;
  lease.length = options_.lease;
  lease.expires_at = options_.clock->Now() + options_.lease;
  lease.expires_at_boot = options_.clock->SinceBoot() + options_.lease;
  SLUICE_RETURN_IF_ERROR(PutLease(connection, lease));
  return lease;
}

// Takes the lease of every dead job that backs up the same store into the same
// repo, so that an owner who was only stopped cannot go on beside us. The live
// one that may be among them is the answer.
absl::Status SqliteCatalog::EndDeadLeases(SqliteConnection& connection,
                                          const BackupJob& job) {
  CatalogFilter filter;
  filter.repo_id = job.repo_id();
  filter.store_id = job.store_id();
  filter.unfinished_only = true;
  SLUICE_ASSIGN_OR_RETURN(const std::vector<CatalogJob> others,
                          ReadJobs(connection, filter));
  for (const CatalogJob& other : others) {
    if (other.job.kind() != BackupJob::BACKUP || !other.lease) continue;
    if (IsLive(*other.lease, Judge()))
      return WithHint(
          MakeError(absl::StatusCode::kAlreadyExists, kBackupAlreadyRunning,
                    absl::StrCat("job ", other.job.id(), " of ",
                                 other.lease->owner, " is backing up store ",
                                 job.store_id(), " into this repo")),
          "wait for it, or end it with `sluice job cancel`");
    // Over, and of nobody's number; the row still tells whose it was.
    Lease over = *other.lease;
    SLUICE_ASSIGN_OR_RETURN(over.fence, DrawFence(connection));
    over.expires_at = absl::UnixEpoch();
    over.expires_at_boot = absl::ZeroDuration();
    SLUICE_RETURN_IF_ERROR(PutLease(connection, over));
  }
  return absl::OkStatus();
}

absl::Status SqliteCatalog::CreateBackupJob(const Context& context,
                                            const BackupJob& job) {
  if (job.id().empty())
    return MakeError(absl::StatusCode::kInvalidArgument, kInvalidArgument,
                     "the job id is empty");
  Lease lease;
  SLUICE_RETURN_IF_ERROR(
      database_->Write(context, [&](SqliteConnection& connection) {
        SLUICE_ASSIGN_OR_RETURN(const absl::optional<CatalogJob> same,
                                ReadJob(connection, job.id()));
        if (same) return NameTaken(absl::StrCat("job ", job.id()));
        if (IsTerminal(job)) return PutJob(connection, job);
        if (job.kind() == BackupJob::BACKUP)
          SLUICE_RETURN_IF_ERROR(EndDeadLeases(connection, job));
        SLUICE_RETURN_IF_ERROR(PutJob(connection, job));
        SLUICE_ASSIGN_OR_RETURN(lease, BeginLease(connection, job.id()));
        return absl::OkStatus();
      }));
  if (!IsTerminal(job)) held_.Add(job.id(), lease.fence, lease.expires_at_boot);
  return absl::OkStatus();
}

absl::Status SqliteCatalog::WriteUrgently(const Context& context,
                                          SqliteDatabase::Body body) {
  absl::Status status = database_->Write(context, body);
  if (ErrorCodeOf(status) == kCatalogNoSpace &&
      GiveUpReserve(*options_.file_system, options_.path))
    status = database_->Write(context, body);
  return status;
}

absl::Status SqliteCatalog::UpdateBackupJob(const Context& context,
                                            const BackupJob& job) {
  const absl::optional<HeldJobs::View> held = held_.Find(job.id());
  const absl::Status status =
      WriteUrgently(context, [&](SqliteConnection& connection) -> absl::Status {
        SLUICE_ASSIGN_OR_RETURN(const absl::optional<CatalogJob> before,
                                ReadJob(connection, job.id()));
        if (!before)
          return MakeError(absl::StatusCode::kNotFound, kJobNotFound,
                           absl::StrCat("there is no job ", job.id()));
        if (IsTerminal(before->job))
          return SameEnd(before->job, job) ? absl::OkStatus()
                                           : Finished(before->job);
        if (!held || !before->lease || before->lease->fence != held->fence)
          return Fenced(job.id(), "another process owns it now");
        BackupJob after = job;
        // Progress never goes back, whatever order its writes came in.
        const HeldJobs::Progress told =
            held->progress.value_or(HeldJobs::Progress());
        after.set_progress(
            std::max({job.progress(), before->job.progress(), told.percent}));
        after.set_bytes_done(std::max(
            {job.bytes_done(), before->job.bytes_done(), told.bytes_done}));
        SLUICE_RETURN_IF_ERROR(PutJob(connection, after));
        if (!IsTerminal(job)) return absl::OkStatus();
        SLUICE_ASSIGN_OR_RETURN(
            SqliteStatement end,
            connection.Prepare("DELETE FROM leases WHERE job_id = ?"));
        return end.Bind(job.id()).Run();
      });
  // Its run is over, whatever became of the row; what failed for want of room
  // or time is tried again.
  const std::string word = ErrorCodeOf(status);
  if (IsTerminal(job) &&
      (status.ok() || word == kJobFinished || word == kPublishFenced))
    held_.Remove(job.id());
  return status;
}

absl::Status SqliteCatalog::UpdateBackupJobProgress(const Context& context,
                                                    absl::string_view job_id,
                                                    uint32_t progress,
                                                    uint64_t bytes_done,
                                                    absl::string_view stage) {
  SLUICE_RETURN_IF_ERROR(context.status());
  if (!held_.SetProgress(job_id, {progress, bytes_done, std::string(stage)}))
    return Fenced(job_id, "is not held by this process");
  return absl::OkStatus();
}

absl::Status SqliteCatalog::CreateBackupRecord(const Context& context,
                                               const BackupRecord& record) {
  if (record.id().empty())
    return MakeError(absl::StatusCode::kInvalidArgument, kInvalidArgument,
                     "the record id is empty");
  return WriteUrgently(
      context, [&](SqliteConnection& connection) -> absl::Status {
        SLUICE_ASSIGN_OR_RETURN(const absl::optional<BackupRecord> same,
                                ReadRecord(connection, record.id()));
        if (!same) return PutRecord(connection, record);
        return SameArchive(*same, record)
                   ? absl::OkStatus()
                   : NameTaken(absl::StrCat("record ", record.id()));
      });
}

// --- repos

absl::StatusOr<std::string> SqliteCatalog::FindRepo(
    SqliteConnection& connection, absl::string_view name_or_id) {
  SLUICE_ASSIGN_OR_RETURN(
      SqliteStatement select,
      connection.Prepare("SELECT id FROM repos WHERE name = ?"));
  SLUICE_ASSIGN_OR_RETURN(const bool row, select.Bind(name_or_id).Step());
  if (row) return select.Text(0);
  return FindId(connection, "repos", name_or_id);
}

absl::Status SqliteCatalog::AddRepo(const Context& context,
                                    const BackupRepo& repo) {
  SLUICE_RETURN_IF_ERROR(CheckRepoFields(repo));
  return database_->Write(
      context, [&](SqliteConnection& connection) -> absl::Status {
        SLUICE_ASSIGN_OR_RETURN(const std::vector<BackupRepo> repos,
                                ReadRepos(connection));
        for (const BackupRepo& other : repos) {
          if (other.id() != repo.id() && other.name() != repo.name()) continue;
          if (other.id() == repo.id() && other.name() == repo.name() &&
              other.config() == repo.config())
            return absl::OkStatus();
          return NameTaken(
              absl::StrCat("repo, ", other.name(), " (", other.id(), ")"));
        }
        return PutRepo(connection, repo);
      });
}

absl::Status SqliteCatalog::UpdateRepo(const Context& context,
                                       const BackupRepo& repo) {
  SLUICE_RETURN_IF_ERROR(CheckRepoFields(repo));
  return database_->Write(
      context, [&](SqliteConnection& connection) -> absl::Status {
        SLUICE_ASSIGN_OR_RETURN(const std::vector<BackupRepo> repos,
                                ReadRepos(connection));
        bool found = false;
        for (const BackupRepo& other : repos) {
          if (other.id() == repo.id()) found = true;
          if (other.id() != repo.id() && other.name() == repo.name())
            return NameTaken(absl::StrCat("repo ", repo.name()));
        }
        if (!found)
          return MakeError(absl::StatusCode::kNotFound, kRepoNotFound,
                           absl::StrCat("there is no repo ", repo.id()));
        return PutRepo(connection, repo);
      });
}

absl::StatusOr<BackupRepo> SqliteCatalog::GetRepo(
    const Context& context, absl::string_view name_or_id) {
  absl::optional<BackupRepo> repo;
  SLUICE_RETURN_IF_ERROR(
      database_->Read(context, [&](SqliteConnection& connection) {
        SLUICE_ASSIGN_OR_RETURN(const std::string id,
                                FindRepo(connection, name_or_id));
        SLUICE_ASSIGN_OR_RETURN(repo, ReadRepo(connection, id));
        return absl::OkStatus();
      }));
  return *std::move(repo);
}

absl::StatusOr<std::vector<BackupRepo>> SqliteCatalog::ListRepos(
    const Context& context) {
  std::vector<BackupRepo> repos;
  SLUICE_RETURN_IF_ERROR(
      database_->Read(context, [&](SqliteConnection& connection) {
        SLUICE_ASSIGN_OR_RETURN(repos, ReadRepos(connection));
        return absl::OkStatus();
      }));
  return repos;
}

absl::Status SqliteCatalog::RemoveRepo(const Context& context,
                                       absl::string_view name_or_id) {
  return database_->Write(
      context, [&](SqliteConnection& connection) -> absl::Status {
        SLUICE_ASSIGN_OR_RETURN(const std::string id,
                                FindRepo(connection, name_or_id));
        SLUICE_ASSIGN_OR_RETURN(
            SqliteStatement remove,
            connection.Prepare("DELETE FROM repos WHERE id = ?"));
        return remove.Bind(id).Run();
      });
}

// --- records

absl::StatusOr<BackupRecord> SqliteCatalog::GetRecord(
    const Context& context, absl::string_view id_or_prefix) {
  absl::optional<BackupRecord> record;
  SLUICE_RETURN_IF_ERROR(
      database_->Read(context, [&](SqliteConnection& connection) {
        SLUICE_ASSIGN_OR_RETURN(const std::string id,
                                FindId(connection, "records", id_or_prefix));
        SLUICE_ASSIGN_OR_RETURN(record, ReadRecord(connection, id));
        return absl::OkStatus();
      }));
  return *std::move(record);
}

absl::StatusOr<std::vector<BackupRecord>> SqliteCatalog::ListRecords(
    const Context& context, const CatalogFilter& filter) {
  std::vector<BackupRecord> records;
  SLUICE_RETURN_IF_ERROR(
      database_->Read(context, [&](SqliteConnection& connection) {
        SLUICE_ASSIGN_OR_RETURN(records, ReadRecords(connection, filter));
        return absl::OkStatus();
      }));
  return records;
}

absl::Status SqliteCatalog::FlagRecord(const Context& context, const char* sql,
                                       bool flag,
                                       absl::string_view id_or_prefix) {
  return database_->Write(
      context, [&](SqliteConnection& connection) -> absl::Status {
        SLUICE_ASSIGN_OR_RETURN(const std::string id,
                                FindId(connection, "records", id_or_prefix));
        SLUICE_ASSIGN_OR_RETURN(SqliteStatement update,
                                connection.Prepare(sql));
        return update.Bind(int64_t{flag}).Bind(id).Run();
      });
}

absl::Status SqliteCatalog::SetPinned(const Context& context,
                                      absl::string_view id_or_prefix,
                                      bool pinned) {
  return FlagRecord(context, "UPDATE records SET pinned = ? WHERE id = ?",
                    pinned, id_or_prefix);
}

absl::Status SqliteCatalog::SetDamaged(const Context& context,
                                       absl::string_view id_or_prefix,
                                       bool damaged) {
  return FlagRecord(context, "UPDATE records SET damaged = ? WHERE id = ?",
                    damaged, id_or_prefix);
}

absl::Status SqliteCatalog::DeleteRecord(const Context& context,
                                         absl::string_view id_or_prefix) {
  return database_->Write(
      context, [&](SqliteConnection& connection) -> absl::Status {
        SLUICE_ASSIGN_OR_RETURN(const std::string id,
                                FindId(connection, "records", id_or_prefix));
        SLUICE_ASSIGN_OR_RETURN(
            SqliteStatement warnings,
            connection.Prepare(
                "DELETE FROM warnings WHERE of = 'record' AND id = ?"));
        SLUICE_RETURN_IF_ERROR(warnings.Bind(id).Run());
        SLUICE_ASSIGN_OR_RETURN(
            SqliteStatement remove,
            connection.Prepare("DELETE FROM records WHERE id = ?"));
        return remove.Bind(id).Run();
      });
}

// --- jobs, as people see them

void SqliteCatalog::Complete(CatalogJob& entry) const {
  if (IsTerminal(entry.job)) return;
  entry.live = entry.lease && IsLive(*entry.lease, Judge());
  entry.owner_ended =
      entry.lease && IsProvablyDead(self_, entry.lease->process);
  const absl::optional<HeldJobs::View> held = held_.Find(entry.job.id());
  if (!held || !held->progress) return;
  entry.job.set_progress(
      std::max(entry.job.progress(), held->progress->percent));
  entry.job.set_bytes_done(
      std::max(entry.job.bytes_done(), held->progress->bytes_done));
  entry.job.set_stage(held->progress->stage);
}

absl::StatusOr<CatalogJob> SqliteCatalog::GetJob(
    const Context& context, absl::string_view id_or_prefix) {
  absl::optional<CatalogJob> job;
  SLUICE_RETURN_IF_ERROR(
      database_->Read(context, [&](SqliteConnection& connection) {
        SLUICE_ASSIGN_OR_RETURN(const std::string id,
                                FindId(connection, "jobs", id_or_prefix));
        SLUICE_ASSIGN_OR_RETURN(job, ReadJob(connection, id));
        return absl::OkStatus();
      }));
  Complete(*job);
  return *std::move(job);
}

absl::StatusOr<std::vector<CatalogJob>> SqliteCatalog::ListJobs(
    const Context& context, const CatalogFilter& filter) {
  std::vector<CatalogJob> jobs;
  SLUICE_RETURN_IF_ERROR(
      database_->Read(context, [&](SqliteConnection& connection) {
        SLUICE_ASSIGN_OR_RETURN(jobs, ReadJobs(connection, filter));
        return absl::OkStatus();
      }));
  for (CatalogJob& entry : jobs) Complete(entry);
  return jobs;
}

absl::Status SqliteCatalog::RequestCancel(const Context& context,
                                          absl::string_view id_or_prefix) {
  return database_->Write(
      context, [&](SqliteConnection& connection) -> absl::Status {
        SLUICE_ASSIGN_OR_RETURN(const std::string id,
                                FindId(connection, "jobs", id_or_prefix));
        SLUICE_ASSIGN_OR_RETURN(const absl::optional<CatalogJob> entry,
                                ReadJob(connection, id));
        if (IsTerminal(entry->job)) return Finished(entry->job);
        SLUICE_ASSIGN_OR_RETURN(
            SqliteStatement update,
            connection.Prepare(
                "UPDATE jobs SET cancel_requested = 1 WHERE id = ?"));
        return update.Bind(id).Run();
      });
}

// --- leases

absl::StatusOr<bool> SqliteCatalog::RenewRow(SqliteConnection& connection,
                                             const HeldJobs::View& held,
                                             absl::Duration& ends) {
  SLUICE_ASSIGN_OR_RETURN(
      SqliteStatement update,
      connection.Prepare("UPDATE leases SET expires_at_ms = ?, "
                         "expires_at_boot_ms = ? WHERE job_id = ? AND fence = "
                         "?"));
  const absl::Duration since_boot = options_.clock->SinceBoot();
  // Waiting for other writers may have taken longer than the lease had left.
  if (since_boot >= held.ends) return false;
  ends = since_boot + options_.lease;
  SLUICE_RETURN_IF_ERROR(
      update.Bind(absl::ToUnixMillis(options_.clock->Now() + options_.lease))
          .Bind(absl::ToInt64Milliseconds(ends))
          .Bind(held.job_id)
          .Bind(held.fence)
          .Run());
  return connection.Changes() > 0;
}

absl::Status SqliteCatalog::CheckLease(const Context& context,
                                       absl::string_view job_id) {
  LoseLapsed();
  const absl::optional<HeldJobs::View> held = held_.Find(job_id);
  if (!held || held->lost) return Fenced(job_id, kLost);
  bool ours = false;
  absl::Duration ends;
  SLUICE_RETURN_IF_ERROR(
      database_->Write(context, [&](SqliteConnection& connection) {
        SLUICE_ASSIGN_OR_RETURN(ours, RenewRow(connection, *held, ends));
        return absl::OkStatus();
      }));
  if (!ours) {
    held_.Lose(job_id, held->fence, Fenced(job_id, kLost));
    return Fenced(job_id, kLost);
  }
  held_.Renewed(job_id, held->fence, ends);
  return absl::OkStatus();
}

absl::Status SqliteCatalog::TakeOver(const Context& context,
                                     absl::string_view job_id) {
  // A run of this object that slept past its lease must not find itself holding
  // the job again.
  if (held_.Find(job_id))
    return MakeError(
        absl::StatusCode::kFailedPrecondition, kBackupAlreadyRunning,
        absl::StrCat("job ", job_id, " is still run by this process"));
  Lease lease;
  SLUICE_RETURN_IF_ERROR(database_->Write(
      context, [&](SqliteConnection& connection) -> absl::Status {
        SLUICE_ASSIGN_OR_RETURN(const absl::optional<CatalogJob> entry,
                                ReadJob(connection, job_id));
        if (!entry)
          return MakeError(absl::StatusCode::kNotFound, kJobNotFound,
                           absl::StrCat("there is no job ", job_id));
        if (IsTerminal(entry->job)) return Finished(entry->job);
        if (entry->lease && IsLive(*entry->lease, Judge()))
          return MakeError(absl::StatusCode::kFailedPrecondition,
                           kBackupAlreadyRunning,
                           absl::StrCat("job ", job_id, " is alive, of ",
                                        entry->lease->owner));
        SLUICE_ASSIGN_OR_RETURN(lease, BeginLease(connection, job_id));
        return absl::OkStatus();
      }));
  held_.Add(job_id, lease.fence, lease.expires_at_boot);
  return absl::OkStatus();
}

absl::Status SqliteCatalog::Release(const Context& context,
                                    absl::string_view job_id) {
  const absl::optional<HeldJobs::View> held = held_.Find(job_id);
  if (!held) return absl::OkStatus();
  held_.Remove(job_id);
  return database_->Write(context, [&](SqliteConnection& connection) {
    SLUICE_ASSIGN_OR_RETURN(
        SqliteStatement end,
        connection.Prepare("UPDATE leases SET expires_at_ms = 0, "
                           "expires_at_boot_ms = 0 WHERE job_id = ? AND fence "
                           "= ?"));
    return end.Bind(job_id).Bind(held->fence).Run();
  });
}

// --- the heartbeat's thread. What fails here is tried again at the next tick,
// until the lease runs out.

void SqliteCatalog::Heartbeat() {
  while (held_.AwaitTick(*options_.clock, options_.cancel_poll)) {
    LoseLapsed();
    RenewAndWriteProgress();
    PollCancel();
  }
}

void SqliteCatalog::LoseLapsed() {
  const absl::Duration since_boot = options_.clock->SinceBoot();
  for (const HeldJobs::View& held : held_.All())
    if (!held.lost && since_boot >= held.ends)
      held_.Lose(held.job_id, held.fence,
                 Fenced(held.job_id, "its lease ran out"));
}

void SqliteCatalog::RenewAndWriteProgress() {
  const absl::Duration since_boot = options_.clock->SinceBoot();
  std::vector<HeldJobs::View> all = held_.All();
  bool renew = false;
  bool write_progress = false;
  for (const HeldJobs::View& held : all) {
    if (held.lost) continue;
    renew |= since_boot >= held.ends - options_.lease * 3 / 4;
    write_progress |= held.progress_unwritten;
  }
  write_progress &= since_boot >= progress_written_at_ + kProgressInterval;
  if (!renew && !write_progress) return;

  std::vector<HeldJobs::View> lost;
  std::vector<std::pair<HeldJobs::View, absl::Duration>> renewed;
  const absl::Status status = database_->Write(
      alive_.first, [&](SqliteConnection& connection) -> absl::Status {
        SLUICE_ASSIGN_OR_RETURN(
            SqliteStatement update,
            connection.Prepare("UPDATE jobs SET progress = max(progress, ?), "
                               "bytes_done = max(bytes_done, ?), stage = ? "
                               "WHERE id = ?"));
        for (const HeldJobs::View& held : all) {
          if (held.lost) continue;
          absl::Duration ends;
          SLUICE_ASSIGN_OR_RETURN(const bool ours,
                                  RenewRow(connection, held, ends));
          if (!ours) {
            lost.push_back(held);
            continue;
          }
          renewed.emplace_back(held, ends);
          if (!held.progress_unwritten) continue;
          SLUICE_RETURN_IF_ERROR(
              update.Bind(int64_t{held.progress->percent})
                  .Bind(static_cast<int64_t>(held.progress->bytes_done))
                  .Bind(held.progress->stage)
                  .Bind(held.job_id)
                  .Run());
          update.Reset();
        }
        return absl::OkStatus();
      });
  if (!status.ok()) return;
  progress_written_at_ = since_boot;
  for (const auto& [held, ends] : renewed) {
    held_.Renewed(held.job_id, held.fence, ends);
    if (held.progress_unwritten)
      held_.ProgressWritten(held.job_id, *held.progress);
  }
  for (const HeldJobs::View& held : lost)
    held_.Lose(held.job_id, held.fence,
               Fenced(held.job_id, "another process took its lease"));
}

void SqliteCatalog::PollCancel() {
  std::vector<std::string> requested;
  const std::vector<HeldJobs::View> all = held_.All();
  const absl::Status status = database_->Read(
      alive_.first, [&](SqliteConnection& connection) -> absl::Status {
        SLUICE_ASSIGN_OR_RETURN(
            SqliteStatement select,
            connection.Prepare(
                "SELECT cancel_requested FROM jobs WHERE id = ?"));
        for (const HeldJobs::View& held : all) {
          if (!held.wants_cancel) continue;
          SLUICE_ASSIGN_OR_RETURN(const bool row,
                                  select.Bind(held.job_id).Step());
          if (row && select.Integer(0) != 0) requested.push_back(held.job_id);
          select.Reset();
        }
        return absl::OkStatus();
      });
  if (!status.ok()) return;
  for (const std::string& job_id : requested)
    held_.Cancel(job_id,
                 absl::CancelledError("cancelled by `sluice job cancel`"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Catalog>> OpenSqliteCatalog(
    const Context& context, const SqliteCatalogOptions& options) {
  if (options.path.empty() || options.path.find('\0') != std::string::npos ||
      options.lease < absl::Milliseconds(10))
    return MakeError(absl::StatusCode::kInvalidArgument, kInvalidArgument,
                     "the catalog's path is empty, or its lease too short");
  SLUICE_RETURN_IF_ERROR(
      PrepareCatalogFile(*options.file_system, options.path));
  SLUICE_ASSIGN_OR_RETURN(
      std::unique_ptr<SqliteDatabase> database,
      SqliteDatabase::Open({options.path, options.vfs, options.clock,
                            options.busy_timeout, options.exclusive}));
  if (absl::Status ready =
          EnsureSchema(context, *database, CatalogMigrations());
      !ready.ok())
    return Annotate(ready, options.path);
  KeepReserve(*options.file_system, options.path);
  std::string id;
  SLUICE_RETURN_IF_ERROR(
      database->Read(context, [&](SqliteConnection& connection) {
        SLUICE_ASSIGN_OR_RETURN(SqliteStatement select,
                                connection.Prepare("SELECT id FROM catalog"));
        SLUICE_ASSIGN_OR_RETURN(const bool row, select.Step());
        if (row) id = select.Text(0);
        return absl::OkStatus();
      }));
  return std::unique_ptr<Catalog>(std::make_unique<SqliteCatalog>(
      options, std::move(database), std::move(id)));
}

}  // namespace sluice
