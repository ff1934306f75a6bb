// T3 for the catalog: the power goes at any moment, and what was acknowledged
// is there.

#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sluice/base/testing/crash_file_system.h"
#include "sluice/base/testing/environment.h"
#include "sluice/catalog/testing/attempt.h"

namespace sluice {
namespace {

// Under sanitizers.
const bool kSampled = FaultStride() > 1;

// Runs the attempt on `disk`, a promise marked after each step.
Acknowledged RunOn(CrashFileSystem& disk) {
  AttemptOptions options;
  options.on_step = [&](const std::string& step) { disk.Mark(step); };
  return RunAttempt(disk, options);
}

// What had been acknowledged when `marks` promises were made.
Acknowledged At(const Acknowledged& whole, size_t marks) {
  Acknowledged then;
  then.catalog_id = whole.catalog_id;
  then.opened = marks >= 1;
  then.planned = marks >= 2;
  then.fired = marks >= 3;
  then.claimed = marks >= 4;
  then.created = marks >= 5;
  then.recorded = marks >= 7;
  then.ended = marks >= 8;
  then.settled = marks >= 9;
  return then;
}

// The first state that is wrong, or nothing.
std::string FirstWrongState(const CrashFileSystem& disk,
                            const Acknowledged& whole,
                            const CrashStateOptions& options,
                            CrashStateCount* count = nullptr) {
  std::string first;
  const CrashStateCount visited =
      disk.ForEachCrash(options, [&](const CrashedDisk& crashed) {
        const auto mounted = crashed.Mount();
        const std::string wrong =
            WhatIsWrong(*mounted, At(whole, crashed.marks()));
        if (wrong.empty()) return true;
        first = absl::StrCat("after event ", crashed.point(), " with ",
                             crashed.marks(), " promises: ", wrong, "\n",
                             crashed.text());
        return false;
      });
  if (count != nullptr) *count = visited;
  return first;
}

TEST(CrashTest, WhatWasAcknowledgedIsThereAfterAPowerCut) {
  CrashFileSystem disk;
  const Acknowledged done = RunOn(disk);
  ASSERT_TRUE(done.ended) << done.last;
  CrashStateCount count;
  CrashStateOptions options;
  options.max_states_per_point = kSampled ? 4 : 32;
  EXPECT_EQ(FirstWrongState(disk, done, options, &count), "");
  std::printf("%zu points, %zu selections, %zu states, %ld syncs\n",
              count.points, count.selections, count.states,
              static_cast<long>(disk.syncs()));
  EXPECT_FALSE(count.stopped);
  EXPECT_GE(count.states, kSampled ? 300u : 1000u);
}

TEST(CrashTest, TakingOutASyncIsSeen) {
  CrashFileSystem whole;
  ASSERT_TRUE(RunOn(whole).ended);
  CrashStateOptions few;
  few.max_states_per_point = 3;
  int seen = 0;
  std::string unseen;
  for (int64_t n = 1; n <= whole.syncs(); n += kSampled ? 3 : 1) {
    CrashFileSystem disk;
    disk.DropSync(n);
    const Acknowledged done = RunOn(disk);
    ASSERT_TRUE(done.ended);
    if (FirstWrongState(disk, done, few).empty()) {
      absl::StrAppend(&unseen, n, " ");
    } else {
      ++seen;
    }
  }
  std::printf("%d of %ld syncs are needed; not: %s\n", seen,
              static_cast<long>(whole.syncs()), unseen.c_str());
  // Those of a migration that another follows at once are not among them.
  EXPECT_GE(seen, kSampled ? 2 : 5);
}

}  // namespace
}  // namespace sluice
