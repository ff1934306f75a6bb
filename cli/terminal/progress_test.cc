#include "sluice/cli/terminal/progress.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/testing/thread_fault.h"

namespace sluice::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

ProgressView Halfway() {
  ProgressView view;
  view.title = "backup";
  view.stage = "streaming";
  view.bytes_done = 500'000'000;
  view.bytes_estimated = 1'000'000'000;
  view.bytes_per_second = 100e6;
  return view;
}

TEST(ProgressTest, ABarShowsStageBytesRateAndTimeLeft) {
  EXPECT_EQ(ProgressText(Halfway(), true),
            "backup  streaming  [############............]  50%  500.0 MB of "
            "1.0 GB  100.0 MB/s  5.0 s left");
  EXPECT_THAT(ProgressText(Halfway(), false), Not(HasSubstr("[")));
}

TEST(ProgressTest, WithoutAnEstimateNoTimeLeftIsInvented) {
  ProgressView view = Halfway();
  view.bytes_estimated = 0;
  EXPECT_THAT(ProgressText(view, true), Not(HasSubstr("left")));
  EXPECT_THAT(ProgressText(view, true), Not(HasSubstr(" of ")));
  EXPECT_THAT(ProgressText(view, true), Not(HasSubstr("%")));
  EXPECT_THAT(ProgressText(view, true), Not(HasSubstr("[")));
}

TEST(ProgressTest, ThePercentIsThatOfTheBytes) {
  ProgressView view = Halfway();
  view.bytes_done = 120'000'000;
  EXPECT_THAT(ProgressText(view, true), HasSubstr("  12%  120.0 MB of 1.0 GB"));
}

TEST(ProgressTest, SaysWhenNothingMoves) {
  ProgressView view = Halfway();
  view.idle = absl::Seconds(31);
  EXPECT_THAT(ProgressText(view, true), HasSubstr("no data for 31 s"));
  EXPECT_THAT(ProgressText(view, true), Not(HasSubstr("left")));
}

TEST(ProgressTest, MoreThanEstimatedStaysWithinTheBar) {
  ProgressView view = Halfway();
  view.bytes_done = 2 * view.bytes_estimated;
  EXPECT_THAT(ProgressText(view, true),
              HasSubstr("[########################]  100%"));
}

TEST(ProgressTest, AMeterCanBeFinishedTwiceAndWithoutAnUpdate) {
  Console console({}, Clock::Real());
  ProgressMeter meter(&console, Clock::Real(), "backup", true);
  meter.Finish();
  meter.Finish();
}

TEST(ProgressTest, WithoutAThreadNothingIsShownAndTheRunGoesOn) {
  const ThreadFault fault("progress");
  Console console({}, Clock::Real());
  ProgressMeter meter(&console, Clock::Real(), "backup", true);
  meter.Update({});
  meter.Finish();
  EXPECT_EQ(fault.refused(), 1);
}

}  // namespace
}  // namespace sluice::cli
