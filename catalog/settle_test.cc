// Dead owners are real processes here: only those can be proven dead.

#include "sluice/catalog/settle.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/catalog/process_identity.h"
#include "sluice/catalog/sqlite/sqlite.h"
#include "sluice/catalog/sqlite/sqlite_catalog.h"

namespace sluice {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class SettleTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string folder = absl::StrCat(::testing::TempDir(), "/set-XXXXXX");
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    options_.path = folder + "/catalog.db";
    options_.heartbeat = false;
    ASSERT_EQ(Fork([](Catalog&) {}), 0) << "makes the catalog";
  }

  static BackupJob JobOf(const std::string& id, BackupJob::Kind kind) {
    BackupJob job;
    job.set_id(id);
    job.set_kind(kind);
    job.set_status(BackupJob::RUNNING);
    job.set_repo_id("repo");
    job.set_store_id("store-of-" + id);
    job.set_backup_id("ARCHIVE-" + id);
    job.set_stage("starting");
    return job;
  }

  // Runs `work` in a process that dies with the catalog open; its exit status.
  int Fork(const std::function<void(Catalog&)>& work) {
    dead_ = fork();
    if (dead_ == 0) {
      auto catalog = OpenSqliteCatalog(Context::Background(), options_);
      if (!catalog.ok()) _exit(1);
      work(**catalog);
      _exit(0);
    }
    int status = -1;
    EXPECT_EQ(waitpid(dead_, &status, 0), dead_);
    return status;
  }

  void DieDuring(const std::string& id, bool publishing,
                 BackupJob::Kind kind = BackupJob::BACKUP) {
    EXPECT_EQ(Fork([&](Catalog& catalog) {
                if (!catalog.CreateBackupJob(context_, JobOf(id, kind)).ok())
                  _exit(2);
                if (publishing && !catalog.BeginPublish(context_, id).ok())
                  _exit(3);
              }),
              0);
  }

  SettleReport Settle(const SettleOptions& options = {}) {
    catalog_ = *OpenSqliteCatalog(context_, options_);
    auto report = SettleDeadJobs(context_, *catalog_, options);
    EXPECT_TRUE(report.ok()) << report.status();
    return report.ok() ? *std::move(report) : SettleReport();
  }

  static std::vector<std::string> Ids(const std::vector<BackupJob>& jobs) {
    std::vector<std::string> ids;
    for (const BackupJob& job : jobs) ids.push_back(job.id());
    return ids;
  }
  BackupJob JobNow(const std::string& id) {
    return catalog_->GetJob(context_, id)->job;
  }

  Context context_ = Context::Background();
  SqliteCatalogOptions options_;
  std::unique_ptr<Catalog> catalog_;
  pid_t dead_ = 0;
};

TEST_F(SettleTest, EndsADeadBackupThatHadNotBegunToPublish) {
  DieDuring("a", false);
  EXPECT_THAT(Ids(Settle().ended), ElementsAre("a"));
  EXPECT_EQ(JobNow("a").status(), BackupJob::INTERRUPTED);
  EXPECT_EQ(JobNow("a").error_code(), kProcessDied);
  EXPECT_GT(JobNow("a").finished_at_ms(), 0);
  EXPECT_THAT(Ids(Settle().ended), IsEmpty()) << "once";
}

TEST_F(SettleTest, EndsADeadRestore) {
  DieDuring("a", false, BackupJob::RESTORE);
  EXPECT_THAT(Ids(Settle().ended), ElementsAre("a"));
  EXPECT_EQ(JobNow("a").status(), BackupJob::INTERRUPTED);
}

TEST_F(SettleTest, CallsNoBackupInterruptedThatMayHavePublished) {
  DieDuring("a", true);
  const SettleReport report = Settle();
  EXPECT_THAT(Ids(report.ended), IsEmpty());
  EXPECT_THAT(Ids(report.left), ElementsAre("a"));
  EXPECT_EQ(JobNow("a").status(), BackupJob::RUNNING) << "reconcile looks";
}

TEST_F(SettleTest, LeavesAJobAloneWhoseOwnerLives) {
  const auto owner = *OpenSqliteCatalog(context_, options_);
  ASSERT_TRUE(
      owner->CreateBackupJob(context_, JobOf("a", BackupJob::BACKUP)).ok());
  EXPECT_THAT(Ids(Settle().ended), IsEmpty());
  EXPECT_EQ(JobNow("a").status(), BackupJob::RUNNING);
}

TEST_F(SettleTest, LeavesAJobAloneWhoseOwnerIsStopped) {
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t owner = fork();
  if (owner == 0) {
    auto catalog = OpenSqliteCatalog(context_, options_);
    const bool made =
        catalog.ok() &&
        (*catalog)
            ->CreateBackupJob(context_, JobOf("a", BackupJob::BACKUP))
            .ok();
    if (write(ready[1], made ? "y" : "n", 1) != 1) _exit(1);
    while (true) pause();
  }
  char made = 0;
  ASSERT_EQ(read(ready[0], &made, 1), 1);
  ASSERT_EQ(made, 'y');
  int status = 0;
  kill(owner, SIGSTOP);
  ASSERT_EQ(waitpid(owner, &status, WUNTRACED), owner);
  EXPECT_THAT(Ids(Settle().ended), IsEmpty());
  kill(owner, SIGKILL);
  ASSERT_EQ(waitpid(owner, &status, 0), owner);
  EXPECT_THAT(Ids(Settle().ended), ElementsAre("a"));
  close(ready[0]);
  close(ready[1]);
}

TEST_F(SettleTest, TellsTheCauseThatItsCallerHasSeen) {
  DieDuring("a", false);
  SettleOptions options;
  options.pid = dead_;
  options.cause = MakeError(absl::StatusCode::kAborted, kPluginUnusable,
                            "a plugin called exit(0)");
  const SettleReport report = Settle(options);
  EXPECT_THAT(Ids(report.ended), ElementsAre("a"));
  EXPECT_EQ(JobNow("a").status(), BackupJob::INTERRUPTED);
  EXPECT_EQ(JobNow("a").error_code(), kPluginUnusable);
  EXPECT_EQ(JobNow("a").error(), "a plugin called exit(0)");
  EXPECT_EQ(report.of_pid->id(), "a");
}

TEST_F(SettleTest, OfAProcessThatItsCallerSawEndAlsoEndsWhatMayHavePublished) {
  DieDuring("other", true);
  DieDuring("a", true);
  SettleOptions options;
  options.pid = dead_;
  options.cause = absl::DeadlineExceededError("the run took longer than 3s");
  EXPECT_THAT(Ids(Settle(options).ended), ElementsAre("a"));
  EXPECT_EQ(JobNow("a").error_code(), kPublishOutcomeUnknown);
  EXPECT_THAT(JobNow("a").error(), HasSubstr("ARCHIVE-a"));
  EXPECT_EQ(JobNow("other").status(), BackupJob::RUNNING);
}

TEST_F(SettleTest, AnotherProcesssWriteIsWaitedForOnlySoLong) {
  DieDuring("a", false);
  SqliteOptions same;
  same.path = options_.path;
  const auto writer = *SqliteDatabase::Open(same);
  ASSERT_TRUE(
      writer
          ->Write(context_,
                  [&](SqliteConnection&) {
                    catalog_ = *OpenSqliteCatalog(context_, options_);
                    SettleOptions options;
                    options.patience = absl::Milliseconds(20);
                    EXPECT_FALSE(
                        SettleDeadJobs(context_, *catalog_, options).ok());
                    return absl::OkStatus();
                  })
          .ok());
  EXPECT_EQ(JobNow("a").status(), BackupJob::RUNNING);
  EXPECT_THAT(Ids(Settle().ended), ElementsAre("a"));
}

TEST_F(SettleTest, ProgressThatComesLateDoesNotTakeBackThatItMayHavePublished) {
  options_.heartbeat = true;
  options_.cancel_poll = absl::Milliseconds(5);
  const auto owner = *OpenSqliteCatalog(context_, options_);
  ASSERT_TRUE(
      owner->CreateBackupJob(context_, JobOf("a", BackupJob::BACKUP)).ok());
  ASSERT_TRUE(owner->BeginPublish(context_, "a").ok());
  ASSERT_TRUE(
      owner->UpdateBackupJobProgress(context_, "a", 60, 4711, "streaming")
          .ok());
  options_.heartbeat = false;
  const auto other = *OpenSqliteCatalog(context_, options_);
  BackupJob seen;
  do {  // the heartbeat writes it
    seen = other->GetJob(context_, "a")->job;
  } while (seen.bytes_done() != 4711);
  EXPECT_EQ(seen.stage(), "publishing");
}

TEST(MachineIdTest, OnlyAnIdIsOne) {
  const std::string id = "3d1219c7c4c5404aaa1f6d2a48adfda4";
  EXPECT_EQ(MachineIdIn(id + "\n"), id);
  EXPECT_EQ(MachineIdIn(""), "");
  EXPECT_EQ(MachineIdIn("uninitialized\n"), "");
  EXPECT_EQ(MachineIdIn(std::string(32, '0')), "");
  EXPECT_EQ(MachineIdIn(id.substr(1)), "");
  EXPECT_EQ(MachineIdIn(id + id), "");
}

TEST(ThreadIsOverTest, OneThatEndedOrHasAKillWaitingIsOver) {
  EXPECT_TRUE(ThreadIsOver("Name:\tx\nState:\tZ (zombie)\n"));
  EXPECT_TRUE(ThreadIsOver(
      "Name:\tx\nState:\tD (disk sleep)\nSigPnd:\t0000000000000100\n"));
  EXPECT_TRUE(ThreadIsOver(
      "State:\tD (disk sleep)\nSigPnd:\t0\nShdPnd:\t0000000000000102\n"));
  EXPECT_FALSE(
      ThreadIsOver("State:\tD (disk sleep)\nSigPnd:\t0000000000000200\n"
                   "ShdPnd:\t0000000000004000\nSigBlk:\t0000000000000100\n"));
  EXPECT_FALSE(ThreadIsOver("State:\tT (stopped)\nSigPnd:\t0\n"));
  EXPECT_FALSE(ThreadIsOver(""));
}

}  // namespace
}  // namespace sluice
