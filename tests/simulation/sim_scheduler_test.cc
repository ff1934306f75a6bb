#include "sluice/tests/simulation/sim_scheduler.h"

#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace sluice {
namespace {

// Two threads of three steps each; what the seed made of them.
std::vector<std::string> TraceOf(uint64_t seed) {
  SimScheduler scheduler(seed);
  scheduler.EnterMain("a");
  scheduler.Starting("b");
  std::thread other([&] {
    scheduler.Enter("b");
    for (const char* step : {"1", "2", "3"}) scheduler.Step(step);
    scheduler.Leave();
  });
  for (const char* step : {"1", "2", "3"}) scheduler.Step(step);
  scheduler.LeaveMain();
  other.join();
  return scheduler.trace();
}

TEST(SimSchedulerTest, TheSameSeedGivesTheSameOrder) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    EXPECT_EQ(TraceOf(seed), TraceOf(seed)) << "seed " << seed;
  }
}

TEST(SimSchedulerTest, SeedsReachManyOrders) {
  std::set<std::vector<std::string>> orders;
  for (uint64_t seed = 0; seed < 400; ++seed) orders.insert(TraceOf(seed));
  // The first step of the thread that holds the token comes first; the other
  // two of its own and the three of the other interleave in C(5,2) ways.
  EXPECT_EQ(orders.size(), 10u);
}

TEST(SimSchedulerTest, TimeMovesOnlyWhenNobodyElseCan) {
  SimScheduler scheduler(1);
  scheduler.EnterMain("main");
  Mutex mutex;
  CondVar condition;
  const absl::Duration before = scheduler.clock()->SinceBoot();
  {
    MutexLock lock(mutex);
    while (scheduler.clock()->WaitFor(condition, lock, absl::Hours(1))) {
    }
  }
  EXPECT_EQ(scheduler.clock()->SinceBoot() - before, absl::Hours(1));
  scheduler.LeaveMain();
}

TEST(SimSchedulerTest, AwaitGoesOnOnlyWhenReady) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    SimScheduler scheduler(seed);
    std::atomic<bool> flag{false};
    scheduler.EnterMain("main");
    scheduler.Starting("setter");
    std::thread setter([&] {
      scheduler.Enter("setter");
      scheduler.Step("before");
      flag = true;
      scheduler.Step("after");
      scheduler.Leave();
    });
    scheduler.Await([&] { return flag.load(); });
    EXPECT_TRUE(flag);
    scheduler.LeaveMain();
    setter.join();
  }
}

}  // namespace
}  // namespace sluice
