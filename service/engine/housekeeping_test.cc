#include "sluice/service/engine/housekeeping.h"

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "sluice/base/testing/fake_clock.h"
#include "sluice/service/testing/test_house.h"

namespace sluice::service {
namespace {

constexpr absl::Duration kYears = absl::Hours(24 * 365 * 4);

class HousekeepingTest : public ::testing::Test {
 protected:
  HousekeepingTest() {
    clock_.SetNow(absl::Now());  // as the catalog's
    BackupJob over = house_.ClaimBackup(plan_).job;
    over.set_status(BackupJob::FAILED);
    over.set_finished_at_ms(absl::ToUnixMillis(clock_.Now()));
    EXPECT_TRUE(house_.catalog().UpdateBackupJob(house_.context(), over).ok());
  }

  // As a service asks it: each minute.
  void Minutes(int count) {
    for (int i = 0; i < count; ++i) {
      clock_.Advance(absl::Minutes(1));
      housekeeping_.EndDeadJobs(house_.context());
    }
  }

  void DailyPass() { housekeeping_.DailyPass(house_.context()); }

  size_t Jobs() {
    return house_.catalog().ListJobs(house_.context(), {})->size();
  }

  TestHouse house_;
  Plan plan_ = house_.HourlyPlan(house_.store_uri());
  FakeClock clock_;
  Housekeeping housekeeping_{&house_.catalog(), &house_.host(), Options()};

 private:
  HousekeepingOptions Options() {
    HousekeepingOptions options;
    options.clock = &clock_;
    return options;
  }
};

TEST_F(HousekeepingTest, AMinuteIn2030TakesNoRow) {
  DailyPass();
  Minutes(30);
  clock_.SetNow(clock_.Now() + kYears);
  DailyPass();
  Minutes(1);
  EXPECT_EQ(Jobs(), 1u);
  clock_.SetNow(clock_.Now() - kYears);
  Minutes(30);
  EXPECT_EQ(Jobs(), 1u);
}

TEST_F(HousekeepingTest, ABootIn2030TakesNoRow) {
  clock_.SetNow(clock_.Now() + kYears);
  DailyPass();
  Minutes(1);
  clock_.SetNow(clock_.Now() - kYears);
  Minutes(30);
  EXPECT_EQ(Jobs(), 1u);
}

TEST_F(HousekeepingTest, WhatIsOldGoesOnceTheClockIsSteady) {
  clock_.Advance(kYears);
  DailyPass();
  EXPECT_EQ(Jobs(), 1u);
  Minutes(11);
  EXPECT_EQ(Jobs(), 0u);
}

}  // namespace
}  // namespace sluice::service
