// Several processes at one catalog: real ones, killed and stopped.

#include <signal.h>
#include <stdlib.h>

#include <memory>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/base/testing/test_program.h"
#include "sluice/catalog/sqlite/sqlite.h"
#include "sluice/catalog/sqlite/sqlite_catalog.h"

namespace sluice {
namespace {

class Worker : public TestProgram {
 public:
  explicit Worker(std::vector<std::string> arguments)
      : TestProgram(WithPath(std::move(arguments))) {}

 private:
  static std::vector<std::string> WithPath(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "catalog/sqlite/catalog_worker");
    return arguments;
  }
};

class ProcessesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string folder = absl::StrCat(::testing::TempDir(), "/proc-XXXXXX");
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    path_ = folder + "/catalog.db";
  }

  // Without a thread, as this process forks.
  std::unique_ptr<Catalog> Open() {
    SqliteCatalogOptions options;
    options.path = path_;
    options.heartbeat = false;
    auto catalog = OpenSqliteCatalog(context_, options);
    EXPECT_TRUE(catalog.ok()) << catalog.status();
    return *std::move(catalog);
  }

  int64_t Query(const std::string& sql) {
    SqliteOptions options;
    options.path = path_;
    auto database = SqliteDatabase::Open(options);
    EXPECT_TRUE(database.ok());
    int64_t answer = -1;
    EXPECT_TRUE((*database)
                    ->Read(context_,
                           [&](SqliteConnection& connection) {
                             const auto value = connection.QueryInteger(sql);
                             if (value.ok()) answer = *value;
                             return value.status();
                           })
                    .ok())
        << sql;
    return answer;
  }
  void ExpectSound() {
    EXPECT_EQ(Query("SELECT count(*) FROM pragma_integrity_check WHERE "
                    "integrity_check <> 'ok'"),
              0);
    EXPECT_EQ(Query("SELECT count(*) FROM jobs WHERE status = 'succeeded' AND "
                    "record_id NOT IN (SELECT id FROM records)"),
              0);
  }

  Context context_ = Context::Background();
  std::string path_;
};

TEST_F(ProcessesTest, ManyProcessesMakeAndShareOneCatalog) {
  constexpr int kEach = 10;
  std::vector<std::unique_ptr<Worker>> workers;
  for (int i = 0; i < 4; ++i) {
    workers.push_back(std::make_unique<Worker>(std::vector<std::string>{
        "hammer", path_, absl::StrCat("w", i), absl::StrCat(kEach)}));
  }
  for (auto& worker : workers) {
    for (int i = 0; i < kEach; ++i)
      EXPECT_TRUE(absl::StartsWith(worker->Hear(), "did "));
    EXPECT_EQ(worker->Reap(), 0);
  }
  ExpectSound();
  EXPECT_EQ(Query("SELECT count(*) FROM jobs WHERE status = 'succeeded'"),
            4 * kEach);
  EXPECT_EQ(Query("SELECT last_fence FROM catalog"), 4 * kEach)
      << "each number was given once";
  EXPECT_EQ(Query("SELECT count(*) FROM leases"), 0);
}

TEST_F(ProcessesTest, AKilledOwnerIsKnownAsDeadAtOnce) {
  Worker worker({"hold", path_, "job", "600000"});
  ASSERT_EQ(worker.Hear(), "held");
  auto catalog = Open();
  EXPECT_TRUE(catalog->GetJob(context_, "job")->live);
  EXPECT_FALSE(catalog->GetJob(context_, "job")->owner_ended);
  EXPECT_EQ(ErrorCodeOf(catalog->TakeOver(context_, "job")),
            kBackupAlreadyRunning);
  worker.Signal(SIGKILL);
  worker.AwaitEnded();
  EXPECT_TRUE(catalog->GetJob(context_, "job")->owner_ended) << "a zombie";
  worker.Reap();
  EXPECT_TRUE(catalog->GetJob(context_, "job")->owner_ended);
  EXPECT_FALSE(catalog->GetJob(context_, "job")->live);
  EXPECT_TRUE(catalog->TakeOver(context_, "job").ok());
}

TEST_F(ProcessesTest, AStoppedOwnerKeepsItsJobUntilTheLeaseIsOver) {
  Worker worker({"hold", path_, "job", "600000"});
  ASSERT_EQ(worker.Hear(), "held");
  worker.Signal(SIGSTOP);
  worker.AwaitStopped();
  auto catalog = Open();
  EXPECT_TRUE(catalog->GetJob(context_, "job")->live);
  EXPECT_EQ(ErrorCodeOf(catalog->TakeOver(context_, "job")),
            kBackupAlreadyRunning);
  worker.Signal(SIGCONT);
  EXPECT_EQ(worker.Ask("check"), "ok");
  EXPECT_EQ(worker.Ask("end"), "ok");
}

TEST_F(ProcessesTest, AnOwnerStoppedPastItsLeaseIsFencedWhenItGoesOn) {
  Worker worker({"hold", path_, "job", "2000"});
  ASSERT_EQ(worker.Hear(), "held");
  worker.Signal(SIGSTOP);
  worker.AwaitStopped();
  auto catalog = Open();
  // The lease runs by the machine's clock: look until it is over.
  while (catalog->GetJob(context_, "job")->live) {
  }
  EXPECT_FALSE(catalog->GetJob(context_, "job")->owner_ended)
      << "it is stopped, not dead";
  ASSERT_TRUE(catalog->TakeOver(context_, "job").ok());
  worker.Signal(SIGCONT);
  EXPECT_EQ(worker.Ask("check"), kPublishFenced);
  EXPECT_EQ(worker.Ask("end"), kPublishFenced);
  EXPECT_EQ(catalog->GetJob(context_, "job")->job.status(), BackupJob::RUNNING);
}

TEST_F(ProcessesTest, CancelsARunFromAnotherProcess) {
  Worker worker({"hold", path_, "job", "600000"});
  ASSERT_EQ(worker.Hear(), "held");
  worker.Say("cancel");
  ASSERT_TRUE(Open()->RequestCancel(context_, "job").ok());
  EXPECT_EQ(worker.Hear(), "ok");
}

TEST_F(ProcessesTest, WhatWasAcknowledgedOutlivesAKillAtAnyMoment) {
  const unsigned seed = std::random_device()();
  std::mt19937 random(seed);
  SCOPED_TRACE(absl::StrCat("seed ", seed));
  std::set<std::string> acknowledged;
  for (int round = 0; round < 8; ++round) {
    Worker worker({"hammer", path_, absl::StrCat("r", round), "1000000"});
    const int before_kill = 1 + static_cast<int>(random() % 8);
    std::string line;
    for (int i = 0; i < before_kill; ++i) {
      line = worker.Hear();
      ASSERT_TRUE(absl::StartsWith(line, "did ")) << line;
      acknowledged.insert(line.substr(4));
    }
    for (unsigned spin = random() % 3000000; spin > 0; --spin)
      asm volatile("" : : "r"(spin));
    worker.Signal(SIGKILL);
    while (!(line = worker.Hear()).empty())
      if (absl::StartsWith(line, "did ")) acknowledged.insert(line.substr(4));
    worker.Reap();
    ExpectSound();
    auto catalog = Open();
    for (const std::string& id : acknowledged) {
      ASSERT_EQ(catalog->GetJob(context_, id)->job.status(),
                BackupJob::SUCCEEDED);
    }
    CatalogFilter unfinished;
    unfinished.unfinished_only = true;
    const auto left = catalog->ListJobs(context_, unfinished);
    for (const CatalogJob& job : *left) {
      EXPECT_FALSE(job.live);
      ASSERT_TRUE(catalog->TakeOver(context_, job.job.id()).ok());
      BackupJob ended = job.job;
      ended.set_status(BackupJob::INTERRUPTED);
      ASSERT_TRUE(catalog->UpdateBackupJob(context_, ended).ok());
    }
  }
}

}  // namespace
}  // namespace sluice
