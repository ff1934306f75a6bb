#include "sluice/cli/terminal/interrupt.h"

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/base/testing/thread_fault.h"

namespace sluice::cli {
namespace {

TEST(InterruptTest, WithoutAThreadForSignalsTheVerbIsRefused) {
  const ThreadFault fault("signals");
  const auto interrupt =
      Interrupt::Start([](const absl::Status&) {}, -1, absl::ZeroDuration());
  EXPECT_EQ(ErrorCodeOf(interrupt.status()), kResourceExhausted);
  EXPECT_EQ(fault.refused(), 1);
}

TEST(InterruptTest, EndsWithoutASignal) {
  const auto interrupt =
      Interrupt::Start([](const absl::Status&) {}, -1, absl::ZeroDuration());
  EXPECT_TRUE(interrupt.ok()) << interrupt.status();
  EXPECT_EQ(Interrupt::signal(), 0);
}

}  // namespace
}  // namespace sluice::cli
