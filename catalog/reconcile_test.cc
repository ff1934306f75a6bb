#include "sluice/catalog/reconcile.h"

#include <stdlib.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/base/testing/fake_clock.h"
#include "sluice/catalog/sqlite/sqlite_catalog.h"

namespace sluice {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Kind = ReconcileFinding::Kind;

// A repo in memory. Names are won once, as in a real one.
class FakeArchives final : public ArchiveView {
 public:
  absl::StatusOr<std::vector<Entry>> List(const Context&) override {
    if (!list_error.ok()) return list_error;
    std::vector<Entry> entries;
    for (const auto& [id, manifest] : published) {
      if (unreadable.count(id) > 0) {
        entries.push_back({id, Damage()});
      } else {
        entries.push_back({id, manifest});
      }
    }
    if (after_list) after_list();
    return entries;
  }
  absl::StatusOr<Manifest> Verify(const Context&,
                                  absl::string_view id) override {
    ++verified;
    if (!verify_error.ok()) return verify_error;
    if (damaged.count(std::string(id)) > 0) return Damage();
    const auto found = published.find(std::string(id));
    if (found == published.end())
      return MakeError(absl::StatusCode::kNotFound, kArchiveNotFound, "gone");
    return found->second;
  }
  absl::StatusOr<bool> WriterAlive(const Context&,
                                   absl::string_view id) override {
    return writers.count(std::string(id)) > 0;
  }
  absl::StatusOr<Fenced> Fence(const Context&, absl::string_view id,
                               absl::string_view) override {
    if (before_fence) before_fence();
    if (!fence_error.ok()) return fence_error;
    if (published.count(std::string(id)) > 0) return Fenced::kPublished;
    tombstones.insert(std::string(id));
    return Fenced::kFenced;
  }
  absl::StatusOr<bool> IsPublished(const Context&,
                                   absl::string_view id) override {
    return published.count(std::string(id)) > 0;
  }

  // What a writer that goes on does: false where the name was taken.
  bool Publish(const Manifest& manifest) {
    if (tombstones.count(manifest.backup_id()) > 0) return false;
    return published.emplace(manifest.backup_id(), manifest).second;
  }
  static absl::Status Damage() {
    return MakeError(absl::StatusCode::kDataLoss, kArchiveDamaged,
                     "payload.bin: wrong hash");
  }

  std::map<std::string, Manifest> published;
  std::set<std::string> tombstones, writers, damaged, unreadable;
  absl::Status list_error, verify_error, fence_error;
  std::function<void()> before_fence, after_list;
  int verified = 0;
};

class ReconcileTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string folder = absl::StrCat(::testing::TempDir(), "/rec-XXXXXX");
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    options_.path = folder + "/catalog.db";
    options_.clock = &clock_;
    options_.heartbeat = false;
    repo_.set_id("repo");
    repo_.set_name("nightly");
    reconcile_.clock = &clock_;
    runner_ = Open();
    catalog_ = Open();
  }

  std::unique_ptr<Catalog> Open() {
    auto catalog = OpenSqliteCatalog(context_, options_);
    EXPECT_TRUE(catalog.ok()) << catalog.status();
    return *std::move(catalog);
  }

  // A job of `runner_`, its archive is the job's id in capitals.
  BackupJob Start(const std::string& id,
                  BackupJob::Kind kind = BackupJob::BACKUP) {
    BackupJob job;
    job.set_id(id);
    job.set_kind(kind);
    job.set_status(BackupJob::RUNNING);
    job.set_repo_id("repo");
    job.set_store_id("store-of-" + id);
    job.set_store_kind("memory");
    job.set_backup_id("ARCHIVE-" + id);
    EXPECT_TRUE(runner_->CreateBackupJob(context_, job).ok());
    return job;
  }

  Manifest ManifestOf(const BackupJob& job) {
    Manifest manifest;
    manifest.set_backup_id(job.backup_id());
    manifest.set_job_id(job.id());
    manifest.set_catalog_id(catalog_->catalog_id());
    manifest.set_repo_id("repo");
    manifest.set_store_id(job.store_id());
    manifest.set_store_kind("memory");
    manifest.set_created_at("2026-11-22T10:47:23.042Z");
    manifest.set_sha256("abc");
    manifest.set_size_bytes(10);
    manifest.set_plain_size_bytes(9);
    return manifest;
  }

  void Die() { clock_.Advance(absl::Seconds(31)); }

  ReconcileReport Run() {
    auto report = Reconcile(context_, *catalog_, repo_, archives_, reconcile_);
    EXPECT_TRUE(report.ok()) << report.status();
    return report.ok() ? *std::move(report) : ReconcileReport();
  }

  std::vector<std::string> Words(const ReconcileReport& report) {
    std::vector<std::string> words;
    for (const ReconcileFinding& finding : report.findings)
      words.push_back(absl::StrCat(WordOf(finding.kind), " ", finding.id));
    return words;
  }

  BackupJob JobNow(const std::string& id) {
    return catalog_->GetJob(context_, id)->job;
  }
  bool HasRecord(const std::string& id) {
    return catalog_->GetRecord(context_, id).ok();
  }

  FakeClock clock_;
  Context context_ = Context::Background();
  SqliteCatalogOptions options_;
  BackupRepo repo_;
  std::unique_ptr<Catalog> runner_, catalog_;
  FakeArchives archives_;
  ReconcileOptions reconcile_;
};

TEST_F(ReconcileTest, EndsADeadJobAsInterruptedAndFencesItFirst) {
  const BackupJob job = Start("a");
  Die();
  archives_.before_fence = [&] {
    EXPECT_EQ(JobNow("a").status(), BackupJob::RUNNING)
        << "ended before its archive was fenced";
  };
  EXPECT_THAT(Words(Run()), ElementsAre("job_interrupted a"));
  EXPECT_EQ(JobNow("a").status(), BackupJob::INTERRUPTED);
  EXPECT_EQ(JobNow("a").error_code(), kProcessDied);
  EXPECT_EQ(JobNow("a").finished_at_ms(), absl::ToUnixMillis(clock_.Now()));
  EXPECT_FALSE(archives_.Publish(ManifestOf(job)))
      << "the owner goes on after a pause, and publishes nothing";
  EXPECT_EQ(ErrorCodeOf(runner_->CheckLease(context_, "a")), kPublishFenced);
  EXPECT_THAT(Words(Run()), IsEmpty());
}

TEST_F(ReconcileTest, FinishesADeadJobWhoseArchiveIsPublished) {
  const BackupJob job = Start("a");
  archives_.Publish(ManifestOf(job));
  Die();
  EXPECT_THAT(Words(Run()), ElementsAre("job_succeeded a"));
  EXPECT_EQ(JobNow("a").status(), BackupJob::SUCCEEDED);
  EXPECT_EQ(JobNow("a").record_id(), job.backup_id());
  EXPECT_EQ(JobNow("a").progress(), 100u);
  const auto record = catalog_->GetRecord(context_, job.backup_id());
  ASSERT_TRUE(record.ok());
  EXPECT_EQ(record->job_id(), "a");
  EXPECT_EQ(record->repo_id(), "repo");
  EXPECT_EQ(record->sha256(), "abc");
  EXPECT_EQ(record->created_at_ms(), 1795344443042);
  EXPECT_THAT(Words(Run()), IsEmpty());
}

TEST_F(ReconcileTest, FinishesAJobThatDiedBetweenItsRecordAndItsEnd) {
  const BackupJob job = Start("a");
  archives_.Publish(ManifestOf(job));
  ASSERT_TRUE(runner_
                  ->CreateBackupRecord(
                      context_, RecordOf(ManifestOf(job), repo_, clock_.Now()))
                  .ok());
  Die();
  EXPECT_THAT(Words(Run()), ElementsAre("job_succeeded a"));
}

TEST_F(ReconcileTest, FailsADeadJobWhoseArchiveIsDamaged) {
  const BackupJob job = Start("a");
  archives_.Publish(ManifestOf(job));
  archives_.damaged.insert(job.backup_id());
  Die();
  EXPECT_EQ(Words(Run())[0], "job_failed a");
  EXPECT_EQ(JobNow("a").error_code(), kArchiveDamaged);
  EXPECT_FALSE(HasRecord(job.backup_id()));
}

TEST_F(ReconcileTest, LeavesLiveJobsAndTheirArchivesAlone) {
  const BackupJob job = Start("a");
  archives_.Publish(ManifestOf(job));
  reconcile_.adopt = true;
  EXPECT_THAT(Words(Run()), ElementsAre("job_alive a"));
  EXPECT_EQ(JobNow("a").status(), BackupJob::RUNNING);
  EXPECT_FALSE(HasRecord(job.backup_id()));
  EXPECT_THAT(archives_.tombstones, IsEmpty());
  EXPECT_TRUE(runner_->CheckLease(context_, "a").ok());
}

TEST_F(ReconcileTest, LeavesAJobAloneWhoseWriterShowsLifeInTheRepo) {
  const BackupJob job = Start("a");
  archives_.writers.insert(job.backup_id());
  Die();
  EXPECT_THAT(Words(Run()), ElementsAre("job_alive a"));
  EXPECT_THAT(archives_.tombstones, IsEmpty());
  archives_.writers.clear();
  EXPECT_THAT(Words(Run()), ElementsAre("job_interrupted a"));
}

TEST_F(ReconcileTest, ChangesNothingWhereTheRepoCannotBeRead) {
  Start("a");
  Die();
  archives_.list_error = MakeError(absl::StatusCode::kNotFound,
                                   kDestinationNotFound, "no repo there");
  reconcile_.adopt = reconcile_.forget = true;
  BackupRecord record;
  record.set_id("R");
  record.set_repo_id("repo");
  ASSERT_TRUE(catalog_->CreateBackupRecord(context_, record).ok());
  EXPECT_EQ(
      ErrorCodeOf(Reconcile(context_, *catalog_, repo_, archives_, reconcile_)
                      .status()),
      kDestinationNotFound);
  EXPECT_EQ(JobNow("a").status(), BackupJob::RUNNING);
  EXPECT_TRUE(HasRecord("R"));
  EXPECT_THAT(archives_.tombstones, IsEmpty());
}

TEST_F(ReconcileTest, LeavesAJobItCouldNotFenceToTheNextRun) {
  Start("a");
  Die();
  archives_.fence_error = MakeError(absl::StatusCode::kUnavailable,
                                    kDestinationUnreachable, "timeout");
  const ReconcileReport report = Run();
  EXPECT_THAT(Words(report), ElementsAre("problem a"));
  EXPECT_EQ(ErrorCodeOf(report.status()), kDestinationUnreachable);
  EXPECT_EQ(JobNow("a").status(), BackupJob::RUNNING);
  archives_.fence_error = absl::OkStatus();
  EXPECT_THAT(Words(Run()), ElementsAre("job_interrupted a"));
}

TEST_F(ReconcileTest, DoesNotFinishAJobWhoseArchiveCouldNotBeRead) {
  const BackupJob job = Start("a");
  archives_.Publish(ManifestOf(job));
  Die();
  archives_.verify_error = MakeError(absl::StatusCode::kUnavailable,
                                     kDestinationUnreachable, "timeout");
  EXPECT_THAT(Words(Run()), ElementsAre("problem a"));
  EXPECT_EQ(JobNow("a").status(), BackupJob::RUNNING);
  EXPECT_FALSE(HasRecord(job.backup_id()));
}

TEST_F(ReconcileTest, EndsADeadRestoreWithoutTouchingTheArchive) {
  const BackupJob job = Start("a", BackupJob::RESTORE);
  Die();
  EXPECT_THAT(Words(Run()), ElementsAre("job_interrupted a"));
  EXPECT_THAT(archives_.tombstones, IsEmpty());
}

TEST_F(ReconcileTest, ShowsAnArchiveWithoutRecordAndAdoptsItVerified) {
  BackupJob job = Start("a");
  job.set_status(BackupJob::FAILED);
  job.set_error_code(std::string(kRecordPersistFailed));
  ASSERT_TRUE(runner_->UpdateBackupJob(context_, job).ok());
  archives_.Publish(ManifestOf(job));
  EXPECT_THAT(Words(Run()), ElementsAre("archive_without_record ARCHIVE-a"));
  EXPECT_FALSE(HasRecord("ARCHIVE-a"));

  reconcile_.adopt = true;
  archives_.damaged.insert("ARCHIVE-a");
  EXPECT_THAT(Words(Run()), ElementsAre("archive_damaged ARCHIVE-a"));
  EXPECT_TRUE(catalog_->GetRecord(context_, "ARCHIVE-a")->damaged())
      << "what does not verify is no one's latest";
  EXPECT_THAT(Words(Run()), ElementsAre("archive_damaged ARCHIVE-a"));

  archives_.damaged.clear();
  EXPECT_THAT(Words(Run()), ElementsAre("archive_adopted ARCHIVE-a"));
  EXPECT_TRUE(HasRecord("ARCHIVE-a"));
  EXPECT_EQ(JobNow("a").status(), BackupJob::FAILED)
      << "a terminal job stays as it is";
  EXPECT_THAT(Words(Run()), IsEmpty());
}

TEST_F(ReconcileTest, AdoptsIntoAnEmptyCatalogFromTheRepoAlone) {
  Manifest manifest;
  manifest.set_backup_id("X");
  manifest.set_job_id("job of a lost catalog");
  manifest.set_catalog_id(catalog_->catalog_id());
  archives_.Publish(manifest);
  reconcile_.adopt = true;
  EXPECT_THAT(Words(Run()), ElementsAre("archive_adopted X"));
}

TEST_F(ReconcileTest, LeavesForeignArchivesAloneUnlessNamed) {
  Manifest manifest;
  manifest.set_backup_id("F");
  manifest.set_catalog_id("other");
  archives_.Publish(manifest);
  reconcile_.adopt = true;
  reconcile_.adopt_foreign = {"third"};
  EXPECT_THAT(Words(Run()), ElementsAre("archive_foreign F"));
  EXPECT_FALSE(HasRecord("F"));
  EXPECT_EQ(archives_.verified, 0);
  reconcile_.adopt_foreign = {"other"};
  EXPECT_THAT(Words(Run()), ElementsAre("archive_adopted F"));
  EXPECT_THAT(Words(Run()), IsEmpty());
}

TEST_F(ReconcileTest, BringsTheArchivesOfEveryCatalogBack) {
  for (const char* catalog : {"lost", "older still"}) {
    Manifest manifest;
    manifest.set_backup_id(absl::StrCat("of ", catalog));
    manifest.set_catalog_id(catalog);
    archives_.Publish(manifest);
  }
  archives_.damaged.insert("of lost");
  reconcile_.adopt = true;
  reconcile_.adopt_all = true;
  EXPECT_THAT(Words(Run()), ElementsAre("archive_damaged of lost",
                                        "archive_adopted of older still"));
  EXPECT_FALSE(catalog_->GetRecord(context_, "of older still")->damaged());
  EXPECT_TRUE(catalog_->GetRecord(context_, "of lost")->damaged());
}

TEST_F(ReconcileTest, ListsRecordsInTheOrderOfRecordingWhateverTheClockSaid) {
  for (const int64_t at : {5000, 9000, 1000}) {
    BackupRecord record;
    record.set_id(absl::StrCat("AT-", at));
    record.set_repo_id("repo");
    record.set_created_at_ms(at);
    ASSERT_TRUE(catalog_->CreateBackupRecord(context_, record).ok());
  }
  CatalogFilter filter;
  filter.repo_id = "repo";
  filter.in_order_of_recording = true;
  const auto records = catalog_->ListRecords(context_, filter);
  ASSERT_TRUE(records.ok()) << records.status();
  std::vector<std::string> ids;
  for (const BackupRecord& record : *records) ids.push_back(record.id());
  EXPECT_THAT(ids, ElementsAre("AT-5000", "AT-9000", "AT-1000"));
}

TEST_F(ReconcileTest, ShowsARecordWithoutArchiveAndForgetsIt) {
  BackupRecord record;
  record.set_id("R");
  record.set_repo_id("repo");
  ASSERT_TRUE(catalog_->CreateBackupRecord(context_, record).ok());
  record.set_id("S");
  record.set_repo_id("another repo");
  ASSERT_TRUE(catalog_->CreateBackupRecord(context_, record).ok());
  EXPECT_THAT(Words(Run()), ElementsAre("record_without_archive R"));
  EXPECT_TRUE(HasRecord("R"));
  reconcile_.forget = true;
  EXPECT_THAT(Words(Run()), ElementsAre("record_forgotten R"));
  EXPECT_FALSE(HasRecord("R"));
  EXPECT_TRUE(HasRecord("S"));
}

TEST_F(ReconcileTest, ForgetsNoRecordWhoseArchiveIsThereAfterAll) {
  BackupRecord record;
  record.set_id("R");
  record.set_repo_id("repo");
  ASSERT_TRUE(catalog_->CreateBackupRecord(context_, record).ok());
  reconcile_.forget = true;
  archives_.after_list = [&] {
    Manifest manifest;
    manifest.set_backup_id("R");
    archives_.Publish(manifest);
  };
  EXPECT_THAT(Words(Run()), IsEmpty());
  EXPECT_TRUE(HasRecord("R"));
}

TEST_F(ReconcileTest, DoesNotTakeABackupThatEndsMeanwhileForALostOne) {
  BackupJob job = Start("a");
  archives_.Publish(ManifestOf(job));
  reconcile_.forget = true;
  archives_.after_list = [&] {
    archives_.after_list = nullptr;
    ASSERT_TRUE(
        runner_
            ->CreateBackupRecord(context_,
                                 RecordOf(ManifestOf(job), repo_, clock_.Now()))
            .ok());
    job.set_status(BackupJob::SUCCEEDED);
    ASSERT_TRUE(runner_->UpdateBackupJob(context_, job).ok());
  };
  EXPECT_THAT(Words(Run()), ElementsAre("job_alive a"));
  EXPECT_TRUE(HasRecord("ARCHIVE-a"));
}

TEST_F(ReconcileTest, RecordsTheDamageThatItFinds) {
  for (const char* id : {"manifest", "payload", "sound"}) {
    Manifest manifest;
    manifest.set_backup_id(id);
    archives_.Publish(manifest);
    ASSERT_TRUE(catalog_
                    ->CreateBackupRecord(
                        context_, RecordOf(manifest, repo_, clock_.Now()))
                    .ok());
  }
  archives_.unreadable.insert("manifest");
  archives_.damaged.insert("payload");
  EXPECT_THAT(Words(Run()), ElementsAre("archive_damaged manifest"));
  EXPECT_TRUE(catalog_->GetRecord(context_, "manifest")->damaged());
  EXPECT_FALSE(catalog_->GetRecord(context_, "payload")->damaged());
  reconcile_.verify = true;
  Run();
  EXPECT_TRUE(catalog_->GetRecord(context_, "payload")->damaged());
  EXPECT_FALSE(catalog_->GetRecord(context_, "sound")->damaged());
}

TEST_F(ReconcileTest, TwoAtOnceSettleAJobOnce) {
  Start("a");
  Die();
  auto second = Open();
  archives_.before_fence = [&] {
    archives_.before_fence = nullptr;
    FakeArchives same = archives_;
    const auto report = Reconcile(context_, *second, repo_, same, reconcile_);
    ASSERT_TRUE(report.ok());
    EXPECT_THAT(Words(*report), ElementsAre("job_alive a"));
  };
  EXPECT_THAT(Words(Run()), ElementsAre("job_interrupted a"));
}

TEST_F(ReconcileTest, LeavesARunOfItsOwnProcessToEndItself) {
  Start("a");
  Die();
  const auto report =
      Reconcile(context_, *runner_, repo_, archives_, reconcile_);
  ASSERT_TRUE(report.ok());
  EXPECT_THAT(Words(*report), ElementsAre("job_alive a"));
  EXPECT_EQ(ErrorCodeOf(runner_->CheckLease(context_, "a")), kPublishFenced);
}

}  // namespace
}  // namespace sluice
