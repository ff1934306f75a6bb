#include "sluice/plugins/sdk/barrier.h"

#include <pthread.h>

#include <functional>
#include <new>
#include <stdexcept>

#include "absl/cleanup/cleanup.h"
#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "sluice/base/thread.h"

namespace sluice::sdk {
namespace {

absl::Status Caught(const std::function<absl::Status()>& body) {
  sluice_error error = EmptyError();
  return FromError(Guarded(&error, body), error);
}

TEST(BarrierTest, PassesOnWhatTheBodyReturns) {
  EXPECT_TRUE(Caught([] { return absl::OkStatus(); }).ok());
  EXPECT_EQ(Caught([] { return absl::DataLossError("torn"); }).message(),
            "torn");
}

TEST(BarrierTest, AnExceptionIsInternalWithItsText) {
  const absl::Status status =
      Caught([]() -> absl::Status { throw std::runtime_error("boom"); });
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_EQ(status.message(), "boom");
}

TEST(BarrierTest, NoMemoryIsResourceExhausted) {
  const absl::Status status =
      Caught([]() -> absl::Status { throw std::bad_alloc(); });
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ErrorCodeOf(status), "resource_exhausted");
}

TEST(BarrierTest, WhatIsNoStdExceptionIsCaughtToo) {
  const absl::Status status = Caught([]() -> absl::Status { throw 42; });
  EXPECT_EQ(status.code(), absl::StatusCode::kInternal);
  EXPECT_NE(status.message(), "");
}

TEST(BarrierTest, AThreadThatIsBeingEndedIsLetThrough) {
  for (const bool quietly : {false, true}) {
    bool unwound = false;
    bool returned = false;
    absl::StatusOr<Thread> thread = Thread::Start("ends", [&] {
      const absl::Cleanup unwinding = [&] { unwound = true; };
      const auto end = []() -> absl::Status { pthread_exit(nullptr); };
      if (quietly) {
        GuardedQuietly([&] { end().IgnoreError(); });
      } else {
        EXPECT_TRUE(Caught(end).ok());
      }
      returned = true;
    });
    ASSERT_TRUE(thread.ok()) << thread.status();
    thread->Join();
    EXPECT_TRUE(unwound);
    EXPECT_FALSE(returned);
  }
}

TEST(BarrierTest, AFunctionWithoutAResultSwallowsAndCounts) {
  const uint64_t before = swallowed_exceptions;
  GuardedQuietly([] {});
  EXPECT_EQ(swallowed_exceptions, before);
  GuardedQuietly([] { throw std::runtime_error("boom"); });
  EXPECT_EQ(swallowed_exceptions, before + 1);
}

}  // namespace
}  // namespace sluice::sdk
