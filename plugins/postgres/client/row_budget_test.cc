#include "sluice/plugins/postgres/client/row_budget.h"

#include <atomic>
#include <thread>  // NOLINT(build/c++11)

#include "absl/status/status.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "sluice/plugins/postgres/client/interrupt.h"
#include "sluice/plugins/sdk/run.h"

namespace sluice::postgres {
namespace {

class RowBudgetTest : public ::testing::Test {
 protected:
  // Whether Take must wait: it gives up at a deadline that has passed.
  bool MustWait(uint64_t bytes) {
    const Interrupt expired(sdk::Run(), absl::Now());
    return absl::IsDeadlineExceeded(budget_.Take(bytes, expired));
  }

  Interrupt never_{sdk::Run()};
  RowBudget budget_{100};
};

TEST_F(RowBudgetTest, HoldsRowsThatFitTogether) {
  ASSERT_TRUE(budget_.Take(60, never_).ok());
  ASSERT_TRUE(budget_.Take(40, never_).ok());
  EXPECT_TRUE(MustWait(1));
}

TEST_F(RowBudgetTest, HoldsALongerRowAlone) {
  ASSERT_TRUE(budget_.Take(1000, never_).ok());
  EXPECT_TRUE(MustWait(1));
}

TEST_F(RowBudgetTest, HoldsNoLongRowBesideAnother) {
  ASSERT_TRUE(budget_.Take(1, never_).ok());
  EXPECT_TRUE(MustWait(1000));
}

TEST_F(RowBudgetTest, LetsALongRowInOnceTheOthersAreGone) {
  ASSERT_TRUE(budget_.Take(60, never_).ok());
  std::atomic<bool> taken{false};
  std::thread waiter([&] {
    EXPECT_TRUE(budget_.Take(1000, never_).ok());
    taken = true;
  });
  EXPECT_FALSE(taken);
  budget_.GiveBack(60);
  waiter.join();
  EXPECT_TRUE(taken);
  budget_.GiveBack(1000);
  EXPECT_FALSE(MustWait(100));
}

TEST_F(RowBudgetTest, ServesInTheOrderOfArrival) {
  ASSERT_TRUE(budget_.Take(60, never_).ok());
  Interrupt long_row{sdk::Run()};
  absl::Status status;
  std::thread waiter([&] { status = budget_.Take(1000, long_row); });
  // There is room for 40, but not before the long one: until that has come, it
  // is taken and given back.
  while (!MustWait(40)) budget_.GiveBack(40);
  long_row.Stop();
  waiter.join();
  EXPECT_TRUE(absl::IsCancelled(status)) << status;
}

}  // namespace
}  // namespace sluice::postgres
