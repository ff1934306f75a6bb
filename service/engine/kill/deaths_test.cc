// A process dies before each call of SQLite's, one after the other, that firing
// a due time and claiming its run take; another one, which had the catalog open
// all the time, goes on.

#include <stdlib.h>
#include <sys/wait.h>

#include <iostream>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
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
    const std::string plan = AddDuePlan();
    TestProgram dying({"service/engine/kill/kill_worker", "die",
                       house_.folder(), absl::StrCat(die_at)});
    EXPECT_EQ(dying.Hear(), "ready");
    if (beside != nullptr) beside->Say(plan);
    dying.Say("go");
    const std::string said = dying.Hear();
    const int status = dying.Reap();
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), said.empty() ? kDiedExitCode : 0) << said;
    if (beside == nullptr) other_.Say(plan);
    EXPECT_EQ(other_.Hear(), "settled");
    int64_t calls = 0;
    (void)absl::SimpleAtoi(absl::StripPrefix(said, "calls "), &calls);
    return calls;
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
  TestProgram other_{
      {"service/engine/kill/kill_worker", "goon", house_.folder()}};
};

TEST_F(DeathsTest, AnotherGoesOnWhereverOneDies) {
  const int64_t calls = FireAndClaim(0, nullptr);
  ASSERT_GT(calls, 30);
  int64_t died = 0;
  for (int64_t call = 1; call <= calls; call += Stride()) {
    died += FireAndClaim(call, nullptr) == 0;
    ASSERT_FALSE(HasFailure()) << "call " << call << " of " << calls;
  }
  std::cout << absl::StrCat(died, " deaths at ", calls, " calls") << std::endl;
  EXPECT_GE(died, calls / Stride() * 9 / 10);
  ExpectAllAddsUp();
}

TEST_F(DeathsTest, AndBesideOneThatDoesTheSame) {
  const int64_t calls = FireAndClaim(0, nullptr);
  for (int64_t call = 1; call <= calls; call += 2 * Stride()) {
    FireAndClaim(call, &other_);
    ASSERT_FALSE(HasFailure()) << "call " << call << " of " << calls;
  }
  ExpectAllAddsUp();
}

}  // namespace
}  // namespace sluice::service
