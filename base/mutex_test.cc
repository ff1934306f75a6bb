#include "sluice/base/mutex.h"

#include <gtest/gtest.h>

#include <thread>

namespace sluice {
namespace {

TEST(MutexTest, AWaiterSeesWhatTheNotifierWrote) {
  Mutex mutex;
  CondVar changed;
  int value = 0;
  std::thread writer([&] {
    MutexLock lock(mutex);
    value = 7;
    changed.NotifyAll();
  });
  {
    MutexLock lock(mutex);
    while (value == 0) changed.Wait(lock);
    EXPECT_EQ(value, 7);
  }
  writer.join();
}

TEST(MutexTest, AWaitThatNobodyEndsTimesOut) {
  Mutex mutex;
  CondVar changed;
  MutexLock lock(mutex);
  EXPECT_FALSE(changed.WaitFor(lock, absl::Milliseconds(1)));
}

}  // namespace
}  // namespace sluice
