#include "sluice/plugins/sdk/workers.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <set>
#include <stdexcept>
#include <thread>  // NOLINT(build/c++11)
#include <vector>

#include "absl/status/status.h"
#include "sluice/base/mutex.h"
#include "sluice/base/testing/thread_fault.h"

namespace sluice::sdk {
namespace {

TEST(WorkersTest, EachItemIsTakenOnceHoweverManyThreadsThereAre) {
  for (const int workers : {0, 1, 3, 16}) {
    std::vector<std::atomic<int>> taken(10);
    const absl::Status status = ForEach(taken.size(), workers, [&](size_t i) {
      ++taken[i];
      return absl::OkStatus();
    });
    EXPECT_TRUE(status.ok()) << status;
    for (const auto& times : taken) EXPECT_EQ(times, 1) << workers;
  }
}

TEST(WorkersTest, NothingToDoIsDone) {
  const absl::Status status =
      ForEach(0, 4, [](size_t) { return absl::InternalError("called"); });
  EXPECT_TRUE(status.ok()) << status;
}

// All are under way at once: each waits until the last has come.
TEST(WorkersTest, WorkersRunAtTheSameTimeEachOnItsThread) {
  constexpr int kWorkers = 4;
  Mutex mutex;
  CondVar came;
  std::set<std::thread::id> threads;
  const absl::Status status = RunWorkers(
      kWorkers,
      [&](int) {
        MutexLock lock(mutex);
        threads.insert(std::this_thread::get_id());
        came.NotifyAll();
        while (threads.size() < kWorkers) came.Wait(lock);
        return absl::OkStatus();
      },
      [] {});
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(threads.count(std::this_thread::get_id()), 1u);
}

TEST(WorkersTest, HelpersGiveWayWhereTheyAreToldTo) {
  const int before = getpriority(PRIO_PROCESS, 0);
  for (const Helpers helpers : {Helpers::kAsTheCaller, Helpers::kGiveWay}) {
    const int expected =
        helpers == Helpers::kGiveWay ? std::min(before + 10, 19) : before;
    const absl::Status status = RunWorkers(
        2,
        [&](int worker) {
          EXPECT_EQ(getpriority(PRIO_PROCESS, 0),
                    worker == 0 ? before : expected);
          return absl::OkStatus();
        },
        [] {}, helpers);
    EXPECT_TRUE(status.ok()) << status;
  }
}

TEST(WorkersTest, TheFirstFailureStopsTheOthersAndIsTheResult) {
  std::atomic<bool> stopped{false};
  int stops = 0;
  const absl::Status status = RunWorkers(
      3,
      [&](int worker) {
        if (worker == 2) return absl::DataLossError("the cause");
        while (!stopped) std::this_thread::yield();
        return absl::CancelledError("its consequence");
      },
      [&] {
        ++stops;
        stopped = true;
      });
  EXPECT_EQ(status, absl::DataLossError("the cause"));
  EXPECT_EQ(stops, 1);
}

TEST(WorkersTest, AfterAFailureNoItemIsBegun) {
  std::atomic<int> begun{0};
  const absl::Status status = ForEach(1000, 1, [&](size_t i) {
    ++begun;
    return i == 2 ? absl::AbortedError("enough") : absl::OkStatus();
  });
  EXPECT_EQ(status, absl::AbortedError("enough"));
  EXPECT_EQ(begun, 3);
}

TEST(WorkersTest, AnExceptionIsAFailureAndNotTheEndOfTheProcess) {
  for (const int workers : {1, 2}) {
    const absl::Status status = ForEach(2, workers, [](size_t) -> absl::Status {
      throw std::runtime_error("not ours");
    });
    EXPECT_EQ(status.code(), absl::StatusCode::kInternal) << status;
    EXPECT_EQ(status.message(), "not ours");
  }
}

TEST(WorkersTest, WhereThereAreNoThreadsTheCallerDoesAllOfTheWork) {
  const ThreadFault fault;
  std::atomic<int> done{0};
  EXPECT_EQ(ForEach(100, 4,
                    [&](size_t) {
                      ++done;
                      return absl::OkStatus();
                    }),
            absl::OkStatus());
  EXPECT_EQ(done, 100);
  EXPECT_EQ(fault.refused(), 1);
}

}  // namespace
}  // namespace sluice::sdk
