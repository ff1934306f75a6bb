#include "sluice/catalog/sqlite/sqlite_catalog.h"

#include <stdlib.h>
#include <sys/stat.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/base/testing/fake_clock.h"
#include "sluice/base/testing/thread_fault.h"

namespace sluice {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

BackupJob RunningJob(const std::string& id, const std::string& store = "store",
                     const std::string& repo = "repo") {
  BackupJob job;
  job.set_id(id);
  job.set_kind(BackupJob::BACKUP);
  job.set_status(BackupJob::RUNNING);
  job.set_repo_id(repo);
  job.set_store_id(store);
  job.set_store_kind("memory");
  job.set_backup_id("archive-of-" + id);
  job.set_created_at_ms(1700000000000);
  job.set_started_at_ms(1700000000001);
  return job;
}

BackupJob Ended(BackupJob job, BackupJob::Status status) {
  job.set_status(status);
  job.set_finished_at_ms(1700000005000);
  job.set_stage("done");
  if (status != BackupJob::SUCCEEDED) {
    job.set_error("disk full");
    job.set_error_code("destination_no_space");
  }
  return job;
}

BackupRecord Record(const std::string& id, const std::string& repo = "repo") {
  BackupRecord record;
  record.set_id(id);
  record.set_repo_id(repo);
  record.set_job_id("job-of-" + id);
  record.set_store_id("store");
  record.set_store_kind("memory");
  record.set_created_at_ms(1700000000000);
  record.set_finished_at_ms(1700000001000);
  record.set_sha256(std::string(64, 'a'));
  record.set_size_bytes(~uint64_t{0});
  record.set_plain_size_bytes(42);
  record.set_base_backup_id("base");
  record.set_payload_id_count(7);
  Warning* warning = record.add_warnings();
  warning->set_code("symlink");
  warning->set_message("passed over a -> \xc3\xa4\n'");
  return record;
}

class SqliteCatalogTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = absl::StrCat(::testing::TempDir(), "/catalog-XXXXXX");
    ASSERT_NE(mkdtemp(folder_.data()), nullptr);
    options_.path = folder_ + "/catalog.db";
    options_.clock = &clock_;
    options_.lease = absl::Seconds(30);
    options_.heartbeat = false;
  }

  std::unique_ptr<Catalog> Open() {
    auto catalog = OpenSqliteCatalog(context_, options_);
    EXPECT_TRUE(catalog.ok()) << catalog.status();
    return catalog.ok() ? *std::move(catalog) : nullptr;
  }

  mode_t ModeOf(const std::string& path) {
    struct stat info = {};
    EXPECT_EQ(stat(path.c_str(), &info), 0) << path;
    return info.st_mode & 07777;
  }

  FakeClock clock_;
  Context context_ = Context::Background();
  std::string folder_;
  SqliteCatalogOptions options_;
};

TEST_F(SqliteCatalogTest, AFileThatIsNotAtItsPathTakesNothingUntilItIsBack) {
  const auto catalog = Open();
  ASSERT_TRUE(catalog->CreateBackupJob(context_, RunningJob("before")).ok());
  const std::string away = options_.path + ".away";
  ASSERT_EQ(rename(options_.path.c_str(), away.c_str()), 0);
  const auto expect_away = [&] {
    const absl::Status written =
        catalog->CreateBackupJob(context_, RunningJob("lost", "other"));
    EXPECT_EQ(ErrorCodeOf(written), kCatalogUnavailable) << written;
    EXPECT_THAT(std::string(written.message()), HasSubstr(options_.path));
    EXPECT_FALSE(catalog->ListJobs(context_, {}).ok());
  };
  expect_away();
  std::ofstream(options_.path) << "another file";
  expect_away();
  ASSERT_EQ(rename(away.c_str(), options_.path.c_str()), 0);
  ASSERT_TRUE(
      catalog->CreateBackupJob(context_, RunningJob("after", "other")).ok());
  EXPECT_EQ(catalog->ListJobs(context_, {})->size(), 2u);
}

TEST_F(SqliteCatalogTest, KeepsWhatItWasToldAcrossReopening) {
  std::string id;
  BackupJob job = RunningJob("job");
  Warning* warning = job.add_warnings();
  warning->set_code("code");
  warning->set_message("message");
  BackupRepo repo;
  repo.set_id("01REPO");
  repo.set_name("nightly");
  repo.set_kind("local");
  repo.set_config("local:/backups");
  repo.mutable_encryption()->set_required(true);
  repo.mutable_encryption()->add_key_ids("k1");
  repo.mutable_encryption()->add_key_ids("k2");
  repo.add_key_refs("env:KEY");
  repo.set_updated_at_ms(1700000000001);
  {
    auto catalog = Open();
    id = catalog->catalog_id();
    EXPECT_EQ(id.size(), 32u);
    ASSERT_TRUE(catalog->AddRepo(context_, repo).ok());
    ASSERT_TRUE(catalog->CreateBackupJob(context_, job).ok());
    ASSERT_TRUE(catalog->CreateBackupRecord(context_, Record("rec")).ok());
  }
  auto catalog = Open();
  EXPECT_EQ(catalog->catalog_id(), id);
  EXPECT_EQ(catalog->GetRepo(context_, "nightly")->SerializeAsString(),
            repo.SerializeAsString());
  EXPECT_EQ(catalog->GetJob(context_, "job")->job.SerializeAsString(),
            job.SerializeAsString());
  EXPECT_EQ(catalog->GetRecord(context_, "rec")->SerializeAsString(),
            Record("rec").SerializeAsString());
}

TEST_F(SqliteCatalogTest, MakesItsFileAndFoldersPrivate) {
  options_.path = folder_ + "/a/b/catalog.db";
  ASSERT_EQ(chmod(folder_.c_str(), 0755), 0);
  auto catalog = Open();
  EXPECT_EQ(ModeOf(folder_), 0755u) << "what was there keeps its mode";
  EXPECT_EQ(ModeOf(folder_ + "/a"), 0700u);
  EXPECT_EQ(ModeOf(folder_ + "/a/b"), 0700u);
  for (const char* suffix : {"", "-wal", "-shm", "-reserve"})
    EXPECT_EQ(ModeOf(options_.path + suffix), 0600u) << suffix;
}

TEST_F(SqliteCatalogTest, SaysWhatIsWrongWithAFileThatIsNoCatalog) {
  std::ofstream(options_.path) << std::string(8192, 'x');
  auto catalog = OpenSqliteCatalog(context_, options_);
  EXPECT_EQ(ErrorCodeOf(catalog.status()), kCatalogUnavailable);
  EXPECT_THAT(HintOf(catalog.status()), HasSubstr("reconcile --adopt"));
  EXPECT_THAT(std::string(catalog.status().message()),
              HasSubstr(options_.path));
}

TEST_F(SqliteCatalogTest, SaysThatAFolderIsNoCatalog) {
  options_.path = folder_;
  auto catalog = OpenSqliteCatalog(context_, options_);
  EXPECT_EQ(ErrorCodeOf(catalog.status()), kCatalogUnavailable);
}

TEST_F(SqliteCatalogTest, DoesNothingOnAContextThatHasEnded) {
  auto catalog = Open();
  auto [context, cancel] = Context::WithCancel(context_);
  cancel(absl::CancelledError("enough"));
  EXPECT_EQ(catalog->CreateBackupJob(context, RunningJob("job")),
            absl::CancelledError("enough"));
  EXPECT_EQ(ErrorCodeOf(catalog->GetJob(context_, "job").status()),
            kJobNotFound);
}

TEST_F(SqliteCatalogTest, AllowsOneLiveBackupOfAStoreIntoARepo) {
  auto catalog = Open();
  ASSERT_TRUE(catalog->CreateBackupJob(context_, RunningJob("one")).ok());
  const absl::Status second =
      catalog->CreateBackupJob(context_, RunningJob("two"));
  EXPECT_TRUE(absl::IsAlreadyExists(second));
  EXPECT_EQ(ErrorCodeOf(second), kBackupAlreadyRunning);
  EXPECT_EQ(ErrorCodeOf(catalog->GetJob(context_, "two").status()),
            kJobNotFound);
  EXPECT_TRUE(
      catalog->CreateBackupJob(context_, RunningJob("three", "other")).ok());
  EXPECT_TRUE(
      catalog->CreateBackupJob(context_, RunningJob("four", "store", "other"))
          .ok());
  BackupJob restore = RunningJob("five");
  restore.set_kind(BackupJob::RESTORE);
  EXPECT_TRUE(catalog->CreateBackupJob(context_, restore).ok());

  ASSERT_TRUE(catalog
                  ->UpdateBackupJob(context_,
                                    Ended(RunningJob("one"), BackupJob::FAILED))
                  .ok());
  EXPECT_TRUE(catalog->CreateBackupJob(context_, RunningJob("two")).ok());
}

TEST_F(SqliteCatalogTest, LeavesATerminalJobAsItIs) {
  auto catalog = Open();
  ASSERT_TRUE(catalog->CreateBackupJob(context_, RunningJob("job")).ok());
  const BackupJob failed = Ended(RunningJob("job"), BackupJob::FAILED);
  ASSERT_TRUE(catalog->UpdateBackupJob(context_, failed).ok());
  EXPECT_TRUE(catalog->UpdateBackupJob(context_, failed).ok())
      << "the same end told again is success";
  const absl::Status again = catalog->UpdateBackupJob(
      context_, Ended(RunningJob("job"), BackupJob::SUCCEEDED));
  EXPECT_TRUE(absl::IsFailedPrecondition(again));
  EXPECT_EQ(ErrorCodeOf(again), kJobFinished);
  EXPECT_EQ(catalog->GetJob(context_, "job")->job.status(), BackupJob::FAILED);
}

TEST_F(SqliteCatalogTest, AFailureKeepsTheLastProgress) {
  auto catalog = Open();
  ASSERT_TRUE(catalog->CreateBackupJob(context_, RunningJob("job")).ok());
  ASSERT_TRUE(
      catalog->UpdateBackupJobProgress(context_, "job", 60, 600, "streaming")
          .ok());
  EXPECT_EQ(catalog->GetJob(context_, "job")->job.progress(), 60u);
  ASSERT_TRUE(catalog
                  ->UpdateBackupJob(context_,
                                    Ended(RunningJob("job"), BackupJob::FAILED))
                  .ok());
  const BackupJob job = catalog->GetJob(context_, "job")->job;
  EXPECT_EQ(job.progress(), 60u);
  EXPECT_EQ(job.bytes_done(), 600u);
}

TEST_F(SqliteCatalogTest, TakesTheSameRecordTwiceAndAnotherNot) {
  auto catalog = Open();
  ASSERT_TRUE(catalog->CreateBackupRecord(context_, Record("rec")).ok());
  ASSERT_TRUE(catalog->SetPin(context_, "rec", Pin{"the audit"}).ok());
  EXPECT_TRUE(catalog->CreateBackupRecord(context_, Record("rec")).ok());
  EXPECT_TRUE(catalog->GetRecord(context_, "rec")->pinned());
  BackupRecord other = Record("rec");
  other.set_sha256("b");
  EXPECT_TRUE(
      absl::IsAlreadyExists(catalog->CreateBackupRecord(context_, other)));
}

TEST_F(SqliteCatalogTest, FindsByUniquePrefixInEitherCase) {
  auto catalog = Open();
  for (const char* id : {"01AAB", "01AAC", "01AA"})
    ASSERT_TRUE(catalog->CreateBackupRecord(context_, Record(id)).ok());
  EXPECT_EQ(catalog->GetRecord(context_, "01aab")->id(), "01AAB");
  EXPECT_EQ(catalog->GetRecord(context_, "01AA")->id(), "01AA")
      << "a whole id beats those it begins";
  EXPECT_EQ(ErrorCodeOf(catalog->GetRecord(context_, "01A").status()),
            kAmbiguousId);
  for (const char* wrong : {"02", "%", "_1AAB", "01AAB%"}) {
    EXPECT_EQ(ErrorCodeOf(catalog->GetRecord(context_, wrong).status()),
              kRecordNotFound)
        << wrong;
  }
  EXPECT_TRUE(absl::IsInvalidArgument(catalog->DeleteRecord(context_, "")));
}

TEST_F(SqliteCatalogTest, MarksAndForgetsRecords) {
  auto catalog = Open();
  ASSERT_TRUE(catalog->CreateBackupRecord(context_, Record("rec")).ok());
  ASSERT_TRUE(catalog->SetDamaged(context_, "rec", true).ok());
  EXPECT_TRUE(catalog->GetRecord(context_, "rec")->damaged());
  ASSERT_TRUE(catalog->SetDamaged(context_, "rec", false).ok());
  EXPECT_FALSE(catalog->GetRecord(context_, "rec")->damaged());
  ASSERT_TRUE(catalog->DeleteRecord(context_, "rec").ok());
  EXPECT_EQ(ErrorCodeOf(catalog->DeleteRecord(context_, "rec")),
            kRecordNotFound);
  EXPECT_TRUE(catalog->CreateBackupRecord(context_, Record("rec")).ok())
      << "nothing of the old one is left";
  EXPECT_EQ(catalog->GetRecord(context_, "rec")->warnings_size(), 1);
}

TEST_F(SqliteCatalogTest, ListsOldestFirstAndTheNewestWhereLimited) {
  auto catalog = Open();
  for (int i = 0; i < 4; ++i) {
    BackupRecord record = Record(absl::StrCat("r", 3 - i));
    record.set_created_at_ms(1000 + i);
    record.set_repo_id(i == 0 ? "other" : "repo");
    ASSERT_TRUE(catalog->CreateBackupRecord(context_, record).ok());
  }
  CatalogFilter filter;
  filter.repo_id = "repo";
  auto ids = [&] {
    std::vector<std::string> found;
    const auto records = catalog->ListRecords(context_, filter);
    for (const BackupRecord& record : *records) found.push_back(record.id());
    return found;
  };
  EXPECT_THAT(ids(), ElementsAre("r2", "r1", "r0"));
  filter.limit = 2;
  EXPECT_THAT(ids(), ElementsAre("r1", "r0"));
  filter.store_id = "nobody";
  EXPECT_THAT(ids(), ElementsAre());
}

TEST_F(SqliteCatalogTest, KeepsNamesOfReposApart) {
  auto catalog = Open();
  BackupRepo repo;
  repo.set_id("01A");
  repo.set_name("nightly");
  ASSERT_TRUE(catalog->AddRepo(context_, repo).ok());
  EXPECT_TRUE(catalog->AddRepo(context_, repo).ok());
  repo.set_id("01B");
  EXPECT_EQ(ErrorCodeOf(catalog->AddRepo(context_, repo)), kNameTaken);
  repo.set_name("weekly");
  ASSERT_TRUE(catalog->AddRepo(context_, repo).ok());
  EXPECT_EQ(catalog->GetRepo(context_, "01b")->name(), "weekly");
  repo.set_name("nightly");
  EXPECT_EQ(ErrorCodeOf(catalog->UpdateRepo(context_, repo)), kNameTaken);
  repo.set_name("monthly");
  ASSERT_TRUE(catalog->UpdateRepo(context_, repo).ok());
  EXPECT_EQ(ErrorCodeOf(catalog->GetRepo(context_, "weekly").status()),
            kRepoNotFound);
  EXPECT_EQ(catalog->ListRepos(context_)->size(), 2u);
  ASSERT_TRUE(catalog->RemoveRepo(context_, "monthly").ok());
  EXPECT_EQ(catalog->ListRepos(context_)->size(), 1u);
  for (const char* bad : {"", "-a", "A", "a b", "a/b"}) {
    repo.set_name(bad);
    EXPECT_TRUE(absl::IsInvalidArgument(catalog->AddRepo(context_, repo)))
        << bad;
  }
}

// --- leases

TEST_F(SqliteCatalogTest, AHolderThatSleptPastItsLeaseIsFencedForEver) {
  auto catalog = Open();
  ASSERT_TRUE(catalog->CreateBackupJob(context_, RunningJob("job")).ok());
  clock_.Advance(absl::Seconds(29));
  EXPECT_TRUE(catalog->CheckLease(context_, "job").ok()) << "which renews it";
  clock_.Advance(absl::Seconds(29));
  EXPECT_TRUE(catalog->CheckLease(context_, "job").ok());
  clock_.Advance(absl::Seconds(30));
  EXPECT_EQ(ErrorCodeOf(catalog->CheckLease(context_, "job")), kPublishFenced);
  EXPECT_EQ(ErrorCodeOf(catalog->CheckLease(context_, "job")), kPublishFenced);
  EXPECT_FALSE(catalog->GetJob(context_, "job")->live);
  EXPECT_TRUE(catalog
                  ->UpdateBackupJob(context_, Ended(RunningJob("job"),
                                                    BackupJob::INTERRUPTED))
                  .ok())
      << "nobody took it: its owner may still say how it ended";
}

TEST_F(SqliteCatalogTest, SettingTheWallClockChangesNoLease) {
  auto holder = Open();
  auto judge = Open();
  ASSERT_TRUE(holder->CreateBackupJob(context_, RunningJob("job")).ok());
  const absl::Time start = clock_.Now();
  for (const absl::Time jumped :
       {start + absl::Hours(24 * 365), start - absl::Hours(24 * 365)}) {
    clock_.SetNow(jumped);
    EXPECT_TRUE(judge->GetJob(context_, "job")->live);
    EXPECT_EQ(ErrorCodeOf(judge->TakeOver(context_, "job")),
              kBackupAlreadyRunning);
    EXPECT_EQ(ErrorCodeOf(judge->CreateBackupJob(context_, RunningJob("two"))),
              kBackupAlreadyRunning);
    EXPECT_TRUE(holder->CheckLease(context_, "job").ok());
  }
  clock_.Advance(absl::Seconds(31));
  clock_.SetNow(start - absl::Hours(1));
  EXPECT_FALSE(judge->GetJob(context_, "job")->live)
      << "a dead owner's job ends though the clock was set back";
  EXPECT_TRUE(judge->TakeOver(context_, "job").ok());
}

TEST_F(SqliteCatalogTest, ANewBackupTakesTheLeaseOfADeadOne) {
  auto stopped = Open();
  auto other = Open();
  ASSERT_TRUE(stopped->CreateBackupJob(context_, RunningJob("old")).ok());
  clock_.Advance(absl::Seconds(31));
  ASSERT_TRUE(other->CreateBackupJob(context_, RunningJob("new")).ok());
  EXPECT_EQ(ErrorCodeOf(stopped->CheckLease(context_, "old")), kPublishFenced);
  EXPECT_EQ(ErrorCodeOf(stopped->UpdateBackupJob(
                context_, Ended(RunningJob("old"), BackupJob::SUCCEEDED))),
            kPublishFenced);
  EXPECT_EQ(stopped->GetJob(context_, "old")->job.status(), BackupJob::RUNNING)
      << "which reconcile settles";
}

TEST_F(SqliteCatalogTest, OnlyTheHolderChangesAJob) {
  auto holder = Open();
  auto other = Open();
  ASSERT_TRUE(holder->CreateBackupJob(context_, RunningJob("job")).ok());
  EXPECT_EQ(ErrorCodeOf(other->UpdateBackupJob(
                context_, Ended(RunningJob("job"), BackupJob::FAILED))),
            kPublishFenced);
  EXPECT_EQ(ErrorCodeOf(other->UpdateBackupJobProgress(context_, "job", 99, 9,
                                                       "streaming")),
            kPublishFenced);
  EXPECT_EQ(ErrorCodeOf(other->CheckLease(context_, "job")), kPublishFenced);
  EXPECT_EQ(ErrorCodeOf(other->UpdateBackupJob(
                context_, Ended(RunningJob("none"), BackupJob::FAILED))),
            kJobNotFound);
}

TEST_F(SqliteCatalogTest, TakesOverADeadJobOnce) {
  auto dead = Open();
  auto first = Open();
  auto second = Open();
  ASSERT_TRUE(dead->CreateBackupJob(context_, RunningJob("job")).ok());
  EXPECT_EQ(ErrorCodeOf(first->TakeOver(context_, "job")),
            kBackupAlreadyRunning);
  clock_.Advance(absl::Seconds(30));
  ASSERT_TRUE(first->TakeOver(context_, "job").ok());
  EXPECT_EQ(ErrorCodeOf(second->TakeOver(context_, "job")),
            kBackupAlreadyRunning);
  EXPECT_EQ(ErrorCodeOf(dead->CheckLease(context_, "job")), kPublishFenced);
  EXPECT_EQ(ErrorCodeOf(dead->UpdateBackupJob(
                context_, Ended(RunningJob("job"), BackupJob::SUCCEEDED))),
            kPublishFenced);
  ASSERT_TRUE(first->Release(context_, "job").ok());
  ASSERT_TRUE(second->TakeOver(context_, "job").ok());
  ASSERT_TRUE(second
                  ->UpdateBackupJob(context_, Ended(RunningJob("job"),
                                                    BackupJob::INTERRUPTED))
                  .ok());
  EXPECT_EQ(ErrorCodeOf(first->TakeOver(context_, "job")), kJobFinished);
}

TEST_F(SqliteCatalogTest, FencingNumbersNeverRepeat) {
  auto catalog = Open();
  int64_t last = 0;
  for (int i = 0; i < 5; ++i) {
    const BackupJob job = RunningJob(absl::StrCat("job", i));
    ASSERT_TRUE(catalog->CreateBackupJob(context_, job).ok());
    const int64_t fence = catalog->GetJob(context_, job.id())->lease->fence;
    EXPECT_GT(fence, last);
    last = fence;
    ASSERT_TRUE(
        catalog->UpdateBackupJob(context_, Ended(job, BackupJob::FAILED)).ok());
    EXPECT_FALSE(catalog->GetJob(context_, job.id())->lease);
    if (i == 2) catalog = Open();
  }
}

// --- the heartbeat

// What a callback was told, awaited without a clock.
class Told {
 public:
  std::function<void(absl::Status)> callback() {
    return [this](absl::Status cause) {
      MutexLock lock(mutex_);
      causes_.push_back(std::move(cause));
      changed_.NotifyAll();
    };
  }
  absl::Status Await() {
    MutexLock lock(mutex_);
    while (causes_.empty()) changed_.Wait(lock);
    return causes_.front();
  }
  size_t times() {
    MutexLock lock(mutex_);
    return causes_.size();
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::vector<absl::Status> causes_ ABSL_GUARDED_BY(mutex_);
};

// A FakeClock that counts how often a thread began to wait.
class CountingClock final : public Clock {
 public:
  explicit CountingClock(FakeClock& clock) : clock_(clock) {}

  absl::Time Now() const override { return clock_.Now(); }
  absl::Duration SinceBoot() const override { return clock_.SinceBoot(); }
  bool WaitFor(CondVar& condition, MutexLock& lock,
               absl::Duration timeout) override {
    {
      MutexLock counting(mutex_);
      ++waits_;
      changed_.NotifyAll();
    }
    return clock_.WaitFor(condition, lock, timeout);
  }

  int waits() {
    MutexLock lock(mutex_);
    return waits_;
  }
  void AwaitMoreThan(int waits) {
    MutexLock lock(mutex_);
    while (waits_ <= waits) changed_.Wait(lock);
  }

 private:
  FakeClock& clock_;
  Mutex mutex_;
  CondVar changed_;
  int waits_ ABSL_GUARDED_BY(mutex_) = 0;
};

class HeartbeatTest : public SqliteCatalogTest {
 protected:
  std::unique_ptr<Catalog> OpenWithHeartbeat() {
    options_.clock = &counting_;
    options_.heartbeat = true;
    auto catalog = Open();
    options_.clock = &clock_;
    options_.heartbeat = false;
    return catalog;
  }
  // The next look of the heartbeat's thread, to its end.
  void Tick(absl::Duration step = absl::Milliseconds(250)) {
    counting_.AwaitMoreThan(0);
    clock_.AwaitWaiters(1);
    const int before = counting_.waits();
    clock_.Advance(step);
    counting_.AwaitMoreThan(before);
  }

  CountingClock counting_{clock_};
};

TEST_F(HeartbeatTest, RenewsLeasesForAsLongAsTheJobRuns) {
  auto holder = OpenWithHeartbeat();
  auto judge = Open();
  ASSERT_TRUE(holder->CreateBackupJob(context_, RunningJob("job")).ok());
  for (int i = 0; i < 600; ++i) {
    Tick();
    ASSERT_TRUE(judge->GetJob(context_, "job")->live) << "tick " << i;
  }
  EXPECT_TRUE(holder->CheckLease(context_, "job").ok());
}

TEST_F(HeartbeatTest, TellsTheOwnerInAnotherProcessToCancel) {
  auto holder = OpenWithHeartbeat();
  auto other = Open();
  ASSERT_TRUE(holder->CreateBackupJob(context_, RunningJob("job")).ok());
  Told told;
  holder->OnCancelRequested("job", told.callback());
  Tick();
  EXPECT_EQ(told.times(), 0u);
  ASSERT_TRUE(other->RequestCancel(context_, "JO").ok());
  Tick();
  EXPECT_EQ(ErrorCodeOf(told.Await()), kCancelled);
  Tick();
  EXPECT_EQ(told.times(), 1u);
  EXPECT_TRUE(other->GetJob(context_, "job")->cancel_requested);
  ASSERT_TRUE(holder
                  ->UpdateBackupJob(context_, Ended(RunningJob("job"),
                                                    BackupJob::INTERRUPTED))
                  .ok());
  EXPECT_EQ(ErrorCodeOf(other->RequestCancel(context_, "job")), kJobFinished);
}

TEST_F(HeartbeatTest, EndsARunThatSleptPastItsLease) {
  auto holder = OpenWithHeartbeat();
  ASSERT_TRUE(holder->CreateBackupJob(context_, RunningJob("job")).ok());
  Told told;
  holder->OnCancelRequested("job", told.callback());
  Tick(absl::Seconds(31));
  EXPECT_EQ(ErrorCodeOf(told.Await()), kPublishFenced);
  EXPECT_EQ(ErrorCodeOf(holder->CheckLease(context_, "job")), kPublishFenced);
}

TEST_F(HeartbeatTest, WritesProgressOfItsOwnAccord) {
  auto holder = OpenWithHeartbeat();
  auto other = Open();
  ASSERT_TRUE(holder->CreateBackupJob(context_, RunningJob("job")).ok());
  Tick();
  ASSERT_TRUE(
      holder->UpdateBackupJobProgress(context_, "job", 70, 700, "streaming")
          .ok());
  for (int i = 0; i < 5; ++i) Tick();
  EXPECT_EQ(other->GetJob(context_, "job")->job.progress(), 70u);
  EXPECT_EQ(other->GetJob(context_, "job")->job.stage(), "streaming");
}

TEST_F(SqliteCatalogTest, WithoutAThreadThatRenewsLeasesItIsNotOpened) {
  options_.heartbeat = true;
  const ThreadFault fault("catalog");
  EXPECT_EQ(ErrorCodeOf(OpenSqliteCatalog(context_, options_).status()),
            kResourceExhausted);
  EXPECT_EQ(fault.refused(), 1);
}

TEST_F(SqliteCatalogTest, ServesManyThreadsAtOnce) {
  options_.clock = Clock::Real();
  options_.heartbeat = true;
  auto catalog = Open();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 5; ++i) {
        const BackupJob job = RunningJob(absl::StrCat("job-", t, "-", i),
                                         absl::StrCat("store", t));
        EXPECT_TRUE(catalog->CreateBackupJob(context_, job).ok());
        catalog->OnCancelRequested(job.id(), [](absl::Status) {});
        EXPECT_TRUE(catalog
                        ->UpdateBackupJobProgress(context_, job.id(), 50, 1,
                                                  "streaming")
                        .ok());
        EXPECT_TRUE(catalog->CheckLease(context_, job.id()).ok());
        EXPECT_TRUE(
            catalog->UpdateBackupJob(context_, Ended(job, BackupJob::FAILED))
                .ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(catalog->ListJobs(context_, {})->size(), 20u);
}

}  // namespace
}  // namespace sluice
