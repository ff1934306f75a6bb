#include "sluice/service/retention/rules.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"

namespace sluice::service {
namespace {

using ::testing::HasSubstr;

absl::TimeZone Zone(const std::string& name) {
  absl::TimeZone zone;
  EXPECT_TRUE(absl::LoadTimeZone(name, &zone)) << name;
  return zone;
}

// `span` before a local time of the zone, as local time with its offset.
std::string Before(const std::string& local, const std::string& span,
                   const std::string& zone_name) {
  const absl::TimeZone zone = Zone(zone_name);
  absl::Time time;
  std::string error;
  EXPECT_TRUE(absl::ParseTime("%Y-%m-%d %H:%M", local, zone, &time, &error));
  return absl::FormatTime("%Y-%m-%d %H:%M %Ez",
                          TimeBefore(time, *ParseCalendarSpan(span), zone),
                          zone);
}

TEST(CalendarSpanTest, IsReadAndPrinted) {
  for (const char* text : {"1y", "1y2m", "30d", "1y5m7d2h", "0", "99999d"}) {
    const auto span = ParseCalendarSpan(text);
    ASSERT_TRUE(span.ok()) << text;
    EXPECT_EQ(FormatCalendarSpan(*span), text);
  }
  EXPECT_EQ(FormatCalendarSpan(*ParseCalendarSpan("2w3d")), "17d");
  EXPECT_EQ(FormatCalendarSpan(*ParseCalendarSpan("0d0h")), "0");
}

TEST(CalendarSpanTest, RefusesWhatIsNone) {
  for (const char* text :
       {"", "7", "d", "7 d", "-7d", "+7d", "7d7d", "2d1y", "30min", "30s",
        "1.5d", "7D", "9999999999999999999d", "999999w", "7d ", "0x7d"}) {
    const auto span = ParseCalendarSpan(text);
    EXPECT_EQ(ErrorCodeOf(span.status()), kInvalidArgument) << text;
    EXPECT_NE(HintOf(span.status()), "") << text;
  }
}

TEST(CalendarSpanTest, GoesBackByTheCalendarOfTheZone) {
  EXPECT_EQ(Before("2024-03-10 12:00", "1m", "UTC"), "2024-02-10 12:00 +00:00");
  EXPECT_EQ(Before("2024-03-31 12:00", "1m", "UTC"), "2024-03-02 12:00 +00:00");
  EXPECT_EQ(Before("2023-03-31 12:00", "1m", "UTC"), "2023-03-03 12:00 +00:00");
  EXPECT_EQ(Before("2024-02-29 12:00", "1y", "UTC"), "2023-03-01 12:00 +00:00");
  // A day across a change of the clock is at the same time of day.
  EXPECT_EQ(Before("2020-10-26 12:00", "2d", "Europe/Berlin"),
            "2020-10-24 12:00 +02:00");
  // Hours are hours.
  EXPECT_EQ(Before("2020-10-25 12:00", "24h", "Europe/Berlin"),
            "2020-10-24 13:00 +02:00");
  // What the clock skipped, and what it repeated.
  EXPECT_EQ(Before("2021-03-29 02:30", "1d", "Europe/Berlin"),
            "2021-03-28 03:30 +02:00");
  EXPECT_EQ(Before("2020-10-26 02:30", "1d", "Europe/Berlin"),
            "2020-10-25 02:30 +02:00");
}

TEST(RulesTest, AreReadAndPrinted) {
  const std::string text =
      "keep_last=1 keep_within=1y2m keep_hourly=24 keep_daily=7 keep_weekly=4 "
      "keep_monthly=12 keep_yearly=3 max_shrink=20";
  const auto rules = ParseRetentionRules(text);
  ASSERT_TRUE(rules.ok());
  EXPECT_EQ(rules->keep_last, 1);
  EXPECT_EQ(rules->keep_within.months, 2);
  EXPECT_EQ(rules->keep_yearly, 3);
  EXPECT_EQ(rules->max_shrink, 20);
  EXPECT_EQ(FormatRetentionRules(*rules), text);
  EXPECT_EQ(*ParseRetentionRules("keep_daily=7,keep_last=1"),
            *ParseRetentionRules(" keep_last=1  keep_daily=7 "));
}

TEST(RulesTest, OfZeroAreOff) {
  EXPECT_TRUE(RetentionRules().keeps_everything());
  EXPECT_TRUE(ParseRetentionRules("")->keeps_everything());
  const auto rules = ParseRetentionRules(
      "keep_last=0 keep_within=0 keep_daily=0 max_shrink=0");
  ASSERT_TRUE(rules.ok());
  EXPECT_TRUE(rules->keeps_everything());
  EXPECT_EQ(FormatRetentionRules(*rules), "max_shrink=0");
  EXPECT_FALSE(ParseRetentionRules("keep_within=1h")->keeps_everything());
}

TEST(RulesTest, OfOldAreOneAsTheOther) {
  EXPECT_EQ(FormatRetentionRules(
                *ParseRetentionRules("keep_count=7 keep_age_days=14")),
            "keep_last=7 keep_within=14d");
}

TEST(RulesTest, NameTheFieldThatTheyRefuse) {
  const struct {
    const char* text;
    const char* field;
  } cases[] = {
      {"keep_last=-1", "keep_last is negative: -1"},
      {"keep_age_days=-3", "keep_age_days is negative: -3"},
      {"keep_daily=seven", "keep_daily is no whole number"},
      {"keep_daily=", "keep_daily is no whole number"},
      {"keep_daily", "keep_daily is no whole number"},
      {"keep_weekly=100001", "keep_weekly is too large"},
      {"keep_weekly=99999999999999999999", "keep_weekly is no whole number"},
      {"keep_within=7", "keep_within: not a span"},
      {"max_shrink=100", "max_shrink is too large"},
      {"keep_minutely=5", "\"keep_minutely\""},
      {"keep_last=3 keep_count=3", "\"keep_count\" is given twice"},
  };
  for (const auto& [text, field] : cases) {
    const absl::Status status = ParseRetentionRules(text).status();
    EXPECT_EQ(ErrorCodeOf(status), kInvalidArgument) << text;
    EXPECT_THAT(std::string(status.message()), HasSubstr(field));
    EXPECT_NE(HintOf(status), "") << text;
  }
  EXPECT_FALSE(ParseRetentionRules(std::string(1025, ' ')).ok());
}

TEST(RulesTest, ThatWereNotParsedAreCheckedToo) {
  RetentionRules rules;
  EXPECT_TRUE(CheckRetentionRules(rules).ok());
  rules.keep_monthly = -1;
  EXPECT_THAT(std::string(CheckRetentionRules(rules).message()),
              HasSubstr("keep_monthly"));
  rules.keep_monthly = 0;
  rules.keep_within.days = -1;
  EXPECT_THAT(std::string(CheckRetentionRules(rules).message()),
              HasSubstr("keep_within"));
}

TEST(RulesTest, StayAsTheyWereOnAnError) {
  RetentionRules rules;
  rules.keep_last = 3;
  EXPECT_FALSE(SetRetentionRule("keep_last", "-1", rules).ok());
  EXPECT_EQ(rules.keep_last, 3);
}

}  // namespace
}  // namespace sluice::service
