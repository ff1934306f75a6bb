#include "sluice/service/engine/scheduler.h"

#include <stdlib.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/base/testing/fake_clock.h"
#include "sluice/catalog/catalog_error.h"
#include "sluice/catalog/sqlite/sqlite_catalog.h"
#include "sluice/service/plan/plan_run.h"

namespace sluice::service {
namespace {

using ::testing::ElementsAre;

// An hourly plan with a jitter; it is 00:30 on the first of January 2027.
class SchedulerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string folder = absl::StrCat(::testing::TempDir(), "/sched-XXXXXX");
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    options_.path = folder + "/catalog.db";
    options_.clock = &clock_;
    options_.heartbeat = false;
    auto opened = OpenSqliteCatalog(context_, options_);
    ASSERT_TRUE(opened.ok()) << opened.status();
    catalog_ = *std::move(opened);
    BackupRepo repo;
    repo.set_id("repo");
    repo.set_name("repo");
    ASSERT_TRUE(catalog_->AddRepo(context_, repo).ok());
    clock_.SetNow(kBegin);
    plan_.set_id("plan");
    plan_.set_name("hourly");
    plan_.set_revision(1);
    plan_.set_created_at_ms(absl::ToUnixMillis(kBegin));
    plan_.mutable_spec()->set_source("memory:?load=/data");
    plan_.mutable_spec()->add_repos("repo");
    plan_.mutable_spec()->set_schedule("0 * * * *");
    plan_.mutable_spec()->set_jitter_ms(300000);
    scheduler_ = std::make_unique<Scheduler>(catalog_.get(), &clock_, random_);
  }

  void Add() {
    const auto rules = RulesOf(plan_);
    ASSERT_TRUE(rules.ok()) << rules.status();
    jitter_ = rules->due.jitter;
    ASSERT_GT(jitter_, absl::Seconds(1));
    ASSERT_TRUE(catalog_->plans()
                    .AddPlan(context_, plan_, TargetsOf(plan_, *rules, kBegin))
                    .ok());
    Step();
  }

  void Step() {
    const auto next = scheduler_->Step(context_);
    ASSERT_TRUE(next.ok()) << next.status();
  }

  void SetClock(int hour, int minute) {
    clock_.SetNow(kBegin + absl::Hours(hour) + absl::Minutes(minute - 30));
    Step();
  }

  // When the run of that hour is to begin.
  void SetClockToRunOf(int hour) {
    clock_.SetNow(kBegin - absl::Minutes(30) + absl::Hours(hour) + jitter_);
    Step();
  }

  // Claims and ends the job whose turn it is; its error, "" for success.
  bool RunOne(const std::string& error = "") {
    const auto run = catalog_->queue().Claim(context_, {clock_.Now(), 0});
    EXPECT_TRUE(run.ok()) << run.status();
    if (!run.ok() || !run->has_value()) return false;
    BackupJob job = (*run)->job;
    job.set_status(error.empty() ? BackupJob::SUCCEEDED : BackupJob::FAILED);
    job.set_error_code(error);
    job.set_finished_at_ms(absl::ToUnixMillis(clock_.Now()));
    EXPECT_TRUE(catalog_->UpdateBackupJob(context_, job).ok());
    return true;
  }

  std::vector<std::string> Rows() {
    std::vector<std::string> rows;
    const auto firings = catalog_->plans().ListFirings(context_, {});
    EXPECT_TRUE(firings.ok()) << firings.status();
    for (const Firing& firing : *firings) {
      rows.push_back(absl::StrCat(
          absl::FormatTime("%dT%H", firing.due_at, absl::UTCTimeZone()), " ",
          OutcomeWord(firing.outcome), firing.reason.empty() ? "" : " ",
          firing.reason));
    }
    return rows;
  }

  const absl::Time kBegin = absl::FromCivil(
      absl::CivilMinute(2027, 1, 1, 0, 30), absl::UTCTimeZone());
  FakeClock clock_;
  Context context_ = Context::Background();
  SqliteCatalogOptions options_;
  std::unique_ptr<Catalog> catalog_;
  std::mt19937_64 random_{1};
  Plan plan_;
  absl::Duration jitter_;
  std::unique_ptr<Scheduler> scheduler_;
};

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
  EXPECT_THAT(Rows(), ElementsAre("01T01 succeeded", "01T02 succeeded",
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

TEST_F(SchedulerTest, ARetryGivesWayToARunThatAPersonAskedFor) {
  Add();
  SetClockToRunOf(1);
  EXPECT_TRUE(RunOne(std::string(kSourceFailed)));
  ASSERT_TRUE(catalog_->queue()
                  .Enqueue(context_,
                           BackupRunOf(plan_, "repo", "by-hand", clock_.Now()))
                  .ok());
  Step();
  EXPECT_THAT(Rows(), ElementsAre("01T01 skipped overlap"));
  CatalogFilter pending;
  pending.status = BackupJob::PENDING;
  EXPECT_EQ(catalog_->ListJobs(context_, pending)->size(), 1u);
}

TEST_F(SchedulerTest, AllThatAPlanSkippedIsInOneTotal) {
  plan_.mutable_spec()->set_catch_up_ms(0);
  Add();
  SetClock(24 * 10, 30);
  const auto totals = catalog_->events().Totals(context_);
  ASSERT_EQ(totals->size(), 1u);
  EXPECT_EQ(totals->at(0).metric, "skipped");
  EXPECT_EQ(totals->at(0).value, 24 * 10);
}

TEST_F(SchedulerTest, NoRunTakesLessThanNoTime) {
  Add();
  SetClockToRunOf(1);
  const auto run = catalog_->queue().Claim(context_, {clock_.Now(), 0});
  ASSERT_TRUE(run.ok() && run->has_value());
  SetClock(0, 40);
  BackupJob job = (*run)->job;
  job.set_status(BackupJob::SUCCEEDED);
  job.set_finished_at_ms(absl::ToUnixMillis(clock_.Now()));
  ASSERT_TRUE(catalog_->UpdateBackupJob(context_, job).ok());
  Step();
  EXPECT_EQ(catalog_->plans().ListFirings(context_, {})->at(0).duration,
            absl::ZeroDuration());
}

TEST_F(SchedulerTest, ARunThatOutlivesItsPlanSaysWhatBecameOfItsTime) {
  Add();
  SetClockToRunOf(1);
  ASSERT_TRUE(RunOne());
  ASSERT_TRUE(catalog_->plans().RemovePlan(context_, "plan").ok());
  Step();
  EXPECT_THAT(Rows(), ElementsAre("01T01 succeeded"));
}

TEST_F(SchedulerTest, WhatAPlanThatSkipsSkippedByAWrongClockRunsInItsTime) {
  plan_.mutable_spec()->set_catch_up_ms(0);
  Add();
  SetClock(2, 30);
  EXPECT_THAT(Rows(), ElementsAre("01T01 skipped skipped_by_policy",
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
  EXPECT_THAT(Rows(), ElementsAre("01T01 skipped skipped_by_policy"));
  SetClock(1, 0);
  SetClockToRunOf(1);
  EXPECT_TRUE(RunOne());
  SetClock(1, 20);
  EXPECT_THAT(Rows(), ElementsAre("01T01 succeeded"));
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
  EXPECT_THAT(Rows(), ElementsAre("01T01 succeeded", "01T02 succeeded"));
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
  EXPECT_THAT(Rows(), ElementsAre("01T01 succeeded", "01T02 succeeded"));
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

}  // namespace
}  // namespace sluice::service
