#include "sluice/service/schedule/due.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/service/schedule/schedule_testing.h"

namespace sluice::service {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> Missed(const DueDecision& decision) {
  std::vector<std::string> lines;
  for (const MissedTime& missed : decision.missed) {
    lines.push_back(absl::StrCat(
        absl::FormatTime("%m-%dT%H:%M", missed.nominal, absl::UTCTimeZone()),
        " ", MissedReasonWord(missed.reason)));
  }
  return lines;
}

std::string RunOf(const DueDecision& decision) {
  if (!decision.run.has_value()) return "none";
  return absl::StrCat(absl::FormatTime("%m-%dT%H:%M", decision.run->nominal,
                                       absl::UTCTimeZone()),
                      " at ",
                      absl::FormatTime("%m-%dT%H:%M:%S", decision.run->start,
                                       absl::UTCTimeZone()),
                      decision.run->late ? " late" : "");
}

std::string NextOf(const DueDecision& decision) {
  return absl::FormatTime("%m-%dT%H:%M", decision.next_due,
                          absl::UTCTimeZone());
}

// A nightly plan of January 2027, its jitter two minutes.
class DueTest : public ::testing::Test {
 protected:
  DueTest() {
    rules_.jitter = absl::Minutes(2);
    state_.next_due = TimeOf("2027-01-05T02:00:00Z");
    state_.last_fired = TimeOf("2027-01-04T02:00:00Z");
  }

  DueDecision At(absl::string_view now) {
    return DecideDue(schedule_, rules_, state_, TimeOf(now));
  }

  Schedule schedule_ = ScheduleOf("0 2 * * *");
  DueRules rules_;
  DueState state_;
};

TEST_F(DueTest, NothingIsDueBeforeItsTime) {
  const DueDecision decision = At("2027-01-05T01:59:59.999Z");
  EXPECT_EQ(RunOf(decision), "none");
  EXPECT_THAT(Missed(decision), IsEmpty());
  EXPECT_EQ(NextOf(decision), "01-05T02:00");
  EXPECT_FALSE(decision.computed_anew);
}

TEST_F(DueTest, OnTimeItStartsAtItsTimeAndJitter) {
  for (const char* now : {"2027-01-05T02:00:00Z", "2027-01-05T02:01:59Z"}) {
    EXPECT_EQ(RunOf(At(now)), "01-05T02:00 at 01-05T02:02:00");
  }
  // Some seconds after that are no reason to wait anew.
  const DueDecision decision = At("2027-01-05T02:02:40Z");
  EXPECT_EQ(RunOf(decision), "01-05T02:00 at 01-05T02:02:40");
  EXPECT_THAT(Missed(decision), IsEmpty());
  EXPECT_EQ(NextOf(decision), "01-06T02:00");
}

TEST_F(DueTest, OneRunMakesUpForAllThatWereMissedSpreadByTheJitter) {
  const DueDecision decision = At("2027-01-07T09:00:00Z");
  EXPECT_EQ(RunOf(decision), "01-07T02:00 at 01-07T09:02:00 late");
  EXPECT_THAT(Missed(decision), ElementsAre("01-05T02:00 missed_superseded",
                                            "01-06T02:00 missed_superseded"));
  EXPECT_EQ(decision.oldest_missed, state_.next_due);
  EXPECT_EQ(decision.more_missed, 0);
  EXPECT_EQ(NextOf(decision), "01-08T02:00");
}

TEST_F(DueTest, WhatIsOlderThanTheCatchUpIsMissed) {
  rules_.catch_up = absl::Hours(6);
  EXPECT_EQ(RunOf(At("2027-01-05T08:00:00Z")),
            "01-05T02:00 at 01-05T08:02:00 late");
  const DueDecision decision = At("2027-01-06T08:00:01Z");
  EXPECT_EQ(RunOf(decision), "none");
  EXPECT_THAT(Missed(decision), ElementsAre("01-05T02:00 missed_too_old",
                                            "01-06T02:00 missed_too_old"));
  EXPECT_EQ(NextOf(decision), "01-07T02:00");
}

TEST_F(DueTest, WhoSkipsRunsNothingLateAndStillWhatIsOnTime) {
  rules_.missed_runs = MissedRuns::kSkip;
  const DueDecision late = At("2027-01-06T09:00:00Z");
  EXPECT_EQ(RunOf(late), "none");
  EXPECT_THAT(Missed(late), ElementsAre("01-05T02:00 skipped_by_policy",
                                        "01-06T02:00 skipped_by_policy"));
  const DueDecision on_time = At("2027-01-06T02:01:00Z");
  EXPECT_EQ(RunOf(on_time), "01-06T02:00 at 01-06T02:02:00");
  EXPECT_THAT(Missed(on_time), ElementsAre("01-05T02:00 skipped_by_policy"));
}

TEST_F(DueTest, ALateRunWaitsForTheWindow) {
  rules_.window = *DailyWindow::Parse("22:00-05:00");
  EXPECT_EQ(RunOf(At("2027-01-05T09:00:00Z")),
            "01-05T02:00 at 01-05T22:02:00 late");
  EXPECT_EQ(RunOf(At("2027-01-05T04:00:00Z")),
            "01-05T02:00 at 01-05T04:02:00 late");
  // The jitter leads nobody out of the window.
  EXPECT_EQ(RunOf(At("2027-01-05T04:59:00Z")),
            "01-05T02:00 at 01-05T04:59:00 late");
}

TEST_F(DueTest, AWindowThatOpensTooLateIsTheReason) {
  rules_.window = *DailyWindow::Parse("01:30-03:00");
  rules_.catch_up = absl::Hours(12);
  const DueDecision decision = At("2027-01-05T09:00:00Z");
  EXPECT_EQ(RunOf(decision), "none");
  EXPECT_THAT(Missed(decision),
              ElementsAre("01-05T02:00 missed_outside_window"));
  // What is on time needs no window.
  rules_.window = *DailyWindow::Parse("12:00-13:00");
  EXPECT_EQ(RunOf(At("2027-01-05T02:02:00Z")), "01-05T02:00 at 01-05T02:02:00");
}

TEST_F(DueTest, ALateOneGivesWayToTheOneThatIsAboutToCome) {
  const DueDecision decision = At("2027-01-06T01:58:30Z");
  EXPECT_EQ(RunOf(decision), "none");
  EXPECT_THAT(Missed(decision), ElementsAre("01-05T02:00 missed_superseded"));
  EXPECT_EQ(NextOf(decision), "01-06T02:00");
}

TEST_F(DueTest, ANextDueOfAWrongClockIsComputedAnew) {
  state_.next_due = TimeOf("2040-07-01T02:00:00Z");
  state_.last_fired = TimeOf("2040-06-30T02:00:00Z");
  const DueDecision decision = At("2027-01-05T01:00:00Z");
  EXPECT_TRUE(decision.computed_anew);
  EXPECT_EQ(NextOf(decision), "01-05T02:00");
  state_.next_due = decision.next_due;
  EXPECT_EQ(RunOf(At("2027-01-05T02:00:00Z")), "01-05T02:00 at 01-05T02:02:00");
}

TEST_F(DueTest, AClockThatGoesBackALittleRunsNothingTwice) {
  state_.next_due = TimeOf("2027-01-06T02:00:00Z");
  state_.last_fired = TimeOf("2027-01-05T02:00:00Z");
  const DueDecision decision = At("2027-01-05T01:59:58Z");
  EXPECT_FALSE(decision.computed_anew);
  EXPECT_EQ(NextOf(decision), "01-06T02:00");
}

TEST_F(DueTest, AClockThatStartedIn1970RepeatsNothingThatRan) {
  // Booted without a clock: the due time follows it back.
  DueDecision decision = At("1970-01-01T00:00:10Z");
  EXPECT_TRUE(decision.computed_anew);
  state_.next_due = decision.next_due;
  EXPECT_EQ(TextOf(state_.next_due), "1970-01-01T02:00:00+00:00");
  // The time came from the network: last night's had run.
  state_.last_fired = TimeOf("2027-01-05T02:00:00Z");
  decision = At("2027-01-05T14:00:00Z");
  EXPECT_EQ(RunOf(decision), "none");
  EXPECT_THAT(Missed(decision), IsEmpty());
  EXPECT_EQ(NextOf(decision), "01-06T02:00");
}

TEST_F(DueTest, ADueTimeThatTheZonesRulesMovedHealsItself) {
  state_.next_due = TimeOf("2027-01-05T03:00:00Z");
  const DueDecision decision = At("2027-01-05T03:30:00Z");
  EXPECT_EQ(RunOf(decision), "none");
  EXPECT_EQ(NextOf(decision), "01-06T02:00");
}

TEST_F(DueTest, TenYearsOfMinutesAreCountedNotListed) {
  schedule_ = ScheduleOf("* * * * *");
  state_.next_due = TimeOf("2017-01-05T09:00:00Z");
  state_.last_fired = absl::nullopt;
  rules_.jitter = absl::ZeroDuration();
  const DueDecision decision = At("2027-01-05T09:00:10Z");
  EXPECT_EQ(RunOf(decision), "01-05T09:00 at 01-05T09:00:10");
  ASSERT_EQ(decision.missed.size(), kMaxListedMissed);
  EXPECT_EQ(decision.missed.back().nominal, TimeOf("2027-01-05T08:59:00Z"));
  EXPECT_EQ(decision.missed.front().nominal, TimeOf("2027-01-05T07:20:00Z"));
  EXPECT_EQ(decision.more_missed, 3652 * 24 * 60 - 100);
  EXPECT_EQ(decision.oldest_missed, state_.next_due);
}

TEST_F(DueTest, AHundredMissedAreListedToTheLast) {
  schedule_ = ScheduleOf("* * * * *");
  rules_.missed_runs = MissedRuns::kSkip;
  rules_.jitter = absl::ZeroDuration();
  state_.next_due = TimeOf("2027-01-05T07:20:00Z");
  const DueDecision decision = At("2027-01-05T09:00:10Z");
  EXPECT_EQ(decision.missed.size(), kMaxListedMissed);
  EXPECT_EQ(decision.more_missed, 0);
  EXPECT_EQ(decision.oldest_missed, state_.next_due);
}

TEST_F(DueTest, CreatingEditingOrResumingNeverRunsAtOnce) {
  EXPECT_EQ(FirstDue(schedule_, TimeOf("2027-01-05T02:00:00Z")),
            TimeOf("2027-01-06T02:00:00Z"));
  const absl::Time now = TimeOf("2027-01-05T02:00:00Z");
  const Schedule every = ScheduleOf("@every 6h", now);
  EXPECT_EQ(FirstDue(every, now), now + absl::Hours(6));
}

TEST(JitterTest, IsTheSameForAPlanForEver) {
  // FNV-1a of "", "a" and "foobar": the published values, modulo 300.
  EXPECT_EQ(StableJitter("", absl::Minutes(5)),
            absl::Seconds(0xcbf29ce484222325 % 300));
  EXPECT_EQ(StableJitter("a", absl::Minutes(5)),
            absl::Seconds(0xaf63dc4c8601ec8c % 300));
  EXPECT_EQ(StableJitter("foobar", absl::Minutes(5)),
            absl::Seconds(0x85944171f73967e8 % 300));
  EXPECT_EQ(StableJitter("foobar", absl::Milliseconds(999)),
            absl::ZeroDuration());
  EXPECT_EQ(StableJitter("foobar", absl::Seconds(1)), absl::ZeroDuration());
}

TEST(JitterTest, SpreadsTenThousandPlansEvenly) {
  std::vector<int> seconds(300);
  for (int i = 0; i < 10000; ++i) {
    const absl::Duration jitter =
        StableJitter(absl::StrCat("01JD4Q8Z0V", i), absl::Minutes(5));
    ++seconds.at(static_cast<size_t>(absl::ToInt64Seconds(jitter)));
  }
  EXPECT_THAT(seconds, ::testing::Each(::testing::AllOf(::testing::Gt(5),
                                                        ::testing::Lt(80))));
}

TEST(JitterTest, ItsWindowIsATenthOfTheIntervalAndFiveMinutesAtMost) {
  EXPECT_EQ(DefaultJitterWindow(ScheduleOf("@daily")), absl::Minutes(5));
  EXPECT_EQ(DefaultJitterWindow(ScheduleOf("*/10 * * * *")), absl::Minutes(1));
  EXPECT_EQ(DefaultJitterWindow(ScheduleOf("* * * * *")), absl::Seconds(6));
  EXPECT_EQ(DefaultJitterWindow(ScheduleOf("@every 5s")), absl::ZeroDuration());
}

}  // namespace
}  // namespace sluice::service
