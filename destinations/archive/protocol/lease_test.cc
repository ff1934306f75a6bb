#include "sluice/destinations/archive/protocol/lease.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>  // NOLINT

#include "sluice/base/clock.h"
#include "sluice/base/error.h"
#include "sluice/base/mutex.h"
#include "sluice/base/testing/fake_clock.h"
#include "sluice/destinations/archive/testing/archive_fixture.h"
#include "sluice/destinations/archive/testing/fake_object_store.h"

namespace sluice {
namespace {

constexpr absl::Duration kGrace = absl::Hours(1);

// Knows that another thread than the test's has seen that time went on.
class WatchedClock final : public Clock {
 public:
  explicit WatchedClock(FakeClock* clock) : clock_(*clock) {}

  void AwaitLook() const {
    while (!seen_) std::this_thread::yield();
  }

  absl::Time Now() const override { return clock_.Now(); }
  absl::Duration SinceBoot() const override {
    const absl::Duration now = clock_.SinceBoot();
    if (std::this_thread::get_id() != test_ && now > began_) seen_ = true;
    return now;
  }
  bool WaitFor(CondVar& condition, MutexLock& lock,
               absl::Duration timeout) override {
    return clock_.WaitFor(condition, lock, timeout);
  }

 private:
  FakeClock& clock_;
  const absl::Duration began_ = clock_.SinceBoot();
  const std::thread::id test_ = std::this_thread::get_id();
  mutable std::atomic<bool> seen_{false};
};

class WriterLeaseTest : public testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<WriterLease>> Take(absl::string_view owner) {
    return WriterLease::Take(Context::Background(), store_, &clock_, TestId(1),
                             owner, kGrace);
  }

  absl::StatusOr<WriterRecord> Stored() {
    return ParseWriter(store_.objects()[TestId(1) + "/writer.json"]);
  }

  // Lets `step` pass on both clocks and waits until the lease's thread sleeps
  // again.
  void Pass(absl::Duration step) {
    clock_.AwaitWaiters(1);
    store_.Advance(step);
    clock_.Advance(step);
    clock_.AwaitWaiters(1);
  }

  FakeClock clock_;
  FakeObjectStore store_;
};

TEST_F(WriterLeaseTest, ExpiresByThePlacesClockNotTheWriters) {
  clock_.SetNow(absl::FromUnixSeconds(4'000'000'000));
  const auto lease = Take("me");
  ASSERT_TRUE(lease.ok()) << lease.status();
  EXPECT_EQ(Stored()->owner, "me");
  EXPECT_EQ(Stored()->expires_at, store_.now() + kGrace);
}

TEST_F(WriterLeaseTest, IsTakenByOneOnly) {
  const auto first = Take("me");
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(ErrorCodeOf(Take("you").status()), "publish_fenced");
  EXPECT_EQ(Stored()->owner, "me");
}

TEST_F(WriterLeaseTest, IsRenewedEveryQuarterWhileTheSourceGivesNothing) {
  const auto lease = Take("me");
  ASSERT_TRUE(lease.ok());
  for (int i = 0; i < 8; ++i) {
    Pass(kGrace / 4);
    while (Stored()->expires_at != store_.now() + kGrace) {
      std::this_thread::yield();  // the thread is on its way
    }
    EXPECT_TRUE((*lease)->IsFresh());
  }
}

TEST_F(WriterLeaseTest, IsLostForGoodOnceItWasNotRenewedInTime) {
  WatchedClock clock(&clock_);
  const auto lease = WriterLease::Take(Context::Background(), store_, &clock,
                                       TestId(1), "me", kGrace);
  ASSERT_TRUE(lease.ok());
  clock_.AwaitWaiters(1);
  const absl::Time expires = Stored()->expires_at;
  // Asleep: the thread wakes too late, and a sweep may have been there.
  store_.Advance(2 * kGrace);
  clock_.Advance(2 * kGrace);
  // It holds its lock from this look to its verdict.
  clock.AwaitLook();
  EXPECT_FALSE((*lease)->IsFresh());
  (*lease)->Stop();
  EXPECT_FALSE((*lease)->IsFresh());
  EXPECT_EQ(Stored()->expires_at, expires);  // never taken up again
}

TEST_F(WriterLeaseTest, ARenewalThatFailsIsTriedAgainWithinTheWindow) {
  const uint64_t before = store_.call_count();
  const auto lease = Take("me");
  ASSERT_TRUE(lease.ok());
  clock_.AwaitWaiters(1);
  // The commit of the renewal, which makes the same calls as the taking.
  store_.PlantFault(2 * store_.call_count() - before,
                    FakeObjectStore::Fault::kBefore);
  Pass(kGrace / 4);
  while (!store_.fault_struck()) std::this_thread::yield();
  EXPECT_TRUE((*lease)->IsFresh());
  Pass(kGrace / 16);
  while (Stored()->expires_at != store_.now() + kGrace) {
    std::this_thread::yield();
  }
}

TEST_F(WriterLeaseTest, IsNeverWrittenAfterStop) {
  const auto lease = Take("me");
  ASSERT_TRUE(lease.ok());
  (*lease)->Stop();
  const uint64_t calls = store_.call_count();
  clock_.Advance(kGrace / 3);
  EXPECT_EQ(store_.call_count(), calls);
  (*lease)->Stop();
}

}  // namespace
}  // namespace sluice
