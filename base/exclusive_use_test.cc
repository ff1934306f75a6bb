#include "sluice/base/exclusive_use.h"

#include <thread>
#include <vector>

#include "gtest/gtest.h"

namespace sluice {
namespace {

TEST(ExclusiveUseTest, ASecondTurnIsNotEnteredWhileThereIsOne) {
  ExclusiveUse use;
  {
    const ExclusiveUse::Turn first(use);
    EXPECT_TRUE(first.entered());
    const ExclusiveUse::Turn second(use);
    EXPECT_FALSE(second.entered());
    EXPECT_FALSE(second.closed());
    EXPECT_FALSE(use.TryClose());
  }
  EXPECT_TRUE(ExclusiveUse::Turn(use).entered());
}

TEST(ExclusiveUseTest, OnceClosedThereAreNoMoreTurns) {
  ExclusiveUse use;
  use.Close();
  EXPECT_TRUE(use.TryClose());
  const ExclusiveUse::Turn turn(use);
  EXPECT_FALSE(turn.entered());
  EXPECT_TRUE(turn.closed());
}

TEST(ExclusiveUseTest, OfManyThreadsOnlyThoseInATurnTouchWhatItGuards) {
  ExclusiveUse use;
  int counted = 0;  // plain: ThreadSanitizer would see two at once
  std::vector<int> entered(4);
  std::vector<std::thread> threads;
  for (int& mine : entered) {
    threads.emplace_back([&use, &counted, &mine] {
      for (int i = 0; i < 10000; ++i) {
        const ExclusiveUse::Turn turn(use);
        if (!turn.entered()) continue;
        ++counted;
        ++mine;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(counted, entered[0] + entered[1] + entered[2] + entered[3]);
}

}  // namespace
}  // namespace sluice
