#include "sluice/base/thread.h"

#include <pthread.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/base/testing/thread_fault.h"

namespace sluice {
namespace {

TEST(ThreadTest, RunsItsBodyAndIsJoinedByItsDestructor) {
  std::atomic<bool> ran{false};
  {
    const absl::StatusOr<Thread> thread =
        Thread::Start("body", [&] { ran = true; });
    ASSERT_TRUE(thread.ok()) << thread.status();
    EXPECT_TRUE(thread->joinable());
    EXPECT_FALSE(thread->IsCurrent());
  }
  EXPECT_TRUE(ran);
}

TEST(ThreadTest, BearsItsNameCutToWhatTheSystemTakes) {
  std::string name;
  absl::StatusOr<Thread> thread =
      Thread::Start("a name of more than fifteen bytes", [&] {
        char buffer[64] = "";
        pthread_getname_np(pthread_self(), buffer, sizeof(buffer));
        name = buffer;
      });
  ASSERT_TRUE(thread.ok()) << thread.status();
  thread->Join();
  thread->Join();  // idempotent
  EXPECT_EQ(name, "a name of more ");
}

TEST(ThreadTest, AMovedThreadIsJoinedOnceAndItsBodyIsGoneThen) {
  const auto held = std::make_shared<int>(1);
  Thread first;
  EXPECT_FALSE(first.joinable());
  absl::StatusOr<Thread> started = Thread::Start("one", [held] {});
  ASSERT_TRUE(started.ok()) << started.status();
  first = *std::move(started);
  Thread second = std::move(first);
  EXPECT_FALSE(first.joinable());  // NOLINT: what a move leaves is said
  second = Thread();
  EXPECT_EQ(held.use_count(), 1);
}

TEST(ThreadTest, ForeignCodeMayEndItByPthreadExit) {
  const auto held = std::make_shared<int>(1);
  absl::StatusOr<Thread> thread =
      Thread::Start("exits", [held] { pthread_exit(nullptr); });
  ASSERT_TRUE(thread.ok()) << thread.status();
  thread->Join();
  EXPECT_EQ(held.use_count(), 1);
}

TEST(ThreadTest, OneThatCannotBeStartedIsAnErrorAndItsBodyIsNotCalled) {
  const ThreadFault fault;
  bool ran = false;
  const absl::StatusOr<Thread> thread =
      Thread::Start("none", [&] { ran = true; });
  EXPECT_EQ(thread.status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ErrorCodeOf(thread.status()), kResourceExhausted);
  EXPECT_EQ(thread.status().message(),
            "start thread \"none\": the system's limit of threads is reached");
  EXPECT_NE(HintOf(thread.status()), "");
  EXPECT_EQ(fault.refused(), 1);
  EXPECT_FALSE(ran);
}

// The same from the system itself. A child, since the limit and the user are
// the process's; root has no limit.
TEST(ThreadTest, TheSystemsOwnRefusalIsTheSameError) {
  const pid_t child = fork();
  if (child == 0) {
    const rlimit one = {1, 1};
    setrlimit(RLIMIT_NPROC, &one);
    if (getuid() == 0 && setuid(54321) != 0) _exit(3);
    const absl::StatusOr<Thread> thread = Thread::Start("none", [] {});
    _exit(thread.status().code() == absl::StatusCode::kResourceExhausted ? 0
                                                                         : 1);
  }
  ASSERT_GT(child, 0);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace sluice
