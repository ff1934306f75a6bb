// What clocks that are wrong for a while cost: nothing.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/catalog/catalog_error.h"
#include "sluice/service/engine/scheduler_testing.h"
#include "sluice/service/plan/plan_run.h"

namespace sluice::service {
namespace {

TEST_F(SchedulerTest, ARunThatWaitsForThreeOClockOfAWrongClockIsInNobodysWay) {
  Add();
  SetClock(3, 30);  // 03:00 is to run late
  EXPECT_FALSE(RunOne());
  SetClock(0, 31);
  for (int hour = 1; hour <= 3; ++hour) {
    SetClockToRunOf(hour);
    EXPECT_TRUE(RunOne()) << hour;
  }
  SetClock(3, 20);
  EXPECT_THAT(Rows(),
              ::testing::ElementsAre("01T01 succeeded", "01T02 succeeded",
                                     "01T03 succeeded"));
}

TEST_F(SchedulerTest, ALateRunOfAWrongClockBeginsByTheRightOne) {
  Add();
  SetClockToRunOf(1);
  EXPECT_TRUE(RunOne(std::string(kSourceFailed)));
  SetClock(7, 10);  // the retry, by a clock six hours ahead
  SetClock(1, 12);
  SetClock(1, 18);
  EXPECT_TRUE(RunOne());
  SetClock(1, 19);
  const auto rows = Rows();
  ASSERT_FALSE(rows.empty());
  EXPECT_EQ(rows[0], "01T01 succeeded");
}

TEST_F(SchedulerTest, AStepThatFailsWhileTheClockReturnsIsMendedByTheNext) {
  Add();
  SetClock(24 * 365 * 3, 30);
  clock_.SetNow(kBegin + absl::Minutes(1));
  const auto [ended, cancel] = Context::WithCancel(context_);
  cancel(absl::CancelledError("as a catalog that is away"));
  EXPECT_FALSE(scheduler_->Step(ended).ok());
  Step();
  SetClockToRunOf(1);
  EXPECT_TRUE(RunOne());
}

TEST_F(SchedulerTest, WhatAPlanThatSkipsSkippedByAWrongClockRunsInItsTime) {
  plan_.mutable_spec()->set_catch_up_ms(0);
  Add();
  SetClock(2, 30);
  EXPECT_THAT(Rows(),
              ::testing::ElementsAre("01T01 skipped skipped_by_policy",
                                     "01T02 skipped skipped_by_policy"));
  SetClock(0, 31);
  SetClockToRunOf(1);
  EXPECT_TRUE(RunOne());
  SetClock(1, 20);
  EXPECT_EQ(Rows()[0], "01T01 succeeded");
}

TEST_F(SchedulerTest, ATimeThatCameWhileTheClockRead2030RunsWhenItReturns) {
  Add();
  SetClock(24 * 365 * 3, 30);
  SetClock(1, 0);  // it returned right after one o'clock
  SetClockToRunOf(1);
  EXPECT_TRUE(RunOne());
  SetClock(1, 20);
  EXPECT_EQ(Rows()[0], "01T01 succeeded");
}

TEST_F(SchedulerTest, SoItDoesWhereTheServiceThatSawTheJumpDied) {
  Add();
  SetClock(24 * 365 * 3, 30);
  scheduler_ = std::make_unique<Scheduler>(catalog_.get(), &clock_, random_);
  SetClock(1, 30);  // late, so that it is spread by its jitter
  clock_.Advance(jitter_);
  EXPECT_TRUE(RunOne());
  SetClock(1, 50);
  EXPECT_EQ(Rows()[0], "01T01 succeeded");
  scheduler_ = std::make_unique<Scheduler>(catalog_.get(), &clock_, random_);
  Step();
  EXPECT_FALSE(RunOne()) << "once is enough";
}

TEST_F(SchedulerTest, ATimeThatAClockSkippedHalfAnHourTooEarlyRunsInItsTime) {
  plan_.mutable_spec()->set_catch_up_ms(0);
  Add();
  SetClock(1, 40);  // ten minutes too early; the next time is the right one
  EXPECT_THAT(Rows(),
              ::testing::ElementsAre("01T01 skipped skipped_by_policy"));
  SetClock(1, 0);
  SetClockToRunOf(1);
  EXPECT_TRUE(RunOne());
  SetClock(1, 20);
  EXPECT_THAT(Rows(), ::testing::ElementsAre("01T01 succeeded"));
}

TEST_F(SchedulerTest, WhatWaitsForTheNextTimeGivesWayToTheOneBefore) {
  Add();
  SetClock(2, 30);  // 02:00 is to run late, 01:00 not at all
  SetClock(1, 0);
  SetClockToRunOf(1);
  EXPECT_TRUE(RunOne());
  SetClockToRunOf(2);
  EXPECT_TRUE(RunOne());
  SetClock(2, 20);
  EXPECT_THAT(Rows(),
              ::testing::ElementsAre("01T01 succeeded", "01T02 succeeded"));
}

TEST_F(SchedulerTest, AClockThatGoesBackALittleDoesNotBringBackWhatRan) {
  Add();
  SetClockToRunOf(1);
  EXPECT_TRUE(RunOne());
  SetClock(0, 59);
  SetClockToRunOf(1);
  EXPECT_FALSE(RunOne());
  SetClockToRunOf(2);
  EXPECT_TRUE(RunOne());
  SetClock(2, 20);
  EXPECT_THAT(Rows(),
              ::testing::ElementsAre("01T01 succeeded", "01T02 succeeded"));
}

// Random numbers that are large each time.
struct Large {
  using result_type = uint64_t;
  static constexpr uint64_t min() { return 0; }
  static constexpr uint64_t max() { return UINT64_MAX; }
  uint64_t operator()() { return UINT64_MAX / 16 * 15; }
};

TEST_F(SchedulerTest, ARetryThatWaitsAsLongAsItMayIsNotTakenForAWrongClocks) {
  Large large;
  SchedulerOptions options;
  options.backoff = options.max_backoff;
  scheduler_ =
      std::make_unique<Scheduler>(catalog_.get(), &clock_, large, options);
  Add();
  SetClockToRunOf(1);
  SetClock(1, 20);
  EXPECT_TRUE(RunOne(std::string(kSourceFailed)));
  Step();
  // One whose step began before that one's, and waited for the catalog; the
  // retry waits for a factor of 1.4375, and 1.5 is the most.
  clock_.SetNow(clock_.Now() - options.max_backoff * 0.0625 -
                absl::Seconds(30));
  scheduler_ =
      std::make_unique<Scheduler>(catalog_.get(), &clock_, large, options);
  Step();
  CatalogFilter filter;
  filter.plan_id = "plan";
  EXPECT_EQ(catalog_->ListJobs(context_, filter)->size(), 2u)
      << "the one that failed, and its retry";
}

TEST_F(SchedulerTest, AClockTenYearsAheadCostsAHundredRowsAndOneRun) {
  plan_.mutable_spec()->set_schedule("* * * * *");
  plan_.mutable_spec()->set_jitter_ms(30000);
  Add();
  SetClock(24 * 3652, 0);
  EXPECT_LE(Rows().size(), 101u);
  EXPECT_EQ(catalog_->queue().ListWaiting(context_, kBegin)->size(), 1u);
  SetClock(0, 31);
  EXPECT_EQ(catalog_->queue().ListWaiting(context_, kBegin)->size(), 1u)
      << "of the minute that has come";
}

TEST_F(SchedulerTest, WhatWasSkippedByTheRightClockStaysSkipped) {
  Add();
  ASSERT_TRUE(catalog_->queue()
                  .Enqueue(context_,
                           BackupRunOf(plan_, "repo", "by-hand", clock_.Now()))
                  .ok());
  SetClockToRunOf(1);
  EXPECT_TRUE(RunOne());
  SetClock(24 * 365 * 3, 30);
  SetClock(1, 30);
  EXPECT_EQ(Rows()[0], "01T01 skipped overlap");
  clock_.Advance(absl::Minutes(10));
  EXPECT_FALSE(RunOne());
}

TEST_F(SchedulerTest, WhatCameBeforeItsPlanWasResumedStaysUndone) {
  Add();
  SetClock(24 * 365 * 3, 30);
  clock_.SetNow(kBegin + absl::Minutes(40));
  plan_.set_revision(2);
  plan_.set_updated_at_ms(absl::ToUnixMillis(clock_.Now()));
  ASSERT_TRUE(catalog_->plans()
                  .UpdatePlan(context_, plan_,
                              TargetsOf(plan_, *RulesOf(plan_), clock_.Now()))
                  .ok());
  Step();
  EXPECT_FALSE(RunOne());
  SetClock(1, 40);
  for (const std::string& row : Rows()) {
    EXPECT_NE(row.substr(0, 6), "01T01 ") << row;
  }
}

TEST_F(SchedulerTest, WhatWaitsForItsTimeWaitsOnWhereTheClockGoesBack) {
  Add();
  SetClockToRunOf(1);
  SetClock(-3, 0);
  SetClockToRunOf(1);
  EXPECT_TRUE(RunOne());
  SetClock(1, 20);
  EXPECT_THAT(Rows(), ::testing::ElementsAre("01T01 succeeded"));
}

TEST_F(SchedulerTest, SoDoesWhatWaitsForAWorkerAndWhatGaveWayToIt) {
  Add();
  SetClockToRunOf(1);
  SetClockToRunOf(2);
  SetClock(-3, 0);
  SetClock(2, 30);
  EXPECT_TRUE(RunOne());
  SetClock(2, 40);
  EXPECT_THAT(Rows(), ::testing::ElementsAre("01T01 succeeded",
                                             "01T02 skipped overlap"));
}

TEST_F(SchedulerTest, WhatAClockOfTheYearBeforeEndedRunsInItsTime) {
  Add();
  SetClockToRunOf(1);
  SetClock(-24 * 365, 0);
  SetClockToRunOf(1);
  EXPECT_TRUE(RunOne());
  SetClock(1, 20);
  EXPECT_THAT(Rows(), ::testing::ElementsAre("01T01 succeeded"))
      << "and nothing of before the plan was made";
}

TEST_F(SchedulerTest, WhatAClockAheadHasPutOffRunsInItsTime) {
  Add();
  SetClockToRunOf(1);
  EXPECT_TRUE(RunOne());
  SetClock(2, 30);  // 02:00 is to run late
  SetClock(1, 40);
  SetClockToRunOf(2);
  EXPECT_TRUE(RunOne());
  SetClock(2, 20);
  EXPECT_THAT(Rows(),
              ::testing::ElementsAre("01T01 succeeded", "01T02 succeeded"));
}

TEST_F(SchedulerTest, WhatHadToMakeWayIsDecidedAgain) {
  Add();
  SetClock(2, 0);
  const std::vector<PlanTarget> targets =
      *catalog_->plans().ListTargets(context_, "plan");
  ASSERT_EQ(targets.size(), 1u);
  // A step that began before that, and waited for the catalog.
  FireStep slow;
  slow.plan_id = "plan";
  slow.repo_id = "repo";
  slow.expected_next_due = slow.next_due = targets[0].next_due;
  slow.run_at = targets[0].run_at;
  slow.now = clock_.Now() - absl::Minutes(1);
  slow.run.emplace();
  slow.run->plan_id = "plan";
  slow.run->repo_id = "repo";
  slow.run->due_at = clock_.Now() - absl::Minutes(30);
  slow.run->attempts = 1;
  slow.run->job_id = "slow";
  slow.job = BackupRunOf(plan_, "repo", "slow", slow.now);
  const auto fired = catalog_->plans().Fire(context_, slow);
  ASSERT_TRUE(fired.ok() && !fired->overlapped);
  EXPECT_TRUE(RunOne());
  clock_.Advance(absl::Minutes(10));
  scheduler_ = std::make_unique<Scheduler>(catalog_.get(), &clock_, random_);
  Step();
  clock_.Advance(jitter_);
  EXPECT_TRUE(RunOne());
  Step();
  EXPECT_EQ(Rows().back(), "01T02 succeeded");
}

TEST_F(SchedulerTest, AMinuteIn2030EndsNothingThatWaitsForAWorker) {
  Add();
  SetClockToRunOf(1);
  SetClock(24 * 365 * 3, 30);
  SetClock(1, 10);
  EXPECT_TRUE(RunOne());
  SetClock(1, 20);
  EXPECT_EQ(Rows()[0], "01T01 succeeded");
  EXPECT_EQ(catalog_->plans().ListFirings(context_, {})->at(0).attempts, 1u);
}

TEST_F(SchedulerTest, WhatNobodyBeginsInADayEndsOnceTheClockIsTrusted) {
  Add();
  SetClockToRunOf(1);
  clock_.Advance(absl::Hours(25));
  Step();
  const auto first = catalog_->plans().ListFirings(context_, {})->at(0);
  EXPECT_EQ(first.attempts, 2u) << "a retry of one that was not claimed";
}

TEST_F(SchedulerTest, AMinuteIn2030GivesUpNothingThatFailsInIt) {
  plan_.mutable_spec()->set_retry_for_ms(30 * 60 * 1000);
  Add();
  SetClockToRunOf(1);
  const auto run = catalog_->queue().Claim(context_, {clock_.Now(), 0});
  ASSERT_TRUE(run.ok() && run->has_value());
  SetClock(24 * 365 * 3, 30);
  BackupJob job = (*run)->job;
  job.set_status(BackupJob::FAILED);
  job.set_error_code(std::string(kSourceFailed));
  job.set_finished_at_ms(absl::ToUnixMillis(clock_.Now()));
  ASSERT_TRUE(catalog_->UpdateBackupJob(context_, job).ok());
  Step();
  SetClock(1, 10);
  SetClock(1, 16);
  EXPECT_TRUE(RunOne());
  SetClock(1, 20);
  EXPECT_EQ(Rows()[0], "01T01 succeeded");
}

}  // namespace
}  // namespace sluice::service
