#include "sluice/service/schedule/cron_text.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/service/schedule/schedule_testing.h"

namespace sluice::service {
namespace {

using ::testing::HasSubstr;

TEST(CronTextTest, NamesListsRangesAndStepsHaveOneForm) {
  const struct {
    const char* text;
    const char* form;
  } kCases[] = {
      {"30 2 * * *", "30 2 * * *"},
      {"  05\t02  * *   * ", "5 2 * * *"},
      {"*/15 8-18/2 1,15 JAN-mar,Dec mon-FRI", "*/15 8-18/2 1,15 1-3,12 1-5"},
      {"0 0 * * sun", "0 0 * * 0"},
      {"0 0 * * 7", "0 0 * * 7"},
      {"0 0 * * 5-7", "0 0 * * 5-7"},
      {"@daily", "@daily"},
      {"@every 90m", "@every 1h30m"},
      {"@every 1.5h", "@every 1h30m"},
      {"@every  45s", "@every 45s"},
      {"TZ=Asia/Tokyo  @hourly", "CRON_TZ=Asia/Tokyo @hourly"},
      {"CRON_TZ=UTC 1 2 3 4 5", "CRON_TZ=UTC 1 2 3 4 5"},
  };
  for (const auto& one : kCases) {
    const auto schedule = Schedule::Parse(one.text);
    ASSERT_TRUE(schedule.ok()) << one.text << schedule.status();
    EXPECT_EQ(schedule->text(), one.form);
    const auto again = Schedule::Parse(schedule->text());
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ(again->text(), one.form);
  }
}

TEST(CronTextTest, WhatIsRefusedIsNamedWithItsColumnItsFieldAndAHint) {
  const struct {
    const char* text;
    const char* fault;
    const char* hint;
  } kCases[] = {
      {"", "column 1, minute: the schedule is empty", "30 2 * * *"},
      {"   ", "column 4, minute: the schedule is empty", "30 2 * * *"},
      {"CRON_TZ=UTC", "column 12, minute: the schedule is empty", "@daily"},
      {"0 2 * *", "column 8, day of week: the field is missing", "@daily"},
      {"0 0 2 * * *", "column 11, end: there are 6 fields", "seconds"},
      {"60 2 * * *", "column 1, minute: \"60\" is not in 0-59", "minute"},
      {"0 24 * * *", "column 3, hour: \"24\" is not in 0-23", "hour"},
      {"0 0 0 * *", "column 5, day of month: \"0\" is not in 1-31", ""},
      {"0 0 32 * *", "column 5, day of month: \"32\" is not in 1-31", ""},
      {"0 0 * 13 *", "column 7, month: \"13\" is not in 1-12", ""},
      {"0 0 * * 8", "column 9, day of week: \"8\" is not in 0-7", ""},
      {"0 0 * * 4294967297", "column 9, day of week", ""},
      {"0,5,99 * * * *", "column 5, minute: \"99\"", ""},
      {"1,,2 * * * *", "column 3, minute: nothing stands here", "blanks"},
      {"1, 2 * * *", "column 3, minute: nothing stands here", "blanks"},
      {"1- 2 * * *", "column 3, minute: a value is missing", ""},
      {"-5 2 * * *", "column 1, minute: a value is missing", ""},
      {"+5 2 * * *", "column 1, minute: \"+5\" is no value", ""},
      {"30-10 2 * * *", "column 1, minute: \"30-10\" ends before it begins",
       "30-59,0-10"},
      {"0 22-5 * * *", "column 3, hour: \"22-5\" ends", "22-23,0-5"},
      {"0 2 * * fri-sun", "column 9, day of week: \"fri-sun\" ends", "5-7"},
      {"0 2 * * fri-mon", "column 9, day of week: \"fri-mon\" ends", "5-6,0-1"},
      {"*/0 * * * *", "column 3, minute: \"0\" is no step", "*/15"},
      {"*/ * * * *", "column 3, minute: \"\" is no step", "*/15"},
      {"*/-5 * * * *", "column 3, minute: \"-5\" is no step", "*/15"},
      {"*/90 * * * *", "column 3, minute: a step of 90", "@every 90m"},
      {"0 */36 * * *", "column 5, hour: a step of 36", "@every 36h"},
      {"5/15 * * * *", "column 1, minute: a step needs a range", "5-59/15"},
      {"*-5 * * * *", "column 1, minute: \"*\" is no value", ""},
      {"0 0 ? * *", "column 5, day of month: \"?\" is no value", "\"*\""},
      {"0 0 L * *", "column 5, day of month: \"L\" is no value", "last day"},
      {"0 0 15W * *", "column 5, day of month: \"15W\" is no value", "1-5"},
      {"0 0 * * 5#2", "column 9, day of week: \"5#2\" is no value", "1-5"},
      {"H H * * *", "column 1, minute: \"H\" is no value", "jitter"},
      {"0~30 2 * * *", "column 1, minute: \"0~30\" is no value", "jitter"},
      {"0 0 * * monday", "column 9, day of week: \"monday\" is no name", "mon"},
      {"0 0 * mon *", "column 7, month: \"mon\" is no value", ""},
      {"0 0 30 2 *", "column 5, day of month: no month", "February"},
      {"0 0 31 2,4,6 *", "column 5, day of month: no month", "30"},
      {"0 0 31 4 */2", "column 5, day of month: no month", "30"},
      {"@dayly", "column 1, descriptor: there is no \"@dayly\"", "@daily"},
      {"@reboot", "column 1, descriptor: there is no \"@reboot\"", "@every"},
      {"@daily 5", "column 8, descriptor: nothing follows @daily", ""},
      {"@every", "column 1, @every: one duration", "@every 1h30m"},
      {"@every 1h 30m", "column 11, @every: one duration", "@every 1h30m"},
      {"@every 90", "column 8, @every: \"90\" is no duration", "90m"},
      {"@every 1d", "column 8, @every: \"1d\" is no duration", "a day is 24h"},
      {"@every 0s", "column 8, @every: \"0s\" is too short", "1s"},
      {"@every -5m", "column 8, @every: \"-5m\" is too short", "1s"},
      {"@every 999ms", "column 8, @every: \"999ms\" is too short", "1s"},
      {"@every 1500ms", "column 8, @every: \"1500ms\" is no whole", "whole"},
      {"@every 8785h", "column 8, @every: \"8785h\" is too long", "8784h"},
      {"@every inf", "column 8, @every: \"inf\" is too long", "8784h"},
      {"CRON_TZ= 0 2 * * *", "column 9, zone: a zone is missing",
       "Europe/Berlin"},
      {"CRON_TZ=Europe/Berlim 0 2 * * *",
       "column 9, zone: there is no time zone \"Europe/Berlim\"",
       "Europe/Berlin"},
      {"TZ=../../etc/localtime 0 2 * * *", "column 4, zone: there is no", ""},
      {"0 2 * *\n *", "column 7, month: \"*\\n\" is no value", ""},
      {"\x1b[2J 2 * * *", "column 1, minute: \"\\x1b[2J\" is no value", ""},
  };
  for (const auto& one : kCases) {
    const absl::Status status = Schedule::Parse(one.text).status();
    EXPECT_EQ(ErrorCodeOf(status), kInvalidArgument) << one.text;
    EXPECT_THAT(std::string(status.message()),
                HasSubstr(absl::StrCat("schedule, ", one.fault)))
        << one.text;
    EXPECT_THAT(HintOf(status), HasSubstr(one.hint)) << one.text;
    EXPECT_NE(HintOf(status), "") << one.text;
  }
}

TEST(CronTextTest, ALongTextIsRefusedUnread) {
  const std::string list(300, '1');
  EXPECT_THAT(std::string(Schedule::Parse(list).status().message()),
              HasSubstr("column 257, length"));
}

TEST(CronTextTest, VixiesStarsGoByTheTextAndNotByTheValues) {
  EXPECT_TRUE(ScheduleOf("*/2 2 * * *").follows_real_time());
  EXPECT_TRUE(ScheduleOf("0 */2 * * *").follows_real_time());
  EXPECT_TRUE(ScheduleOf("@hourly").follows_real_time());
  EXPECT_TRUE(ScheduleOf("@every 1h").follows_real_time());
  EXPECT_FALSE(ScheduleOf("0-59 2 * * *").follows_real_time());
  EXPECT_FALSE(ScheduleOf("0 0-23 * * *").follows_real_time());
  EXPECT_FALSE(ScheduleOf("@daily").follows_real_time());
}

}  // namespace
}  // namespace sluice::service
