// What users of other schedulers reported, each as a test that ours would fail
// if it did the same.

#include <cstdlib>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/civil_time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/service/schedule/due.h"
#include "sluice/service/schedule/schedule_testing.h"

namespace sluice::service {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// A service that asks at `times` in turn and keeps what it is told.
std::vector<absl::Time> RunsOf(const Schedule& schedule, const DueRules& rules,
                               DueState state,
                               const std::vector<absl::Time>& times) {
  std::vector<absl::Time> runs;
  for (absl::Time now : times) {
    const DueDecision decision = DecideDue(schedule, rules, state, now);
    if (decision.run.has_value()) {
      runs.push_back(decision.run->nominal);
      state.last_fired = decision.run->nominal;
    }
    state.next_due = decision.next_due;
  }
  return runs;
}

// robfig/cron PR 541: a job at 2:00 US/Pacific did not run on 2025-03-09.
TEST(ReportsTest, AJobAtTheHourThatSpringTakesAwayStillRunsThatDay) {
  EXPECT_THAT(
      TimesAfter(ScheduleOf("CRON_TZ=US/Pacific 0 2 * * *"),
                 "2025-03-08T12:00:00-08:00", 2),
      ElementsAre("2025-03-09T03:00:00-07:00", "2025-03-10T02:00:00-07:00"));
}

// argoproj/argo-workflows 8137 and 8140: once, twice or not at all, by the time
// of day.
TEST(ReportsTest, ADailyJobRunsOnceEachDayWhateverItsTimeAndTheClockDo) {
  for (int hour = 0; hour < 24; ++hour) {
    for (const char* minute : {"0", "30", "59"}) {
      const Schedule schedule = ScheduleOf(absl::StrCat(
          "CRON_TZ=America/Los_Angeles ", minute, " ", hour, " * * *"));
      std::set<absl::CivilDay> days;
      absl::Time time = TimeOf("2027-01-01T00:00:00-08:00");
      for (int day = 0; day < 365; ++day) {
        time = schedule.Next(time - absl::Seconds(day == 0 ? 1 : 0));
        EXPECT_TRUE(days.insert(absl::ToCivilDay(time, schedule.zone())).second)
            << TextOf(time);
      }
      EXPECT_EQ(*days.rbegin(), absl::CivilDay(2027, 12, 31));
    }
  }
}

// spring-projects/spring-framework 36859: where midnight is what the change
// skips, the rest of the day was skipped with it.
TEST(ReportsTest, AMidnightThatIsSkippedTakesNoDayWithIt) {
  EXPECT_THAT(
      TimesAfter(ScheduleOf("CRON_TZ=Africa/Cairo 0 */2 * * *"),
                 "2025-04-24T21:10:20+02:00", 3),
      ElementsAre("2025-04-24T22:00:00+02:00", "2025-04-25T02:00:00+03:00",
                  "2025-04-25T04:00:00+03:00"));
}

// jimsalterjrs/sanoid 155: sixty daily snapshots in the hour that came twice.
TEST(ReportsTest, AnHourThatComesTwiceMakesNoSnapshotEachMinute) {
  const Schedule daily = ScheduleOf("CRON_TZ=Europe/Rome 15 2 * * *");
  std::vector<absl::Time> minutes;
  for (int minute = 0; minute < 24 * 60; ++minute) {
    minutes.push_back(TimeOf("2017-10-29T00:00:00+02:00") +
                      absl::Minutes(minute));
  }
  DueState state;
  state.next_due = daily.Next(minutes.front());
  EXPECT_THAT(RunsOf(daily, {}, state, minutes),
              ElementsAre(TimeOf("2017-10-29T02:15:00+02:00")));
}

// garethgeorge/backrest 317, 324, 859, 1385; goharbor/harbor 9068: the zone was
// that of the container.
TEST(ReportsTest, TheZoneIsThePlansAndNeverTheMachines) {
  setenv("TZ", "America/New_York", 1);
  EXPECT_EQ(ScheduleOf("15 0 * * *").zone(), absl::UTCTimeZone());
  EXPECT_EQ(Schedule::Parse("15 0 * * *", ZoneNamed("Europe/Berlin"))
                ->Next(TimeOf("2024-06-03T12:00:00Z")),
            TimeOf("2024-06-04T00:15:00+02:00"));
  // The text's own zone wins.
  EXPECT_EQ(Schedule::Parse("CRON_TZ=Asia/Tokyo 15 0 * * *",
                            ZoneNamed("Europe/Berlin"))
                ->zone()
                .name(),
            "Asia/Tokyo");
  unsetenv("TZ");
}

// kopia/kopia 3512, 3197: asleep at the time, nothing ran until the next one.
TEST(ReportsTest, AMachineThatSleptRunsWhatItMissedOnceWhenItWakes) {
  const Schedule nightly = ScheduleOf("0 4 * * *");
  DueState state{TimeOf("2023-12-16T04:00:00Z"),
                 TimeOf("2023-12-15T04:00:00Z")};
  const absl::Time wakes = TimeOf("2023-12-16T10:00:00Z");
  EXPECT_THAT(RunsOf(nightly, {}, state,
                     {wakes, wakes + absl::Seconds(1), wakes + absl::Hours(1),
                      TimeOf("2023-12-17T04:00:00Z")}),
              ElementsAre(TimeOf("2023-12-16T04:00:00Z"),
                          TimeOf("2023-12-17T04:00:00Z")));
}

// kopia/kopia 4713, garethgeorge/backrest 1386 and 823: two in a row after it.
TEST(ReportsTest, AMachineThatWakesRightBeforeItsTimeRunsOnce) {
  const Schedule hourly = ScheduleOf("0 * * * *");
  DueRules rules;
  rules.jitter = absl::Minutes(5);
  DueState state{TimeOf("2025-07-06T03:00:00Z"),
                 TimeOf("2025-07-06T02:00:00Z")};
  const absl::Time wakes = TimeOf("2025-07-06T07:58:00Z");
  EXPECT_THAT(
      RunsOf(hourly, rules, state, {wakes, TimeOf("2025-07-06T08:05:00Z")}),
      ElementsAre(TimeOf("2025-07-06T08:00:00Z")));
}

// temporalio/temporal PR 4332: who caught up for a minute only missed runs
// whenever a service took longer to come back.
TEST(ReportsTest, AnOutageOfHoursStillLeadsToTheRunItMissed) {
  const Schedule weekly = ScheduleOf("0 3 * * 0");
  const DueState state{TimeOf("2027-01-03T03:00:00Z"), absl::nullopt};
  EXPECT_THAT(RunsOf(weekly, {}, state, {TimeOf("2027-01-09T22:00:00Z")}),
              ElementsAre(TimeOf("2027-01-03T03:00:00Z")));
}

// velero-io/velero 1980, 2612 and 6517: a backup at once when a schedule was
// made, or resumed after its time had passed.
TEST(ReportsTest, CreatingAndResumingWaitForTheNextTime) {
  const Schedule hourly = ScheduleOf("45 * * * *");
  const absl::Time resumed = TimeOf("2023-07-18T10:50:00Z");
  DueState state{FirstDue(hourly, resumed), TimeOf("2023-07-18T09:45:00Z")};
  EXPECT_THAT(RunsOf(hourly, {}, state,
                     {resumed, resumed + absl::Minutes(54),
                      resumed + absl::Minutes(55)}),
              ElementsAre(TimeOf("2023-07-18T11:45:00Z")));
}

// dubiousjim/dcron 16, robfig/cron PR 480, citusdata/pg_cron 105: set back, the
// clock had to reach the old time again before anything ran.
TEST(ReportsTest, AClockThatIsSetBackForYearsHoldsNothingUp) {
  const Schedule hourly = ScheduleOf("0 * * * *");
  DueState state{TimeOf("2018-10-11T12:00:00Z"),
                 TimeOf("2018-10-11T11:00:00Z")};
  EXPECT_THAT(
      RunsOf(hourly, {}, state,
             {TimeOf("2000-01-01T00:10:00Z"), TimeOf("2000-01-01T01:00:00Z")}),
      ElementsAre(TimeOf("2000-01-01T01:00:00Z")));
}

// robfig/cron 26: an hour forward, and "@every 5s" ran 720 times.
TEST(ReportsTest, AClockThatJumpsForwardRunsOnceAndNotForEachTimeItPassed) {
  const absl::Time begin = TimeOf("2015-05-14T10:00:00Z");
  const Schedule every = ScheduleOf("@every 5s", begin);
  const absl::Time later = begin + absl::Hours(1);
  const DueState state{begin + absl::Seconds(5), absl::nullopt};
  EXPECT_THAT(RunsOf(every, {}, state, {later, later + absl::Seconds(1)}),
              ElementsAre(later));
}

// sidekiq-scheduler 251 and 269, garethgeorge/backrest 401 and 372: each
// restart began the interval anew, and some never came to its end.
TEST(ReportsTest, RestartsMoveNoInterval) {
  const absl::Time created = TimeOf("2027-01-01T00:00:00Z");
  DueState state{FirstDue(ScheduleOf("@every 168h", created), created),
                 absl::nullopt};
  std::vector<absl::Time> runs;
  for (int day = 1; day <= 14; ++day) {
    // All but the state is made anew each day.
    const Schedule every = ScheduleOf("@every 168h", created);
    const DueDecision decision =
        DecideDue(every, {}, state, created + absl::Hours(24 * day + 1));
    if (decision.run.has_value()) runs.push_back(decision.run->nominal);
    state.next_due = decision.next_due;
  }
  EXPECT_THAT(runs, ElementsAre(created + absl::Hours(168),
                                created + absl::Hours(336)));
}

// kubernetes/kubernetes 42649 and 83642: more than a hundred missed times, and
// it never ran again.
TEST(ReportsTest, HoweverManyWereMissedItGoesOn) {
  const Schedule minutely = ScheduleOf("* * * * *");
  const DueState state{TimeOf("2027-01-01T00:00:00Z"), absl::nullopt};
  EXPECT_THAT(
      RunsOf(minutely, {}, state,
             {TimeOf("2027-01-02T00:00:00Z"), TimeOf("2027-01-02T00:01:00Z")}),
      ElementsAre(TimeOf("2027-01-02T00:00:00Z"),
                  TimeOf("2027-01-02T00:01:00Z")));
}

// argoproj/argo-workflows 2328: with a starting deadline, a daily job in
// Etc/GMT-1 ran again an hour after it had.
TEST(ReportsTest, WhatRanIsNotDueAgainWithinItsCatchUp) {
  const Schedule daily = ScheduleOf("CRON_TZ=Etc/GMT-1 35 5 * * *");
  DueRules rules;
  rules.catch_up = absl::Hours(2);
  const absl::Time due = TimeOf("2020-02-28T04:35:00Z");
  EXPECT_THAT(RunsOf(daily, rules, {due, absl::nullopt},
                     {due, due + absl::Minutes(1), due + absl::Minutes(64),
                      due + absl::Minutes(121)}),
              ElementsAre(due));
  // Also where a restart lost the newer next_due.
  EXPECT_THAT(RunsOf(daily, rules, {due, due}, {due + absl::Minutes(64)}),
              IsEmpty());
}

// jaclarke/cronosjs 37, jmrozanec/cron-utils 329, kelektiv/node-cron 79: a date
// that never comes was looked for until the process was killed.
TEST(ReportsTest, ADateThatNeverComesIsRefusedWhenItIsWritten) {
  for (const char* text : {"0 0 30 2 *", "0 0 31 4 *", "* * 31 11 *"}) {
    EXPECT_EQ(ErrorCodeOf(Schedule::Parse(text).status()), kInvalidArgument);
  }
  EXPECT_TRUE(Schedule::Parse("0 0 31 4,5 *").ok());
}

// staticlibs/ccronexpr 32: looking back for a leap day did not end.
TEST(ReportsTest, TheLeapDayBeforeIsFoundFromAnyYear) {
  EXPECT_EQ(
      TextOf(ScheduleOf("* * 29 2 *").Previous(TimeOf("2021-12-07T12:00:00Z"))),
      "2020-02-29T23:59:00+00:00");
}

// Vixie's cron itself: "*/90" runs each hour, and nobody is told.
TEST(ReportsTest, AStepThatDoesNotFitItsFieldIsRefused) {
  EXPECT_FALSE(Schedule::Parse("*/90 * * * *").ok());
  EXPECT_FALSE(Schedule::Parse("0 */36 * * *").ok());
}

}  // namespace
}  // namespace sluice::service
