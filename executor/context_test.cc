#include "sluice/executor/context.h"

#include <atomic>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/base/testing/fake_clock.h"
#include "sluice/base/testing/thread_fault.h"
#include "sluice/executor/testing/interrupted.h"

namespace sluice {
namespace {

TEST(ContextTest, BackgroundNeverEnds) {
  const Context context = Context::Background();
  EXPECT_FALSE(context.done());
  EXPECT_TRUE(context.status().ok());
  int calls = 0;
  {
    const auto registration =
        context.OnDone([&](const absl::Status&) { ++calls; });
  }
  EXPECT_EQ(calls, 0);
}

TEST(ContextTest, TellsTheFirstCauseToEveryCopy) {
  auto [context, cancel] = Context::WithCancel(Context::Background());
  const Context copy = context;
  EXPECT_TRUE(copy.status().ok());
  cancel(Interrupted());
  cancel(absl::InternalError("too late to matter"));
  EXPECT_TRUE(copy.done());
  EXPECT_EQ(copy.status(), Interrupted());
  EXPECT_EQ(context.status(), Interrupted());
}

TEST(ContextTest, TakesAnOkCauseForACancel) {
  auto [context, cancel] = Context::WithCancel(Context::Background());
  cancel(absl::OkStatus());
  EXPECT_EQ(context.status().code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(ErrorCodeOf(context.status()), kCancelled);
}

TEST(ContextTest, AChildEndsWithItsParentAndNotTheOtherWayRound) {
  auto [parent, cancel_parent] = Context::WithCancel(Context::Background());
  auto [child, cancel_child] = Context::WithCancel(parent);
  auto [sibling, cancel_sibling] = Context::WithCancel(parent);
  cancel_child(Interrupted());
  EXPECT_TRUE(child.done());
  EXPECT_FALSE(parent.done());
  EXPECT_FALSE(sibling.done());
  cancel_parent(absl::AbortedError("gone"));
  EXPECT_EQ(sibling.status(), absl::AbortedError("gone"));
  EXPECT_EQ(child.status(), Interrupted());
}

TEST(ContextTest, AChildOfAnEndedParentIsBornEnded) {
  auto [parent, cancel] = Context::WithCancel(Context::Background());
  cancel(Interrupted());
  EXPECT_EQ(Context::WithCancel(parent).first.status(), Interrupted());
}

TEST(ContextTest, RunsACallbackOnceWhenItEnds) {
  auto [context, cancel] = Context::WithCancel(Context::Background());
  std::vector<absl::Status> seen;
  const auto registration =
      context.OnDone([&](const absl::Status& s) { seen.push_back(s); });
  EXPECT_TRUE(seen.empty());
  cancel(Interrupted());
  cancel(Interrupted());
  EXPECT_EQ(seen, std::vector<absl::Status>{Interrupted()});
}

TEST(ContextTest, RunsACallbackAtOnceWhenItHasEnded) {
  auto [context, cancel] = Context::WithCancel(Context::Background());
  cancel(Interrupted());
  int calls = 0;
  const auto registration =
      context.OnDone([&](const absl::Status&) { ++calls; });
  EXPECT_EQ(calls, 1);
}

TEST(ContextTest, RunsNoCallbackWhoseHandleWasDropped) {
  auto [context, cancel] = Context::WithCancel(Context::Background());
  int calls = 0;
  {
    const auto dropped = context.OnDone([&](const absl::Status&) { ++calls; });
  }
  cancel(Interrupted());
  EXPECT_EQ(calls, 0);
}

TEST(ContextTest, ACallbackMayDropItsOwnHandleAndThoseOfOthers) {
  auto [context, cancel] = Context::WithCancel(Context::Background());
  int later_calls = 0;
  Context::Registration own, later;
  own = context.OnDone([&](const absl::Status&) {
    own = Context::Registration();
    later = Context::Registration();
  });
  later = context.OnDone([&](const absl::Status&) { ++later_calls; });
  cancel(Interrupted());
  EXPECT_EQ(later_calls, 0);
}

TEST(ContextTest, DroppingAHandleWaitsForItsCallback) {
  auto [context, cancel] = Context::WithCancel(Context::Background());
  std::atomic<bool> entered{false};
  std::atomic<bool> dropping{false};
  bool returned = false;  // unguarded on purpose: ThreadSanitizer watches it
  auto registration = context.OnDone([&](const absl::Status&) {
    entered = true;
    while (!dropping) std::this_thread::yield();
    returned = true;
  });
  std::thread ender([cancel = cancel] { cancel(Interrupted()); });
  while (!entered) std::this_thread::yield();
  dropping = true;
  registration = Context::Registration();
  EXPECT_TRUE(returned);
  ender.join();
}

TEST(ContextTest, OutlivingHandlesAndCancelFunctionsAreHarmless) {
  Context::Registration registration;
  Context::CancelFunction cancel;
  {
    auto pair = Context::WithCancel(Context::Background());
    registration = pair.first.OnDone([](const absl::Status&) {});
    cancel = pair.second;
  }
  registration = Context::Registration();
  cancel(Interrupted());
}

TEST(ContextTest, EndsLateByTheClockItWasGiven) {
  FakeClock clock;
  auto [context, cancel] =
      Context::WithTimeout(Context::Background(), &clock, absl::Seconds(10));
  Mutex mutex;
  CondVar changed;
  bool ended = false;
  const auto registration = context.OnDone([&](const absl::Status&) {
    MutexLock lock(mutex);
    ended = true;
    changed.NotifyAll();
  });
  clock.AwaitWaiters(1);
  clock.Advance(absl::Seconds(9));
  EXPECT_FALSE(context.done());
  clock.Advance(absl::Seconds(1));
  MutexLock lock(mutex);
  while (!ended) changed.Wait(lock);
  EXPECT_EQ(context.status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(ErrorCodeOf(context.status()), kDeadlineExceeded);
}

TEST(ContextTest, ACancelBeforeTheDeadlineStays) {
  FakeClock clock;
  auto [context, cancel] =
      Context::WithTimeout(Context::Background(), &clock, absl::Seconds(1));
  cancel(Interrupted());
  clock.Advance(absl::Seconds(5));
  EXPECT_EQ(context.status(), Interrupted());
}

TEST(ContextTest, NoTimeLeftEndsAtOnceAndAnInfiniteTimeNever) {
  FakeClock clock;
  EXPECT_TRUE(
      Context::WithTimeout(Context::Background(), &clock, absl::ZeroDuration())
          .first.done());
  EXPECT_FALSE(Context::WithTimeout(Context::Background(), &clock,
                                    absl::InfiniteDuration())
                   .first.done());
}

TEST(ContextTest, ADeadlineStopsAtTheParentsEnd) {
  FakeClock clock;
  auto [parent, cancel] = Context::WithCancel(Context::Background());
  auto [child, cancel_child] =
      Context::WithTimeout(parent, &clock, absl::Seconds(1));
  cancel(Interrupted());
  EXPECT_EQ(child.status(), Interrupted());
}

TEST(ContextTest, TheLastCopyMayGoInACallbackOfTheDeadline) {
  FakeClock clock;
  std::atomic<bool> gone{false};
  auto holder = std::make_shared<Context>(Context::Background());
  {
    auto pair =
        Context::WithTimeout(Context::Background(), &clock, absl::Seconds(1));
    *holder = pair.first;
  }
  // The registration's handle holds the context as well.
  auto registration = std::make_shared<Context::Registration>();
  *registration = holder->OnDone([&](const absl::Status&) {
    *holder = Context::Background();
    *registration = Context::Registration();
    gone = true;
  });
  clock.AwaitWaiters(1);
  clock.Advance(absl::Seconds(1));
  while (!gone) std::this_thread::yield();
}

TEST(ContextTest, ADeadlineThatNoThreadCouldWatchHasPassedAtOnce) {
  FakeClock clock;
  const ThreadFault fault("deadline");
  const Context context =
      Context::WithTimeout(Context::Background(), &clock, absl::Hours(1)).first;
  EXPECT_EQ(ErrorCodeOf(context.status()), kResourceExhausted);
  EXPECT_EQ(fault.refused(), 1);
}

TEST(ContextTest, ManyThreadsEndRegisterAndDropAtOnce) {
  for (int round = 0; round < 50; ++round) {
    auto [parent, cancel] = Context::WithCancel(Context::Background());
    std::atomic<int> calls{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&, context = parent, end = cancel, i] {
        auto [child, cancel_child] = Context::WithCancel(context);
        const auto kept = child.OnDone([&](const absl::Status&) { ++calls; });
        {
          const auto dropped = context.OnDone([&](const absl::Status&) {});
        }
        if (i == 0) end(Interrupted());
        while (!child.done()) std::this_thread::yield();
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_LE(calls, 4);
    EXPECT_GE(calls, 1);
  }
}

}  // namespace
}  // namespace sluice
