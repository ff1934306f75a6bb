#include "sluice/service/admin/plan_apply.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/service/json/json.h"
#include "sluice/service/settings/settings.h"
#include "sluice/service/testing/test_house.h"

namespace sluice::service {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class PlanApplyTest : public ::testing::Test {
 protected:
  std::string Nightly(const std::string& more) {
    return absl::StrCat(R"([{"name":"nightly","source":")", house_.store_uri(),
                        R"(","repos":["disk"])", more, "}]");
  }

  absl::StatusOr<AppliedPlan> Apply(const std::string& text,
                                    bool dry_run = false) {
    const auto statements = ParsePlans(text);
    if (!statements.ok()) return statements.status();
    EXPECT_THAT(*statements, SizeIs(1));
    ApplyOptions options;
    options.dry_run = dry_run;
    return ApplyPlan(context_, catalog_, house_.host(), *Clock::Real(),
                     statements->front(), options);
  }

  std::string Word(const absl::StatusOr<AppliedPlan>& applied) {
    if (!applied.ok()) return applied.status().ToString();
    return std::string(ApplyWord(applied->action));
  }

  uint64_t RevisionOfPlan() {
    return catalog_.plans().GetPlan(context_, "nightly")->revision();
  }

  TestHouse house_;
  const Context& context_ = house_.context();
  Catalog& catalog_ = house_.catalog();
};

TEST_F(PlanApplyTest, MakesThenChangesThenLeavesAlone) {
  const std::string first = Nightly(R"(,"cron":"0 2 * * *","keep_daily":7)");
  EXPECT_EQ(Word(Apply(first)), "added");
  EXPECT_EQ(Word(Apply(first)), "same");
  EXPECT_EQ(RevisionOfPlan(), 1u);
  // What is not said any more is as nothing said it.
  const std::string second = Nightly(R"(,"every":"90m","labels":{"a":"1"})");
  const auto changed = Apply(second);
  EXPECT_EQ(Word(changed), "changed");
  EXPECT_THAT(changed->changed,
              UnorderedElementsAre("cron", "every", "keep_daily", "labels"));
  EXPECT_EQ(Word(Apply(second)), "same");
  EXPECT_EQ(RevisionOfPlan(), 2u);
}

TEST_F(PlanApplyTest, ADryRunSaysTheSameAndStoresNothing) {
  const std::string text = Nightly(R"(,"cron":"0 2 * * *")");
  EXPECT_EQ(Word(Apply(text, /*dry_run=*/true)), "added");
  EXPECT_THAT(*catalog_.plans().ListPlans(context_), IsEmpty());
  ASSERT_EQ(Word(Apply(text)), "added");
  const auto would = Apply(Nightly(R"(,"cron":"0 3 * * *")"), true);
  EXPECT_EQ(Word(would), "changed");
  EXPECT_THAT(would->changed, ElementsAre("cron"));
  EXPECT_EQ(RevisionOfPlan(), 1u);
}

TEST_F(PlanApplyTest, WhetherItIsPausedStaysUnlessItIsSaid) {
  ASSERT_EQ(Word(Apply(Nightly(R"(,"every":"1h","paused":true)"))), "added");
  EXPECT_EQ(Word(Apply(Nightly(R"(,"every":"1h")"))), "same");
  const auto resumed = Apply(Nightly(R"(,"every":"1h","paused":false)"));
  EXPECT_THAT(resumed->changed, ElementsAre("paused"));
  EXPECT_FALSE(resumed->plan.paused());
}

TEST_F(PlanApplyTest, WhatExportPrintsAppliesAndChangesNothing) {
  ASSERT_EQ(Word(Apply(Nightly(R"(,"every":"1h","keep_last":3)"))), "added");
  const auto settings = ReadSettings(context_, catalog_);
  EXPECT_EQ(Word(Apply(SettingsJson(*settings).dump())), "same");
}

TEST_F(PlanApplyTest, WhatIsWrongIsNamedAndNothingIsStored) {
  const struct {
    std::string text;
    const char* told;
  } cases[] = {
      {Nightly(R"(,"keep_dayly":7)"), "plans[0].keep_dayly is unknown"},
      {Nightly(R"(,"keep_daily":"7")"), "plans[0].keep_daily is no count"},
      {Nightly(R"(,"cron":"0 25 * * *")"), "column 3"},
      {Nightly(R"(,"labels":{"a":""})"), "plans[0].labels.a is missing"},
      {absl::StrReplaceAll(Nightly(""), {{"\"disk\"", ""}}),
       "plans[0].repos is missing"},
      {absl::StrReplaceAll(Nightly(""), {{"nightly", ""}}),
       "plans[0].name is missing"},
      {absl::StrReplaceAll(Nightly(""), {{"disk", "disc"}}), "disc"},
      {R"({"plans":[],"tokens":[]})", "tokens is unknown"},
      {R"({"plan":[]})", "plan is unknown"},
      {R"("nightly")", "is no object"},
      {"[", "is no JSON"},
  };
  for (const auto& c : cases) {
    const auto applied = Apply(c.text);
    EXPECT_THAT(std::string(applied.status().message()), HasSubstr(c.told))
        << c.text;
  }
  EXPECT_THAT(*catalog_.plans().ListPlans(context_), IsEmpty());
}

TEST_F(PlanApplyTest, APlanThatIsThereTwiceIsRefused) {
  const std::string one = Nightly("");
  const std::string object = one.substr(1, one.size() - 2);
  const auto statements =
      ParsePlans(absl::StrCat("[", object, ",", object, "]"));
  EXPECT_THAT(std::string(statements.status().message()),
              HasSubstr("plans[1].name nightly is there twice"));
}

}  // namespace
}  // namespace sluice::service
