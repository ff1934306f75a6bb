#include "sluice/executor/stream/first_cause.h"

#include <atomic>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sluice/base/testing/fake_clock.h"

namespace sluice {
namespace {

using Party = FirstCause::Party;

const absl::Status kFull = absl::ResourceExhaustedError("full");
const absl::Status kEcho = absl::InternalError("echo");

TEST(FirstCauseTest, TheFirstStaysAndStopsBothSides) {
  FakeClock clock;
  FirstCause cause(&clock);
  EXPECT_FALSE(cause.cause().has_value());
  EXPECT_FALSE(cause.stopped().done());
  EXPECT_TRUE(cause.Set(Party::kDestination, kFull));
  EXPECT_FALSE(cause.Set(Party::kSource, kEcho));
  EXPECT_FALSE(cause.Set(Party::kRun, kEcho));
  EXPECT_EQ(cause.cause()->party, Party::kDestination);
  EXPECT_EQ(cause.cause()->status, kFull);
  EXPECT_EQ(cause.cause()->at, clock.SinceBoot());
  EXPECT_EQ(cause.stopped().status(), kFull);
}

TEST(FirstCauseTest, ACancelBeforeTheCommitWins) {
  FakeClock clock;
  FirstCause cause(&clock);
  EXPECT_TRUE(cause.Set(Party::kRun, absl::CancelledError("")));
  EXPECT_EQ(cause.BeginCommit(), absl::CancelledError(""));
}

TEST(FirstCauseTest, ACancelFromTheCommitOnDoesNotCountAFailureDoes) {
  FakeClock clock;
  FirstCause cause(&clock);
  EXPECT_TRUE(cause.BeginCommit().ok());
  EXPECT_FALSE(cause.Set(Party::kRun, absl::CancelledError("")));
  EXPECT_FALSE(cause.stopped().done());
  EXPECT_TRUE(cause.Set(Party::kDestination, kFull));
  EXPECT_EQ(cause.cause()->status, kFull);
}

TEST(FirstCauseTest, OneOfManyAtOnceIsTheFirst) {
  FakeClock clock;
  for (int round = 0; round < 100; ++round) {
    FirstCause cause(&clock);
    std::atomic<int> firsts{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&, i] {
        if (cause.Set(Party::kSource, absl::InternalError(absl::StrCat(i)))) {
          ++firsts;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(firsts, 1);
    EXPECT_EQ(cause.stopped().status(), cause.cause()->status);
  }
}

}  // namespace
}  // namespace sluice
