#include "sluice/service/plan/plan_rules.h"

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/service/plan/plan_fields.h"

namespace sluice::service {
namespace {

using ::testing::HasSubstr;

const absl::Time kNow = absl::FromUnixSeconds(1800000000);  // a Friday, 08:00Z

Plan Hourly() {
  Plan plan;
  plan.set_id("01PLAN");
  plan.set_name("hourly");
  plan.set_created_at_ms(absl::ToUnixMillis(kNow) - 123);
  plan.mutable_spec()->set_source("memory:");
  plan.mutable_spec()->add_repos("r1");
  plan.mutable_spec()->add_repos("r2");
  plan.mutable_spec()->set_schedule("0 * * * *");
  return plan;
}

TEST(PlanRulesTest, SayWhatAPlanLeavesOpen) {
  const auto rules = RulesOf(Hourly());
  ASSERT_TRUE(rules.ok()) << rules.status();
  EXPECT_EQ(rules->zone.name(), "UTC");
  EXPECT_EQ(rules->attempts, 3u);
  EXPECT_EQ(rules->timeout, absl::InfiniteDuration());
  EXPECT_TRUE(rules->retention.keeps_everything());
  EXPECT_LT(rules->due.jitter, absl::Minutes(5));
}

TEST(PlanRulesTest, RefuseWhatCannotBeByItsField) {
  struct {
    const char* field;
    const char* value;
  } const wrong[] = {{"cron", "0 25 * * *"},
                     {"zone", "Europe/Berln"},
                     {"window", "22:00"},
                     {"attempts", "1000"},
                     {"jitter", "2h"}};
  for (const auto& [field, value] : wrong) {
    Plan plan = Hourly();
    ASSERT_TRUE(SetPlanField(field, value, *plan.mutable_spec()).ok());
    const auto rules = RulesOf(plan);
    ASSERT_FALSE(rules.ok()) << field;
    EXPECT_EQ(ErrorCodeOf(rules.status()), kInvalidArgument);
    const std::string name = field == std::string("cron") ? "schedule" : field;
    EXPECT_THAT(std::string(rules.status().message()), HasSubstr(name));
  }
  Plan without = Hourly();
  without.mutable_spec()->clear_source();
  EXPECT_FALSE(RulesOf(without).ok());
  without = Hourly();
  without.mutable_spec()->clear_repos();
  EXPECT_FALSE(RulesOf(without).ok());
}

TEST(PlanRulesTest, APlanIsNeverDueAsItIsMade) {
  const Plan plan = Hourly();
  const auto rules = RulesOf(plan);
  ASSERT_TRUE(rules.ok());
  const std::vector<PlanTarget> targets = TargetsOf(plan, *rules, kNow);
  ASSERT_EQ(targets.size(), 2u);
  EXPECT_EQ(targets[1].repo_id, "r2");
  EXPECT_EQ(targets[0].next_due, kNow + absl::Hours(1));
  EXPECT_EQ(targets[0].run_at, targets[0].next_due + rules->due.jitter);
}

TEST(PlanRulesTest, APausedPlanAndOneOnDemandAreNeverDue) {
  Plan paused = Hourly();
  paused.set_paused(true);
  EXPECT_EQ(TargetsOf(paused, *RulesOf(paused), kNow)[0].run_at,
            absl::InfiniteFuture());
  Plan on_demand = Hourly();
  on_demand.mutable_spec()->clear_schedule();
  EXPECT_EQ(TargetsOf(on_demand, *RulesOf(on_demand), kNow)[0].run_at,
            absl::InfiniteFuture());
}

TEST(PlanRulesTest, AnEditThatIsNotAboutTimesMovesNoDueTime) {
  const Plan before = Hourly();
  std::vector<PlanTarget> targets = TargetsOf(before, *RulesOf(before), kNow);
  // One is due and not fired yet.
  const absl::Time later = kNow + absl::Hours(1) + absl::Minutes(30);
  Plan after = before;
  after.mutable_spec()->mutable_retention()->set_keep_last(3);
  after.mutable_spec()->add_repos("r3");
  const auto edited =
      TargetsAfterEdit(before, targets, after, *RulesOf(after), later);
  ASSERT_EQ(edited.size(), 3u);
  EXPECT_EQ(edited[0].next_due, kNow + absl::Hours(1));
  EXPECT_EQ(edited[2].next_due, kNow + absl::Hours(2)) << "a new repo waits";
  after.mutable_spec()->set_schedule("30 * * * *");
  EXPECT_EQ(TargetsAfterEdit(before, targets, after, *RulesOf(after), later)[0]
                .next_due,
            kNow + absl::Hours(2) + absl::Minutes(30));
}

TEST(PlanRulesTest, EveryCountsFromThePlansFirstSecond) {
  Plan plan = Hourly();
  plan.mutable_spec()->set_schedule("@every 90m");
  const auto targets = TargetsOf(plan, *RulesOf(plan), kNow + absl::Hours(5));
  EXPECT_EQ(targets[0].next_due,
            kNow - absl::Seconds(1) + absl::Minutes(90) * 4);
}

}  // namespace
}  // namespace sluice::service
