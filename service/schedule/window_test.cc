#include "sluice/service/schedule/window.h"

#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/service/schedule/schedule_testing.h"

namespace sluice::service {
namespace {

DailyWindow WindowOf(absl::string_view text) {
  const auto window = DailyWindow::Parse(text);
  EXPECT_TRUE(window.ok()) << window.status();
  return window.value_or(*DailyWindow::Parse("00:00-24:00"));
}

TEST(WindowTest, PastMidnightTheEndIsOnTheNextDay) {
  const DailyWindow night = WindowOf("22:00-05:00");
  const absl::TimeZone utc = absl::UTCTimeZone();
  EXPECT_EQ(night.text(), "22:00-05:00");
  EXPECT_TRUE(night.Contains(TimeOf("2027-01-01T22:00:00Z"), utc));
  EXPECT_TRUE(night.Contains(TimeOf("2027-01-01T04:59:59Z"), utc));
  EXPECT_FALSE(night.Contains(TimeOf("2027-01-01T05:00:00Z"), utc));
  EXPECT_FALSE(night.Contains(TimeOf("2027-01-01T21:59:59Z"), utc));
  const DailyWindow day = WindowOf("05:00-22:00");
  EXPECT_TRUE(day.Contains(TimeOf("2027-01-01T05:00:00Z"), utc));
  EXPECT_FALSE(day.Contains(TimeOf("2027-01-01T22:00:00Z"), utc));
  EXPECT_TRUE(
      WindowOf("22:00-24:00").Contains(TimeOf("2027-01-01T23:59:59Z"), utc));
}

TEST(WindowTest, TheNextOneBeginsTodayOrTomorrow) {
  const DailyWindow night = WindowOf("22:00-05:00");
  const absl::TimeZone berlin = ZoneNamed("Europe/Berlin");
  const absl::Time within = TimeOf("2027-01-02T01:00:00+01:00");
  EXPECT_EQ(night.NextWithin(within, berlin), within);
  EXPECT_EQ(
      TextOf(night.NextWithin(TimeOf("2027-01-02T09:00:00+01:00"), berlin),
             berlin),
      "2027-01-02T22:00:00+01:00");
  EXPECT_EQ(TextOf(WindowOf("01:00-02:00")
                       .NextWithin(TimeOf("2027-01-02T09:00:00+01:00"), berlin),
                   berlin),
            "2027-01-03T01:00:00+01:00");
}

TEST(WindowTest, AClockChangeMovesTheBeginningOrTakesTheWindowAway) {
  const absl::TimeZone berlin = ZoneNamed("Europe/Berlin");
  const absl::Time noon = TimeOf("2027-03-27T12:00:00+01:00");
  EXPECT_EQ(TextOf(WindowOf("02:30-04:00").NextWithin(noon, berlin), berlin),
            "2027-03-28T03:00:00+02:00");
  EXPECT_EQ(TextOf(WindowOf("02:15-02:45").NextWithin(noon, berlin), berlin),
            "2027-03-29T02:15:00+02:00");
  // Within the second 02:xx the window opens once more.
  EXPECT_EQ(TextOf(WindowOf("02:15-02:45")
                       .NextWithin(TimeOf("2027-10-31T02:50:00+02:00"), berlin),
                   berlin),
            "2027-10-31T02:15:00+01:00");
}

TEST(WindowTest, RefusesWhatIsNoWindow) {
  for (const char* text :
       {"", "22:00", "22:00-", "-05:00", "22:00-22:00", "24:00-05:00",
        "22:00-24:01", "22:60-05:00", "9:00-17:00", "22:00 - 05:00",
        "22:00-05:00 ", "22:00-05:00-06:00", "aa:bb-cc:dd"}) {
    const absl::Status status = DailyWindow::Parse(text).status();
    EXPECT_EQ(ErrorCodeOf(status), kInvalidArgument) << text;
    EXPECT_NE(HintOf(status), "") << text;
  }
}

}  // namespace
}  // namespace sluice::service
