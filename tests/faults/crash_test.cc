// T3 of the reliability plan: the power fails at every point of a verb, over a
// file system that forgets what was not synced, contents and folder entries
// apart, whole or torn. From each state that can be left, Sluice starts again
// and every invariant holds; what had been promised by then is there.

#include <cstdio>
#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "gtest/gtest.h"
#include "sluice/base/testing/crash_file_system.h"
#include "sluice/base/testing/environment.h"
#include "sluice/catalog/testing/sqlite_vfs.h"
#include "sluice/tests/faults/hasty_clock.h"
#include "sluice/tests/faults/world.h"

namespace sluice {
namespace {

constexpr absl::Duration kStep = absl::Hours(3);
// Many objects: a longer trace.
constexpr uint64_t kSegmentBytes = 24;

class CrashTest : public testing::TestWithParam<Verb> {
 protected:
  CrashTest() : disk_(&clock_) {}

  void SetUp() override {
    SqliteVfs vfs(&disk_);
    World world({&disk_, "/home", &clock_, {}, vfs.name(), kSegmentBytes});
    ASSERT_EQ(disk_.MakeDirectory("/home", 0700), 0);
    const absl::Status prepared = world.Prepare(GetParam());
    ASSERT_TRUE(prepared.ok()) << prepared;
    ids_ = world.ids();
    disk_.Settle();
  }

  World::Told Run() {
    HastyClock clock(kStep);
    SqliteVfs vfs(&disk_);
    return World({&disk_, "/home", &clock, kStep, vfs.name(), kSegmentBytes},
                 ids_)
        .Run(GetParam());
  }

  std::vector<std::string> Violations(const CrashedDisk& crashed,
                                      const World::Told& told) {
    const auto disk = crashed.Mount();
    HastyClock clock(2 * kStep);
    SqliteVfs vfs(disk.get());
    World world(
        {disk.get(), "/home", &clock, 2 * kStep, vfs.name(), kSegmentBytes},
        ids_);
    return world.Violations(GetParam(), crashed.marks() > 0
                                            ? absl::make_optional(told)
                                            : absl::nullopt);
  }

  HastyClock clock_;
  CrashFileSystem disk_;
  World::Ids ids_;
};

TEST_P(CrashTest, EveryStateThatAPowerCutLeavesCanBeRecovered) {
  const World::Told told = Run();
  ASSERT_TRUE(told.status.ok()) << told.status;
  disk_.Mark("told");
  const bool few = FaultStride() > 1;
  CrashStateOptions options;
  if (few) options.max_states_per_point = 3;
  int wrong = 0;
  const CrashStateCount count =
      disk_.ForEachCrash(options, [&](const CrashedDisk& crashed) {
        const std::vector<std::string> violations = Violations(crashed, told);
        if (!violations.empty() && ++wrong <= 10) {
          ADD_FAILURE() << "at event " << crashed.point() << ", "
                        << crashed.text() << ": "
                        << absl::StrJoin(violations, "; ");
        }
        return true;
      });
  std::printf("T3 %s: %zu points, %zu states, %lld syncs, %d wrong\n",
              std::string(VerbName(GetParam())).c_str(), count.points,
              count.states, static_cast<long long>(disk_.syncs()), wrong);
  EXPECT_FALSE(count.stopped);
  // The publish is the longest; a sweep changes little, and syncs each change.
  EXPECT_GT(count.states, GetParam() == Verb::kBackup && !few ? 1000u : 10u);
}

INSTANTIATE_TEST_SUITE_P(Verbs, CrashTest, testing::ValuesIn(kAllVerbs),
                         [](const testing::TestParamInfo<Verb>& verb) {
                           return std::string(VerbName(verb.param));
                         });

}  // namespace
}  // namespace sluice
