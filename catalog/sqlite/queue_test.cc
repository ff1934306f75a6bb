#include <stdlib.h>

#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/base/testing/fake_clock.h"
#include "sluice/catalog/catalog_error.h"
#include "sluice/catalog/sqlite/sqlite_catalog.h"

namespace sluice {
namespace {

class QueueTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string folder = absl::StrCat(::testing::TempDir(), "/queue-XXXXXX");
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    options_.path = folder + "/catalog.db";
    options_.clock = &clock_;
    options_.heartbeat = false;
    catalog_ = Open();
  }

  std::unique_ptr<Catalog> Open() {
    auto opened = OpenSqliteCatalog(context_, options_);
    EXPECT_TRUE(opened.ok()) << opened.status();
    return opened.ok() ? *std::move(opened) : nullptr;
  }

  QueuedRun Run(const std::string& id, const std::string& plan,
                absl::Duration not_before = absl::ZeroDuration()) {
    QueuedRun run;
    run.job.set_id(id);
    run.job.set_kind(BackupJob::BACKUP);
    run.job.set_status(BackupJob::PENDING);
    run.job.set_stage("queued");
    run.job.set_plan_id(plan);
    run.job.set_repo_id("repo");
    run.job.set_created_at_ms(absl::ToUnixMillis(clock_.Now()));
    run.request.set_job_id(id);
    run.request.set_plan_id(plan);
    run.request.set_store("memory:?load=/" + plan);
    run.request.set_not_before_ms(
        absl::ToUnixMillis(clock_.Now() + not_before));
    return run;
  }

  absl::Status Enqueue(const QueuedRun& run) {
    return catalog_->queue().Enqueue(context_, run).status();
  }

  // The id of the job that is claimed; empty: none may begin.
  std::string Claim(size_t per_repo = 0) {
    const auto run =
        catalog_->queue().Claim(context_, {clock_.Now(), per_repo});
    EXPECT_TRUE(run.ok()) << run.status();
    return run.ok() && run->has_value() ? (*run)->job.id() : "";
  }

  FakeClock clock_;
  Context context_ = Context::Background();
  SqliteCatalogOptions options_;
  std::unique_ptr<Catalog> catalog_;
};

TEST_F(QueueTest, AClaimedJobRunsUnderALeaseOfItsClaimer) {
  ASSERT_TRUE(Enqueue(Run("j1", "p")).ok());
  const auto pending = catalog_->GetJob(context_, "j1");
  EXPECT_FALSE(pending->lease.has_value());
  EXPECT_FALSE(pending->live);
  EXPECT_EQ(Claim(), "j1");
  const auto running = catalog_->GetJob(context_, "j1");
  EXPECT_EQ(running->job.status(), BackupJob::RUNNING);
  EXPECT_EQ(running->job.stage(), "opening");
  EXPECT_TRUE(running->live);
  EXPECT_TRUE(catalog_->CheckLease(context_, "j1").ok());
  EXPECT_EQ(Claim(), "") << "nobody gets it twice";
}

TEST_F(QueueTest, AJobIsClaimedByItsIdWhoeversTurnItIs) {
  ASSERT_TRUE(Enqueue(Run("j1", "p")).ok());
  ASSERT_TRUE(Enqueue(Run("j2", "q")).ok());
  const auto claim = [this](const std::string& id) {
    return catalog_->queue().Claim(context_, {clock_.Now(), 0, id});
  };
  const auto second = claim("j2");
  ASSERT_TRUE(second.ok() && second->has_value());
  EXPECT_EQ((*second)->job.id(), "j2");
  EXPECT_FALSE(claim("j2")->has_value()) << "it is claimed";
  EXPECT_FALSE(claim("j3")->has_value()) << "there is none";
  EXPECT_EQ(Claim(), "j1");
}

TEST_F(QueueTest, NobodyTakesAPendingJobForDead) {
  ASSERT_TRUE(Enqueue(Run("j1", "p")).ok());
  clock_.Advance(absl::Hours(100));
  EXPECT_FALSE(catalog_->TakeOver(context_, "j1").ok());
  EXPECT_EQ(Claim(), "j1");
}

TEST_F(QueueTest, TheRunOfAClaimedJobIsThatJob) {
  ASSERT_TRUE(Enqueue(Run("j1", "p")).ok());
  ASSERT_EQ(Claim(), "j1");
  const BackupJob claimed = catalog_->GetJob(context_, "j1")->job;
  BackupJob run = claimed;
  run.set_stage("starting");
  run.set_store_id("store");
  run.set_backup_id("archive");
  ASSERT_TRUE(catalog_->CreateBackupJob(context_, run).ok());
  EXPECT_EQ(catalog_->GetJob(context_, "j1")->job.backup_id(), "archive");
  EXPECT_EQ(ErrorCodeOf(catalog_->CreateBackupJob(context_, run)), kNameTaken)
      << "a second run of it would be another's";
  run.set_status(BackupJob::SUCCEEDED);
  EXPECT_TRUE(catalog_->UpdateBackupJob(context_, run).ok());
}

TEST_F(QueueTest, WhoLostTheLeaseCannotBeginTheRun) {
  ASSERT_TRUE(Enqueue(Run("j1", "p")).ok());
  ASSERT_EQ(Claim(), "j1");
  const BackupJob claimed = catalog_->GetJob(context_, "j1")->job;
  clock_.Advance(absl::Minutes(5));
  auto other = Open();
  ASSERT_TRUE(other->TakeOver(context_, "j1").ok());
  EXPECT_EQ(ErrorCodeOf(catalog_->CreateBackupJob(context_, claimed)),
            kNameTaken);
}

TEST_F(QueueTest, ARunLikeOneThatIsNotOverIsRefusedWithItsId) {
  ASSERT_TRUE(Enqueue(Run("j1", "p")).ok());
  const absl::Status refused = Enqueue(Run("j2", "p"));
  EXPECT_EQ(ErrorCodeOf(refused), kBackupAlreadyRunning);
  EXPECT_EQ(JobInTheWay(refused), "j1");
  ASSERT_EQ(Claim(), "j1");
  EXPECT_EQ(JobInTheWay(Enqueue(Run("j2", "p"))), "j1");
  EXPECT_TRUE(Enqueue(Run("j3", "another")).ok());
}

TEST_F(QueueTest, NothingIsBackedUpIntoARepoThatIsAboutToGo) {
  QueuedRun purge = Run("purge", "");
  purge.job.set_kind(BackupJob::PURGE);
  purge.request.clear_store();
  purge.request.set_expires_at_ms(
      absl::ToUnixMillis(clock_.Now() + absl::Minutes(1)));
  ASSERT_TRUE(Enqueue(purge).ok());
  const auto other = Open();
  int typed = 0;
  // As a command has it, which asks no queue.
  const auto begin = [&](BackupJob::Kind kind, const std::string& repo) {
    BackupJob job;
    job.set_id(absl::StrCat("typed-", ++typed));
    job.set_kind(kind);
    job.set_status(BackupJob::RUNNING);
    job.set_repo_id(repo);
    job.set_store_id("store");
    const absl::Status begun = other->CreateBackupJob(context_, job);
    EXPECT_EQ(other->GetJob(context_, job.id()).ok(), begun.ok());
    job.set_status(BackupJob::FAILED);
    if (!begun.ok()) return ErrorCodeOf(begun);
    EXPECT_TRUE(other->UpdateBackupJob(context_, job).ok());
    return std::string();
  };
  for (const char* state : {"pending", "running"}) {
    SCOPED_TRACE(state);
    EXPECT_EQ(begin(BackupJob::BACKUP, "repo"), kRepoInUse);
    EXPECT_EQ(ErrorCodeOf(Enqueue(Run("j1", "p"))), kRepoInUse);
    EXPECT_EQ(begin(BackupJob::BACKUP, "another"), "");
    // What somebody wants to have back stops the purge.
    EXPECT_EQ(begin(BackupJob::RESTORE, "repo"), "");
    if (state == std::string("pending")) {
      ASSERT_EQ(Claim(), "purge");
    }
  }
  BackupJob over = catalog_->GetJob(context_, "purge")->job;
  over.set_status(BackupJob::FAILED);
  ASSERT_TRUE(catalog_->UpdateBackupJob(context_, over).ok());
  EXPECT_EQ(begin(BackupJob::BACKUP, "repo"), "");
}

TEST_F(QueueTest, APurgeThatNobodyRunsHoldsNoBackupUp) {
  QueuedRun late = Run("late", "");
  late.job.set_kind(BackupJob::PURGE);
  late.request.set_expires_at_ms(
      absl::ToUnixMillis(clock_.Now() + absl::Minutes(1)));
  ASSERT_TRUE(Enqueue(late).ok());
  clock_.Advance(absl::Minutes(1));
  BackupJob job;
  job.set_id("typed");
  job.set_kind(BackupJob::BACKUP);
  job.set_status(BackupJob::RUNNING);
  job.set_repo_id("repo");
  job.set_store_id("store");
  const auto other = Open();
  ASSERT_TRUE(other->CreateBackupJob(context_, job).ok());
  job.set_status(BackupJob::FAILED);
  ASSERT_TRUE(other->UpdateBackupJob(context_, job).ok());

  ASSERT_EQ(*catalog_->queue().EndUnclaimed(context_, clock_.Now()), 1u);
  QueuedRun dead = late;
  dead.job.set_id("dead");
  dead.request.set_job_id("dead");
  dead.request.clear_expires_at_ms();
  ASSERT_TRUE(Enqueue(dead).ok());
  ASSERT_EQ(Claim(), "dead");
  job.set_id("typed again");
  job.set_status(BackupJob::RUNNING);
  EXPECT_EQ(ErrorCodeOf(other->CreateBackupJob(context_, job)), kRepoInUse);
  clock_.Advance(absl::Minutes(5));
  EXPECT_TRUE(other->CreateBackupJob(context_, job).ok());
  // Who was only stopped finds that it is over.
  EXPECT_FALSE(catalog_->CheckLease(context_, "dead").ok());
}

TEST_F(QueueTest, ARestoreIsInNobodysWay) {
  for (const char* id : {"j1", "j2"}) {
    QueuedRun restore = Run(id, "");
    restore.job.set_kind(BackupJob::RESTORE);
    EXPECT_TRUE(Enqueue(restore).ok());
  }
}

TEST_F(QueueTest, TheSameIdempotencyKeyIsTheSameJob) {
  QueuedRun run = Run("j1", "p");
  run.request.set_idempotency_key("key");
  ASSERT_TRUE(Enqueue(run).ok());
  run.job.set_id("j2");
  run.request.set_job_id("j2");
  const auto again = catalog_->queue().Enqueue(context_, run);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->job.id(), "j1");
  EXPECT_EQ(catalog_->ListJobs(context_, {})->size(), 1u);
}

TEST_F(QueueTest, WaitsForItsTime) {
  ASSERT_TRUE(Enqueue(Run("j1", "p", absl::Minutes(3))).ok());
  EXPECT_EQ(Claim(), "");
  EXPECT_EQ(*catalog_->queue().NextNotBefore(context_),
            clock_.Now() + absl::Minutes(3));
  clock_.Advance(absl::Minutes(3));
  EXPECT_EQ(Claim(), "j1");
  EXPECT_EQ(*catalog_->queue().NextNotBefore(context_), absl::InfiniteFuture());
}

TEST_F(QueueTest, IsFairOverPlans) {
  for (const char* id : {"a1", "a2", "a3"}) {
    QueuedRun run = Run(id, "a");
    run.job.set_repo_id(absl::StrCat("repo-", id));
    ASSERT_TRUE(Enqueue(run).ok());
  }
  ASSERT_TRUE(Enqueue(Run("z1", "z")).ok());
  EXPECT_EQ(Claim(), "a1");
  EXPECT_EQ(Claim(), "z1") << "before the second of the first plan";
  EXPECT_EQ(Claim(), "a2");
}

TEST_F(QueueTest, ARepoHasNoMoreRunsThanItsLimit) {
  ASSERT_TRUE(Enqueue(Run("j1", "a")).ok());
  ASSERT_TRUE(Enqueue(Run("j2", "b")).ok());
  EXPECT_EQ(Claim(1), "j1");
  EXPECT_EQ(Claim(1), "");
  EXPECT_EQ(Claim(2), "j2");
}

TEST_F(QueueTest, ABackupWaitsBehindAnotherPlansOfTheSameStore) {
  for (const char* plan : {"a", "b"}) {
    QueuedRun run = Run(absl::StrCat("j-", plan), plan);
    run.job.set_store_id("orders");
    ASSERT_TRUE(Enqueue(run).ok());
  }
  EXPECT_EQ(Claim(), "j-a");
  EXPECT_EQ(Claim(), "");
  BackupJob over = catalog_->GetJob(context_, "j-a")->job;
  over.set_status(BackupJob::FAILED);
  ASSERT_TRUE(catalog_->UpdateBackupJob(context_, over).ok());
  EXPECT_EQ(Claim(), "j-b");
}

TEST_F(QueueTest, APendingJobIsCancelledAtOnce) {
  ASSERT_TRUE(Enqueue(Run("j1", "p")).ok());
  ASSERT_TRUE(catalog_->RequestCancel(context_, "j1").ok());
  const auto job = catalog_->GetJob(context_, "j1");
  EXPECT_EQ(job->job.status(), BackupJob::INTERRUPTED);
  EXPECT_EQ(job->job.error_code(), kCancelled);
  EXPECT_EQ(Claim(), "");
  EXPECT_EQ(ErrorCodeOf(catalog_->RequestCancel(context_, "j1")), kJobFinished);
}

TEST_F(QueueTest, WhatNobodyClaimsInTimeEndsAsNotClaimed) {
  QueuedRun run = Run("j1", "p");
  run.request.set_expires_at_ms(
      absl::ToUnixMillis(clock_.Now() + absl::Hours(1)));
  ASSERT_TRUE(Enqueue(run).ok());
  EXPECT_EQ(*catalog_->queue().EndUnclaimed(context_, clock_.Now()), 0u);
  clock_.Advance(absl::Hours(1));
  EXPECT_EQ(Claim(), "") << "it is too late for it";
  EXPECT_EQ(*catalog_->queue().EndUnclaimed(context_, clock_.Now()), 1u);
  EXPECT_EQ(catalog_->GetJob(context_, "j1")->job.error_code(), kNotClaimed);
}

TEST_F(QueueTest, OldJobsGoWithTheirRequestsAndWaitingOnesStay) {
  ASSERT_TRUE(Enqueue(Run("old", "p")).ok());
  ASSERT_TRUE(catalog_->RequestCancel(context_, "old").ok());
  ASSERT_TRUE(Enqueue(Run("new", "p")).ok());
  clock_.Advance(absl::Hours(24 * 31));
  EXPECT_EQ(*catalog_->queue().DeleteJobs(context_, clock_.Now()), 1u);
  EXPECT_FALSE(catalog_->GetJob(context_, "old").ok());
  EXPECT_FALSE(catalog_->queue().GetRequest(context_, "old").ok());
  EXPECT_EQ(Claim(), "new");
}

TEST_F(QueueTest, TotalsOutliveTheJobsTheyCount) {
  ASSERT_TRUE(Enqueue(Run("j1", "p")).ok());
  ASSERT_EQ(Claim(), "j1");
  BackupJob job = catalog_->GetJob(context_, "j1")->job;
  job.set_status(BackupJob::FAILED);
  job.set_finished_at_ms(job.started_at_ms() + 7000);
  ASSERT_TRUE(catalog_->UpdateBackupJob(context_, job).ok());
  clock_.Advance(absl::Hours(1));
  ASSERT_EQ(*catalog_->queue().DeleteJobs(context_, clock_.Now()), 1u);
  int64_t runs = 0;
  int64_t within_15 = 0;
  int64_t within_5 = 0;
  const auto totals = catalog_->events().Totals(context_);
  for (const CatalogTotal& total : *totals) {
    if (total.metric == "runs" && total.label == "failed") runs = total.value;
    if (total.metric != "run_seconds") continue;
    if (total.label == "15") within_15 = total.value;
    if (total.label == "5") within_5 = total.value;
  }
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(within_15, 1);
  EXPECT_EQ(within_5, 0);
}

TEST_F(QueueTest, JobsAreListedByPlanKindAndStatusPageByPage) {
  for (const char* plan : {"a", "b", "c"}) {
    ASSERT_TRUE(Enqueue(Run(absl::StrCat("j-", plan), plan)).ok());
    clock_.Advance(absl::Seconds(1));
  }
  ASSERT_TRUE(catalog_->RequestCancel(context_, "j-b").ok());
  CatalogFilter filter;
  filter.status = BackupJob::PENDING;
  filter.kind = BackupJob::BACKUP;
  EXPECT_EQ(catalog_->ListJobs(context_, filter)->size(), 2u);
  filter.limit = 1;
  EXPECT_EQ(catalog_->ListJobs(context_, filter)->at(0).job.id(), "j-c");
  filter.before_id = "j-c";
  EXPECT_EQ(catalog_->ListJobs(context_, filter)->at(0).job.id(), "j-a");
  filter = CatalogFilter();
  filter.plan_id = "b";
  EXPECT_EQ(catalog_->ListJobs(context_, filter)->at(0).job.id(), "j-b");
}

}  // namespace
}  // namespace sluice
