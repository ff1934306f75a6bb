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

using ::testing::ElementsAre;

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

}  // namespace
}  // namespace sluice::service
