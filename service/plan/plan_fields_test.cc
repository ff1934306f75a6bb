#include "sluice/service/plan/plan_fields.h"

#include <string>

#include "absl/strings/match.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/service/plan/verify_rule.h"

namespace sluice::service {
namespace {

using ::testing::HasSubstr;

std::string Get(const char* name, const PlanSpec& spec) {
  return GetPlanField(*FindPlanField(name), spec);
}

TEST(PlanFieldsTest, EachFieldComesBackAsItWasSaid) {
  for (const PlanField& field : PlanFields()) {
    std::string value;
    if (field.kind == PlanFieldKind::kCount) value = "3";
    if (field.kind == PlanFieldKind::kSpan) value = "1h30m";
    if (field.kind == PlanFieldKind::kFlag) value = "true";
    if (field.kind == PlanFieldKind::kText) value = "5d";
    if (absl::StrContains(field.value, "PROGRAM")) value = "exec:/bin/x 'a b'";
    if (field.value == "REF") value = "env:URL";
    if (field.name == "verify") value = "all in 30d";
    PlanSpec spec;
    EXPECT_EQ(GetPlanField(field, spec), "") << field.name;
    const absl::Status set = SetPlanField(field.name, value, spec);
    ASSERT_TRUE(set.ok()) << field.name << ": " << set;
    EXPECT_EQ(GetPlanField(field, spec), value) << field.name;
    ASSERT_TRUE(SetPlanField(field.name, "", spec).ok()) << field.name;
    EXPECT_EQ(GetPlanField(field, spec), "") << field.name;
    EXPECT_FALSE(field.help.empty()) << field.name;
  }
}

TEST(PlanFieldsTest, NamesWhatIsWrongAndWhere) {
  PlanSpec spec;
  for (const auto& [name, value] :
       {std::pair{"timeout", "soon"}, std::pair{"keep_last", "-1"},
        std::pair{"keep_within", "30"}, std::pair{"allow_empty", "yes"},
        std::pair{"every", "1500ms"}, std::pair{"keep_for", "3"},
        std::pair{"before", "/bin/x"}, std::pair{"after", "exec:x"},
        std::pair{"after_failure", "exec:/x 'a"},
        std::pair{"heartbeat", "https://hc-ping.com/uuid"},
        std::pair{"heartbeat", "cmd:curl"}}) {
    const absl::Status status = SetPlanField(name, value, spec);
    EXPECT_EQ(ErrorCodeOf(status), kInvalidArgument) << name;
    EXPECT_THAT(std::string(status.message()), HasSubstr(name));
  }
}

TEST(PlanFieldsTest, KnowsTheWordsOfOld) {
  PlanSpec spec;
  ASSERT_TRUE(SetPlanField("schedule", "0 2 * * *", spec).ok());
  ASSERT_TRUE(SetPlanField("keep_count", "7", spec).ok());
  ASSERT_TRUE(SetPlanField("keep_age_days", "14", spec).ok());
  EXPECT_EQ(Get("cron", spec), "0 2 * * *");
  EXPECT_EQ(Get("keep_last", spec), "7");
  EXPECT_EQ(Get("keep_within", spec), "14d");
  ASSERT_TRUE(SetPlanField("keep_age_days", "0", spec).ok());
  EXPECT_EQ(Get("keep_within", spec), "");
}

TEST(PlanFieldsTest, ASpanOfDaysIsAScheduleToo) {
  PlanSpec spec;
  ASSERT_TRUE(SetPlanField("every", "2d", spec).ok());
  EXPECT_EQ(spec.schedule(), "@every 172800s");
  EXPECT_EQ(Get("every", spec), "2d");
  EXPECT_EQ(Get("cron", spec), "");
}

TEST(PlanFieldsTest, AVerifyRuleIsAllInASpanOfDaysOrOff) {
  PlanSpec spec;
  ASSERT_TRUE(SetPlanField("verify", "all in 2w", spec).ok());
  EXPECT_EQ(*ParseVerifyRule(spec.verify()), absl::Hours(24 * 14));
  for (const char* wrong : {"sometimes", "all in", "all in 3x", "all in 12h",
                            "All in 30d", "all in 0", "30d"}) {
    const absl::Status refused = SetPlanField("verify", wrong, spec);
    EXPECT_EQ(ErrorCodeOf(refused), kInvalidArgument) << wrong;
    EXPECT_NE(HintOf(refused), "") << wrong;
  }
  EXPECT_EQ(Get("verify", spec), "all in 2w");
  ASSERT_TRUE(SetPlanField("verify", "off", spec).ok());
  EXPECT_EQ(*ParseVerifyRule(Get("verify", spec)), absl::ZeroDuration());
}

TEST(PlanFieldsTest, NoJitterAndNoCatchUpAreSaid) {
  PlanSpec spec;
  ASSERT_TRUE(SetPlanField("jitter", "0", spec).ok());
  ASSERT_TRUE(SetPlanField("catch_up", "skip", spec).ok());
  EXPECT_TRUE(spec.has_jitter_ms());
  EXPECT_TRUE(spec.has_catch_up_ms());
  EXPECT_EQ(Get("jitter", spec), "0");
  EXPECT_EQ(Get("catch_up", spec), "skip");
}

}  // namespace
}  // namespace sluice::service
