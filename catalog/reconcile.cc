#include "sluice/catalog/reconcile.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"

namespace sluice {
namespace {

using Kind = ReconcileFinding::Kind;

class Reconciler {
 public:
  Reconciler(const Context& context, Catalog& catalog, const BackupRepo& repo,
             ArchiveView& archives, const ReconcileOptions& options)
      : context_(context),
        catalog_(catalog),
        repo_(repo),
        archives_(archives),
        options_(options) {}

  absl::StatusOr<ReconcileReport> Run() {
    CatalogFilter of_repo;
    of_repo.repo_id = repo_.id();
    // Records before archives: one that is there now had its archive before,
    // so a backup that ends meanwhile is not taken for a lost one.
    SLUICE_ASSIGN_OR_RETURN(const std::vector<BackupRecord> records,
                            catalog_.ListRecords(context_, of_repo));
    CatalogFilter unfinished = of_repo;
    unfinished.unfinished_only = true;
    SLUICE_ASSIGN_OR_RETURN(const std::vector<CatalogJob> jobs,
                            catalog_.ListJobs(context_, unfinished));
    SLUICE_ASSIGN_OR_RETURN(const std::vector<ArchiveView::Entry> archives,
                            archives_.List(context_));
    for (const CatalogJob& job : jobs) SettleJob(job);
    std::map<std::string, const BackupRecord*> recorded;
    for (const BackupRecord& record : records) recorded[record.id()] = &record;
    std::set<std::string> published;
    for (const ArchiveView::Entry& archive : archives) {
      published.insert(archive.backup_id);
      const auto record = recorded.find(archive.backup_id);
      if (record != recorded.end()) {
        CheckRecorded(archive, *record->second);
      } else {
        SettleUnrecorded(archive);
      }
    }
    for (const BackupRecord& record : records)
      if (published.count(record.id()) == 0) SettleMissing(record);
    SLUICE_RETURN_IF_ERROR(context_.status());
    return std::move(report_);
  }

 private:
  void Find(Kind kind, absl::string_view id, std::string message,
            absl::Status status = absl::OkStatus()) {
    report_.findings.push_back(
        {kind, std::string(id), std::move(message), std::move(status)});
  }
  void Problem(absl::string_view id, absl::string_view what,
               const absl::Status& status) {
    Find(Kind::kProblem, id, absl::StrCat(what, ": ", status.message()),
         status);
  }

  // --- jobs

  void SettleJob(const CatalogJob& entry) {
    const BackupJob& job = entry.job;
    if (entry.live) {
      Find(Kind::kJobAlive, job.id(),
           absl::StrCat(entry.lease->owner, " is working on it"));
      return;
    }
    if (job.status() == BackupJob::PENDING) return;  // it waits for a worker
    if (job.kind() == BackupJob::BACKUP && !MayEnd(entry)) return;
    const absl::Status taken = catalog_.TakeOver(context_, job.id());
    if (ErrorCodeOf(taken) == kJobFinished) return;
    if (ErrorCodeOf(taken) == kBackupAlreadyRunning) {
      Find(Kind::kJobAlive, job.id(), "another process is working on it");
      return;
    }
    if (!taken.ok()) return Problem(job.id(), "take the job over", taken);
    const absl::Status settled = SettleTaken(job);
    if (settled.ok()) return;
    Problem(job.id(), "settle the dead job", settled);
    catalog_.Release(context_, job.id()).IgnoreError();
  }

  // An owner who may still be there has the word of the repo for it: this
  // catalog may be a copy, and the owner's lease in the original.
  bool MayEnd(const CatalogJob& entry) {
    // One without an archive's id was claimed, and its run never begun.
    if (entry.owner_ended || entry.job.backup_id().empty()) return true;
    const absl::StatusOr<bool> alive =
        archives_.WriterAlive(context_, entry.job.backup_id());
    if (!alive.ok()) {
      Problem(entry.job.id(), "look for the job's writer", alive.status());
      return false;
    }
    if (*alive) {
      Find(Kind::kJobAlive, entry.job.id(),
           "its lease ran out, but its writer has shown life in the repo");
    }
    return !*alive;
  }

  absl::Status SettleTaken(const BackupJob& job) {
    if (job.kind() != BackupJob::BACKUP) return Interrupt(job);
    if (job.backup_id().empty()) return Interrupt(job);  // it never began
    SLUICE_ASSIGN_OR_RETURN(
        const ArchiveView::Fenced fenced,
        archives_.Fence(context_, job.backup_id(),
                        absl::StrCat("job ", job.id(), " died")));
    if (fenced == ArchiveView::Fenced::kFenced) return Interrupt(job);
    const absl::StatusOr<Manifest> manifest =
        archives_.Verify(context_, job.backup_id());
    if (ErrorCodeOf(manifest.status()) == kArchiveDamaged)
      return Fail(job, manifest.status());
    SLUICE_RETURN_IF_ERROR(manifest.status());
    return Succeed(job, *manifest);
  }

  BackupJob Ended(BackupJob job, BackupJob::Status status) const {
    job.set_status(status);
    job.set_finished_at_ms(absl::ToUnixMillis(options_.clock->Now()));
    return job;
  }

  absl::Status Interrupt(const BackupJob& before) {
    BackupJob job = Ended(before, BackupJob::INTERRUPTED);
    job.set_error("the process that ran it has died or was stopped");
    job.set_error_code(std::string(kProcessDied));
    SLUICE_RETURN_IF_ERROR(catalog_.UpdateBackupJob(context_, job));
    Find(Kind::kJobInterrupted, job.id(), job.error());
    return absl::OkStatus();
  }

  absl::Status Fail(const BackupJob& before, const absl::Status& damage) {
    BackupJob job = Ended(before, BackupJob::FAILED);
    job.set_error(std::string(damage.message()));
    job.set_error_code(ErrorCodeOf(damage));
    SLUICE_RETURN_IF_ERROR(catalog_.UpdateBackupJob(context_, job));
    Find(Kind::kJobFailed, job.id(),
         absl::StrCat("its archive ", job.backup_id(), " is damaged"), damage);
    return absl::OkStatus();
  }

  absl::Status Succeed(const BackupJob& before, const Manifest& manifest) {
    BackupJob job = Ended(before, BackupJob::SUCCEEDED);
    BackupRecord record = RecordOf(manifest, repo_, options_.clock->Now());
    record.set_job_id(job.id());
    SLUICE_RETURN_IF_ERROR(catalog_.CreateBackupRecord(context_, record));
    job.set_record_id(record.id());
    job.set_progress(100);
    job.set_bytes_done(manifest.plain_size_bytes());
    job.set_stage("done");
    *job.mutable_warnings() = manifest.warnings();
    SLUICE_RETURN_IF_ERROR(catalog_.UpdateBackupJob(context_, job));
    Find(Kind::kJobSucceeded, job.id(),
         absl::StrCat("its archive ", record.id(),
                      " was published before the process died"));
    return absl::OkStatus();
  }

  // --- archives

  void CheckRecorded(const ArchiveView::Entry& archive,
                     const BackupRecord& record) {
    // What an earlier run recorded as damaged may have been mended since.
    const bool again = record.damaged() && options_.adopt;
    absl::Status found = archive.manifest.status();
    if (found.ok() && (options_.verify || again))
      found = archives_.Verify(context_, archive.backup_id).status();
    if (found.ok() && again) return Mended(archive.backup_id);
    if (found.ok() || ErrorCodeOf(found) == kArchiveNotFound) return;
    if (ErrorCodeOf(found) != kArchiveDamaged)
      return Problem(archive.backup_id, "verify the archive", found);
    Find(Kind::kDamagedArchive, archive.backup_id, std::string(found.message()),
         found);
    const absl::Status marked =
        catalog_.SetDamaged(context_, archive.backup_id, true);
    if (!marked.ok() && ErrorCodeOf(marked) != kRecordNotFound)
      Problem(archive.backup_id, "mark the record as damaged", marked);
  }

  void Mended(const std::string& id) {
    const absl::Status marked = catalog_.SetDamaged(context_, id, false);
    if (!marked.ok()) return Problem(id, "mark the record as sound", marked);
    Find(Kind::kArchiveAdopted, id, "verified, and no longer damaged");
  }

  void SettleUnrecorded(const ArchiveView::Entry& archive) {
    const std::string& id = archive.backup_id;
    if (!archive.manifest.ok()) {
      const bool damaged =
          ErrorCodeOf(archive.manifest.status()) == kArchiveDamaged;
      Find(damaged ? Kind::kDamagedArchive : Kind::kProblem, id,
           std::string(archive.manifest.status().message()),
           archive.manifest.status());
      return;
    }
    const Manifest& manifest = *archive.manifest;
    const bool ours = manifest.catalog_id() == catalog_.catalog_id();
    if (ours && !IsUnowned(manifest)) return;
    const bool named =
        options_.adopt_all ||
        std::count(options_.adopt_foreign.begin(), options_.adopt_foreign.end(),
                   manifest.catalog_id()) > 0;
    if (!ours && !named) {
      if (!HasRecord(id)) {
        Find(Kind::kArchiveForeign, id,
             absl::StrCat(
                 "written by catalog ", manifest.catalog_id(),
                 "; --adopt-foreign takes it in, --adopt-all all such"));
      }
      return;
    }
    if (!named && !options_.adopt) {
      Find(Kind::kArchiveWithoutRecord, id, "--adopt takes it in");
      return;
    }
    Adopt(manifest);
  }

  bool HasRecord(const std::string& id) {
    const absl::StatusOr<BackupRecord> record =
        catalog_.GetRecord(context_, id);
    return record.ok() && record->id() == id;
  }

  // False where its job is still at work, or has written its record by now.
  bool IsUnowned(const Manifest& manifest) {
    const absl::StatusOr<CatalogJob> job =
        catalog_.GetJob(context_, manifest.job_id());
    // The record after the job: a job that ends writes its record first.
    if (HasRecord(manifest.backup_id())) return false;
    if (ErrorCodeOf(job.status()) == kJobNotFound || manifest.job_id().empty())
      return true;
    if (!job.ok()) {
      Problem(manifest.backup_id(), "read the archive's job", job.status());
      return false;
    }
    // One that is dead has its own finding.
    return job->job.id() != manifest.job_id() || IsTerminal(job->job);
  }

  void Adopt(const Manifest& listed) {
    const std::string& id = listed.backup_id();
    const absl::StatusOr<Manifest> manifest = archives_.Verify(context_, id);
    if (ErrorCodeOf(manifest.status()) == kArchiveNotFound) return;
    if (ErrorCodeOf(manifest.status()) == kArchiveDamaged) {
      return AdoptDamaged(listed, manifest.status());
    }
    if (!manifest.ok())
      return Problem(id, "verify the archive", manifest.status());
    const absl::Status stored = catalog_.CreateBackupRecord(
        context_, RecordOf(*manifest, repo_, options_.clock->Now()));
    if (!stored.ok()) return Problem(id, "write the record", stored);
    Find(Kind::kArchiveAdopted, id, "verified, and recorded");
  }

  void AdoptDamaged(const Manifest& listed, const absl::Status& damage) {
    const std::string& id = listed.backup_id();
    Find(Kind::kDamagedArchive, id,
         absl::StrCat("recorded as damaged: ", damage.message()), damage);
    absl::Status marked = catalog_.CreateBackupRecord(
        context_, RecordOf(listed, repo_, options_.clock->Now()));
    if (marked.ok()) marked = catalog_.SetDamaged(context_, id, true);
    if (!marked.ok()) Problem(id, "record the damage", marked);
  }

  // --- records

  void SettleMissing(const BackupRecord& record) {
    if (!options_.forget) {
      Find(Kind::kRecordWithoutArchive, record.id(),
           "--forget deletes the record");
      return;
    }
    // The list is old by now, and a deleted record does not come back.
    const absl::StatusOr<bool> there =
        archives_.IsPublished(context_, record.id());
    if (!there.ok())
      return Problem(record.id(), "look for the archive", there.status());
    if (*there) return;
    const absl::Status gone = catalog_.DeleteRecord(context_, record.id());
    if (!gone.ok() && ErrorCodeOf(gone) != kRecordNotFound)
      return Problem(record.id(), "delete the record", gone);
    Find(Kind::kRecordForgotten, record.id(), "its archive is gone");
  }

  const Context& context_;
  Catalog& catalog_;
  const BackupRepo& repo_;
  ArchiveView& archives_;
  const ReconcileOptions& options_;
  ReconcileReport report_;
};

}  // namespace

absl::string_view WordOf(ReconcileFinding::Kind kind) {
  switch (kind) {
    case Kind::kJobInterrupted:
      return "job_interrupted";
    case Kind::kJobSucceeded:
      return "job_succeeded";
    case Kind::kJobFailed:
      return "job_failed";
    case Kind::kJobAlive:
      return "job_alive";
    case Kind::kArchiveWithoutRecord:
      return "archive_without_record";
    case Kind::kArchiveAdopted:
      return "archive_adopted";
    case Kind::kArchiveForeign:
      return "archive_foreign";
    case Kind::kRecordWithoutArchive:
      return "record_without_archive";
    case Kind::kRecordForgotten:
      return "record_forgotten";
    case Kind::kDamagedArchive:
      return "archive_damaged";
    case Kind::kProblem:
      break;
  }
  return "problem";
}

int ReconcileReport::Count(ReconcileFinding::Kind kind) const {
  return static_cast<int>(
      std::count_if(findings.begin(), findings.end(),
                    [kind](const ReconcileFinding& finding) {
                      return finding.kind == kind;
                    }));
}

absl::Status ReconcileReport::status() const {
  for (const ReconcileFinding& finding : findings) {
    if (finding.kind == Kind::kProblem)
      return Annotate(finding.status, finding.id);
  }
  return absl::OkStatus();
}

BackupRecord RecordOf(const Manifest& manifest, const BackupRepo& repo,
                      absl::Time now) {
  BackupRecord record;
  record.set_id(manifest.backup_id());
  record.set_repo_id(repo.id());
  record.set_job_id(manifest.job_id());
  record.set_store_id(manifest.store_id());
  record.set_store_kind(manifest.store_kind());
  absl::Time created;
  if (absl::ParseTime(absl::RFC3339_full, manifest.created_at(), &created,
                      nullptr))
    record.set_created_at_ms(absl::ToUnixMillis(created));
  record.set_finished_at_ms(absl::ToUnixMillis(now));
  record.set_sha256(manifest.sha256());
  record.set_size_bytes(manifest.size_bytes());
  record.set_plain_size_bytes(manifest.plain_size_bytes());
  record.set_base_backup_id(manifest.base_backup_id());
  record.set_plan_id(manifest.plan_id());
  *record.mutable_source_counts() = manifest.source_counts();
  record.set_payload_id_count(manifest.payload_id_count());
  *record.mutable_warnings() = manifest.warnings();
  return record;
}

absl::StatusOr<ReconcileReport> Reconcile(const Context& context,
                                          Catalog& catalog,
                                          const BackupRepo& repo,
                                          ArchiveView& archives,
                                          const ReconcileOptions& options) {
  if (repo.id().empty()) {
    return InvalidArgument("the repo id is empty");
  }
  return Reconciler(context, catalog, repo, archives, options).Run();
}

}  // namespace sluice
