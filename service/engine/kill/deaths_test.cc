// A process dies before each call of SQLite's, one after the other, that firing
// a due time and claiming its run take; another one, which had the catalog open
// all the time, goes on.

#include <stdlib.h>
#include <sys/wait.h>

#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/testing/environment.h"
#include "sluice/base/testing/memory_folder.h"
#include "sluice/base/testing/test_program.h"
#include "sluice/catalog/testing/mortal_vfs.h"
#include "sluice/service/engine/kill/ledger.h"
#include "sluice/service/testing/test_house.h"

namespace sluice::service {
namespace {

constexpr absl::Duration kSettlesWithin = absl::Seconds(60);

class DeathsTest : public ::testing::Test {
 protected:
  ~DeathsTest() override {
    (void)!system(absl::StrCat("rm -rf ", house_.folder()).c_str());
  }

  // A plan that is due once, by its number.
  std::string AddDuePlan() {
    Plan plan = house_.HourlyPlan(house_.store_uri());
    plan.set_id(absl::StrCat("plan-", plans_.size()));
    plan.set_name(plan.id());
    plan.mutable_spec()->set_attempts(3);
    house_.AddAsDue(plan);
    plans_.push_back(plan);
    return plan.id();
  }

  // How many calls it takes; 0 where it died, as it was to.
  int64_t FireAndClaim(int64_t die_at, TestProgram* beside) {
    TestProgram dying({"service/engine/kill/kill_worker", "die",
                       house_.folder(), absl::StrCat(die_at)});
    EXPECT_EQ(dying.Hear(), "ready");
    const std::string plan = AddDuePlan();
    if (beside != nullptr) beside->Say(plan);
    dying.Say("go");
    const std::string said = dying.Hear();
    const int status = dying.Reap();
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), said.empty() ? kDiedExitCode : 0) << said;
    if (beside == nullptr) {
      ++left_[WhatIsLeftOf(plan)];
      other_.Say(plan);
    }
    // What nobody brings back is never settled.
    EXPECT_TRUE(other_.CanHear(kSettlesWithin)) << "call " << die_at;
    if (HasFailure()) return -1;
    EXPECT_EQ(other_.Hear(), "settled");
    int64_t calls = 0;
    (void)absl::SimpleAtoi(absl::StripPrefix(said, "calls "), &calls);
    return calls;
  }

  // "unfired", else its job's status.
  std::string WhatIsLeftOf(const std::string& plan_id) {
    FiringFilter filter;
    filter.plan_id = plan_id;
    const auto rows =
        house_.catalog().plans().ListFirings(house_.context(), filter);
    EXPECT_TRUE(rows.ok()) << rows.status();
    if (!rows.ok() || rows->empty()) return "unfired";
    const auto job =
        house_.catalog().GetJob(house_.context(), rows->front().job_id);
    EXPECT_TRUE(job.ok()) << job.status();
    return job.ok() ? BackupJob::Status_Name(job->job.status()) : "";
  }

  void ExpectAllAddsUp() {
    std::vector<Plan> plans;
    for (const Plan& plan : plans_) plans.push_back(DueOnce(plan));
    const Ledger ledger = Audit(house_.catalog(), plans, absl::Hours(1));
    EXPECT_THAT(ledger.wrong, ::testing::IsEmpty());
    EXPECT_EQ(ledger.succeeded, int64_t(plans_.size()));
  }

  // Of all calls one in so many.
  static int64_t Stride() { return IsSlowBuild() ? FaultStride() : 1; }

  // Counted from an hour before, so that its due time is the first.
  static Plan DueOnce(Plan plan) {
    plan.set_created_at_ms(plan.created_at_ms() - 3600 * 1000);
    return plan;
  }

  TestHouse house_{MakeMemoryFolder("sluice-deaths")};
  std::vector<Plan> plans_;
  std::map<std::string, int> left_;  // by the dead, and how often
  TestProgram other_{
      {"service/engine/kill/kill_worker", "goon", house_.folder()}};
};

TEST_F(DeathsTest, AnotherGoesOnWhereverOneDies) {
  int64_t call = 1;
  int64_t died = 0;
  // Until one lives, as it takes fewer calls than that.
  for (; FireAndClaim(call, nullptr) == 0; call += Stride()) {
    ++died;
    ASSERT_FALSE(HasFailure()) << "call " << call;
  }
  ASSERT_FALSE(HasFailure()) << "call " << call;
  std::cout << absl::StrCat(died, " deaths at ", call, " calls") << std::endl;
  EXPECT_GE(call, 30);
  for (const auto& [what, times] : left_) {
    std::cout << absl::StrCat("  ", times, " left it ", what) << std::endl;
  }
  if (Stride() == 1) {
    EXPECT_THAT(left_, ::testing::UnorderedElementsAre(
                           ::testing::Key("unfired"), ::testing::Key("PENDING"),
                           ::testing::Key("RUNNING")));
  }
  ExpectAllAddsUp();
}

TEST_F(DeathsTest, AndBesideOneThatDoesTheSame) {
  const int64_t calls = FireAndClaim(0, nullptr);
  ASSERT_GT(calls, 30);
  for (int64_t call = 1; call <= calls; call += 2 * Stride()) {
    FireAndClaim(call, &other_);
    ASSERT_FALSE(HasFailure()) << "call " << call << " of " << calls;
  }
  ExpectAllAddsUp();
}

}  // namespace
}  // namespace sluice::service
