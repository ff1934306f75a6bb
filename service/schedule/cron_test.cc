#include "sluice/service/schedule/cron.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/service/schedule/schedule_testing.h"

namespace sluice::service {
namespace {

using ::testing::ElementsAre;

TEST(CronTest, TheNextTimeIsStrictlyLater) {
  const Schedule schedule = ScheduleOf("30 2 * * *");
  EXPECT_EQ(schedule.Next(TimeOf("2027-05-05T02:29:59Z")),
            TimeOf("2027-05-05T02:30:00Z"));
  EXPECT_EQ(schedule.Next(TimeOf("2027-05-05T02:30:00Z")),
            TimeOf("2027-05-06T02:30:00Z"));
  EXPECT_EQ(schedule.Next(TimeOf("2027-05-05T02:30:00.5Z")),
            TimeOf("2027-05-06T02:30:00Z"));
  EXPECT_EQ(schedule.Previous(TimeOf("2027-05-05T02:30:00Z")),
            TimeOf("2027-05-04T02:30:00Z"));
  EXPECT_EQ(schedule.Previous(TimeOf("2027-05-05T02:30:00.5Z")),
            TimeOf("2027-05-05T02:30:00Z"));
}

TEST(CronTest, SundayIsZeroAndSeven) {
  for (const char* text : {"0 0 * * 0", "0 0 * * 7", "0 0 * * sun"}) {
    EXPECT_EQ(TimesAfter(ScheduleOf(text), "2027-01-01T00:00:00Z", 1),
              std::vector<std::string>{"2027-01-03T00:00:00+00:00"});
  }
  EXPECT_THAT(
      TimesAfter(ScheduleOf("0 0 * * 5-7"), "2027-01-01T00:00:00Z", 3),
      ElementsAre("2027-01-02T00:00:00+00:00", "2027-01-03T00:00:00+00:00",
                  "2027-01-08T00:00:00+00:00"));
}

TEST(CronTest, DayFieldsAreJoinedByOrUnlessOneBeginsWithAStar) {
  EXPECT_THAT(
      TimesAfter(ScheduleOf("0 0 13 * 5"), "2027-08-01T00:00:00Z", 4),
      ElementsAre("2027-08-06T00:00:00+00:00", "2027-08-13T00:00:00+00:00",
                  "2027-08-20T00:00:00+00:00", "2027-08-27T00:00:00+00:00"));
  EXPECT_THAT(
      TimesAfter(ScheduleOf("0 0 */2 * 5"), "2027-08-01T00:00:00Z", 2),
      ElementsAre("2027-08-13T00:00:00+00:00", "2027-08-27T00:00:00+00:00"));
  EXPECT_THAT(
      TimesAfter(ScheduleOf("0 0 13 * */5"), "2027-08-01T00:00:00Z", 2),
      ElementsAre("2027-08-13T00:00:00+00:00", "2028-02-13T00:00:00+00:00"));
}

TEST(CronTest, LeapDaysAreFoundOverACenturyThatHasNone) {
  const Schedule schedule = ScheduleOf("0 0 29 2 *");
  EXPECT_THAT(
      TimesAfter(schedule, "2088-03-01T00:00:00Z", 4),
      ElementsAre("2092-02-29T00:00:00+00:00", "2096-02-29T00:00:00+00:00",
                  "2104-02-29T00:00:00+00:00", "2108-02-29T00:00:00+00:00"));
  EXPECT_EQ(TextOf(schedule.Previous(TimeOf("2104-02-29T00:00:00Z"))),
            "2096-02-29T00:00:00+00:00");
  // A leap day that is a Sunday: the longest wait that there is.
  EXPECT_THAT(TimesAfter(ScheduleOf("0 0 29 2 */6"), "2076-02-29T12:00:00Z", 1),
              ElementsAre("2088-02-29T00:00:00+00:00"));
}

TEST(CronTest, ASkippedFixedTimeRunsOnceRightAfterTheGap) {
  EXPECT_THAT(
      TimesAfter(ScheduleOf("CRON_TZ=Europe/Berlin 30 2 * * *"),
                 "2027-03-27T12:00:00Z", 2),
      ElementsAre("2027-03-28T03:00:00+02:00", "2027-03-29T02:30:00+02:00"));
  // Three that are skipped, and the one that is there, are one.
  EXPECT_THAT(
      TimesAfter(ScheduleOf("CRON_TZ=Europe/Berlin 0,20,40 2,3 * * *"),
                 "2027-03-27T12:00:00Z", 3),
      ElementsAre("2027-03-28T03:00:00+02:00", "2027-03-28T03:20:00+02:00",
                  "2027-03-28T03:40:00+02:00"));
}

TEST(CronTest, ARepeatedFixedTimeRunsTheFirstTimeOnly) {
  const Schedule schedule = ScheduleOf("CRON_TZ=Europe/Berlin 30 2 * * *");
  EXPECT_THAT(
      TimesAfter(schedule, "2027-10-30T12:00:00Z", 2),
      ElementsAre("2027-10-31T02:30:00+02:00", "2027-11-01T02:30:00+01:00"));
  // Also where one asks within the second 02:xx.
  EXPECT_EQ(TextOf(schedule.Next(TimeOf("2027-10-31T02:10:00+01:00"))),
            "2027-11-01T01:30:00+00:00");
  EXPECT_EQ(TextOf(schedule.Previous(TimeOf("2027-10-31T02:10:00+01:00"))),
            "2027-10-31T00:30:00+00:00");
}

TEST(CronTest, WildcardsFollowRealTime) {
  EXPECT_THAT(
      TimesAfter(ScheduleOf("CRON_TZ=Europe/Berlin 30 * * * *"),
                 "2027-03-28T01:00:00+01:00", 2),
      ElementsAre("2027-03-28T01:30:00+01:00", "2027-03-28T03:30:00+02:00"));
  EXPECT_THAT(
      TimesAfter(ScheduleOf("CRON_TZ=Europe/Berlin 30 * * * *"),
                 "2027-10-31T02:00:00+02:00", 3),
      ElementsAre("2027-10-31T02:30:00+02:00", "2027-10-31T02:30:00+01:00",
                  "2027-10-31T03:30:00+01:00"));
}

TEST(CronTest, HalfHoursAndMidnightsAreChangesLikeOthers) {
  // Lord Howe's clock moves by half an hour, Cairo's and Havana's at midnight.
  EXPECT_THAT(TimesAfter(ScheduleOf("CRON_TZ=Australia/Lord_Howe 15 2 * * *"),
                         "2026-10-03T00:00:00Z", 1),
              ElementsAre("2026-10-04T02:30:00+11:00"));
  EXPECT_THAT(TimesAfter(ScheduleOf("CRON_TZ=Africa/Cairo @daily"),
                         "2027-04-29T12:00:00Z", 1),
              ElementsAre("2027-04-30T01:00:00+03:00"));
  EXPECT_THAT(
      TimesAfter(ScheduleOf("CRON_TZ=America/Havana @daily"),
                 "2027-11-06T12:00:00Z", 2),
      ElementsAre("2027-11-07T00:00:00-04:00", "2027-11-08T00:00:00-05:00"));
}

TEST(CronTest, ADayThatAZoneSkippedRunsAtItsEnd) {
  // Samoa had no December 30 in 2011.
  EXPECT_THAT(
      TimesAfter(ScheduleOf("CRON_TZ=Pacific/Apia 30 2 * * *"),
                 "2011-12-29T12:00:00-10:00", 2),
      ElementsAre("2011-12-31T00:00:00+14:00", "2011-12-31T02:30:00+14:00"));
}

TEST(CronTest, EveryCountsFromItsAnchorAndNeverDrifts) {
  const absl::Time anchor = TimeOf("2027-01-01T00:07:13Z");
  const Schedule schedule = ScheduleOf("@every 90m", anchor);
  EXPECT_EQ(schedule.Next(anchor), anchor + absl::Minutes(90));
  EXPECT_EQ(schedule.Next(anchor + absl::Minutes(89)),
            anchor + absl::Minutes(90));
  const absl::Time later = anchor + absl::Hours(24 * 3650);
  EXPECT_EQ((schedule.Next(later) - anchor) % absl::Minutes(90),
            absl::ZeroDuration());
  // A clock that was ahead at creation does not hold the plan back.
  EXPECT_EQ(schedule.Next(anchor - absl::Minutes(100)),
            anchor - absl::Minutes(90));
  EXPECT_EQ(schedule.Previous(anchor), anchor - absl::Minutes(90));
  EXPECT_EQ(schedule.Count(anchor, anchor + absl::Hours(9)), 6);
}

TEST(CronTest, EveryTakesNoNoticeOfClocks) {
  const Schedule schedule = ScheduleOf("CRON_TZ=Europe/Berlin @every 24h",
                                       TimeOf("2027-03-27T02:30:00+01:00"));
  EXPECT_THAT(TimesAfter(schedule, "2027-03-27T12:00:00Z", 1),
              ElementsAre("2027-03-28T03:30:00+02:00"));
}

TEST(CronTest, IntervalsAreThoseOfTheNextTwoTimes) {
  const Schedule workdays = ScheduleOf("0 2 * * 1-5");
  EXPECT_EQ(workdays.IntervalAfter(TimeOf("2027-01-08T01:00:00Z")),
            absl::Hours(72));
  EXPECT_EQ(workdays.IntervalAfter(TimeOf("2027-01-08T03:00:00Z")),
            absl::Hours(24));
  EXPECT_EQ(workdays.shortest_interval(), absl::Hours(24));
  EXPECT_EQ(ScheduleOf("0,10,45 */6 * * *").shortest_interval(),
            absl::Minutes(10));
  EXPECT_EQ(ScheduleOf("50 23 * * *").shortest_interval(), absl::Hours(24));
  EXPECT_EQ(ScheduleOf("5,55 0,23 * * *").shortest_interval(),
            absl::Minutes(10));
  EXPECT_EQ(ScheduleOf("@every 7s").shortest_interval(), absl::Seconds(7));
}

TEST(CronTest, TheEndsOfTimeAreNoTrap) {
  for (const char* text : {"* * * * *", "0 0 29 2 *", "@every 1s",
                           "CRON_TZ=Europe/Berlin */7 * * * *"}) {
    const Schedule schedule = ScheduleOf(text);
    EXPECT_EQ(schedule.Next(absl::InfiniteFuture()), absl::InfiniteFuture());
    EXPECT_EQ(schedule.Previous(absl::InfinitePast()), absl::InfinitePast());
    EXPECT_LT(schedule.Next(absl::InfinitePast()), absl::UnixEpoch());
    EXPECT_GT(schedule.Previous(absl::InfiniteFuture()), absl::UnixEpoch());
    EXPECT_GT(schedule.Count(absl::InfinitePast(), absl::InfiniteFuture()), 0);
    EXPECT_EQ(schedule.Count(absl::InfiniteFuture(), absl::InfinitePast()), 0);
  }
}

TEST(CronTest, CountsTenYearsOfMinutes) {
  EXPECT_EQ(ScheduleOf("* * * * *")
                .Count(TimeOf("2024-01-01T00:00:00Z"),
                       TimeOf("2034-01-01T00:00:00Z")),
            3653 * 24 * 60);
}

}  // namespace
}  // namespace sluice::service
