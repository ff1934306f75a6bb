#include "sluice/executor/run/final_rows.h"

#include <atomic>
#include <thread>

#include "gtest/gtest.h"
#include "sluice/base/testing/fake_clock.h"

namespace sluice {
namespace {

TEST(FinalRowsTest, TriesAgainAfterWhatMayPass) {
  int calls = 0;
  EXPECT_TRUE(FinalRows(Clock::Real())
                  .Write([&](const Context&) {
                    return ++calls < 3 ? absl::UnavailableError("locked")
                                       : absl::OkStatus();
                  })
                  .ok());
  EXPECT_EQ(calls, 3);
}

TEST(FinalRowsTest, DoesNotTryAgainWhatWouldFailAgain) {
  for (const absl::Status& status :
       {absl::FailedPreconditionError("it is over"),
        absl::InvalidArgumentError("no"), absl::AlreadyExistsError("other"),
        absl::NotFoundError("gone"), absl::PermissionDeniedError("read-only"),
        absl::UnimplementedError("?")}) {
    int calls = 0;
    EXPECT_EQ(FinalRows(Clock::Real()).Write([&](const Context&) {
      ++calls;
      return status;
    }),
              status);
    EXPECT_EQ(calls, 1);
  }
}

TEST(FinalRowsTest, GivesUpAfterEightAttempts) {
  FakeClock clock;
  std::atomic<bool> over{false};
  std::thread time([&] {
    while (!over) {
      // The deadline's thread and the pause: nobody is about to look.
      if (clock.waiters() == 2) clock.Advance(absl::Milliseconds(10));
      std::this_thread::yield();
    }
  });
  const absl::Duration begin = clock.SinceBoot();
  int calls = 0;
  const absl::Status status = FinalRows(&clock).Write([&](const Context&) {
    ++calls;
    return absl::UnavailableError("locked");
  });
  over = true;
  time.join();
  EXPECT_EQ(status, absl::UnavailableError("locked"));
  EXPECT_EQ(calls, 8);
  EXPECT_GE(clock.SinceBoot() - begin, absl::Milliseconds(1270));
}

TEST(FinalRowsTest, GivesUpWhenTheTimeIsUp) {
  FakeClock clock;
  int calls = 0;
  const absl::Status status =
      FinalRows(&clock).Write([&](const Context& context) {
        ++calls;
        clock.Advance(kFinalRowsDeadline);
        while (!context.done()) std::this_thread::yield();
        return context.status();
      });
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(calls, 1);
}

}  // namespace
}  // namespace sluice
