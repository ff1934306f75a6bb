#include "sluice/service/schedule/preview.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/service/schedule/schedule_testing.h"

namespace sluice::service {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> NotesOf(absl::string_view schedule,
                                 absl::string_view after, int count) {
  std::vector<std::string> notes;
  for (const PlannedTime& time :
       PreviewTimes(ScheduleOf(schedule), TimeOf(after), count)) {
    notes.push_back(time.note);
  }
  return notes;
}

TEST(PreviewTest, EachTimeIsShownInItsZoneAndInUtc) {
  const std::vector<PlannedTime> times =
      PreviewTimes(ScheduleOf("CRON_TZ=Europe/Berlin 30 2 * * *"),
                   TimeOf("2027-03-27T12:00:00Z"), 2);
  ASSERT_EQ(times.size(), 2);
  EXPECT_EQ(times[0].nominal, TimeOf("2027-03-28T01:00:00Z"));
  EXPECT_EQ(times[0].local, "2027-03-28T03:00:00+02:00");
  EXPECT_EQ(times[0].zone, "CEST");
  EXPECT_EQ(times[0].utc, "2027-03-28T01:00:00Z");
  EXPECT_EQ(times[0].note,
            "02:30 does not exist on 2027-03-28: runs at 03:00 CEST");
  EXPECT_EQ(times[1].local, "2027-03-29T02:30:00+02:00");
  EXPECT_EQ(times[1].note, "");
}

TEST(PreviewTest, SaysWhichOfTwoItIs) {
  EXPECT_THAT(
      NotesOf("CRON_TZ=Europe/Berlin 30 2 * * *", "2027-10-30T12:00:00Z", 2),
      ElementsAre(
          "02:30 comes twice on 2027-10-31: runs the first time, at 02:30 CEST",
          ""));
  EXPECT_THAT(
      NotesOf("CRON_TZ=Europe/Berlin 30 * * * *", "2027-10-30T23:45:00Z", 3),
      ElementsAre(
          "02:30 comes twice on 2027-10-31: this is the first, 02:30 CEST",
          "02:30 comes twice on 2027-10-31: this is the second, 02:30 CET",
          ""));
}

TEST(PreviewTest, SaysWhatAWildcardLeavesOut) {
  EXPECT_THAT(
      NotesOf("CRON_TZ=Europe/Berlin 0 */2 * * *", "2027-03-27T22:30:00Z", 3),
      ElementsAre("",
                  "02:00 does not exist on 2027-03-28: left out, the next is "
                  "at 04:00 CEST",
                  ""));
}

TEST(PreviewTest, AChangeThatMovesNothingIsNotMentioned) {
  EXPECT_THAT(
      NotesOf("CRON_TZ=Europe/Berlin 30 4 * * *", "2027-03-27T12:00:00Z", 2),
      ElementsAre("", ""));
  EXPECT_THAT(
      NotesOf("CRON_TZ=Europe/Berlin @every 1h", "2027-03-28T00:30:00Z", 2),
      ElementsAre("", ""));
  EXPECT_THAT(
      NotesOf("CRON_TZ=Europe/Berlin @yearly", "2027-03-28T00:30:00Z", 1),
      ElementsAre(""));
}

}  // namespace
}  // namespace sluice::service
