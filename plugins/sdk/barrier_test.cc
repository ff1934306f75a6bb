#include "sluice/plugins/sdk/barrier.h"

#include <functional>
#include <new>
#include <stdexcept>

#include "absl/status/status.h"
#include "gtest/gtest.h"

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

TEST(BarrierTest, AFunctionWithoutAResultSwallows) {
  GuardedQuietly([] { throw std::runtime_error("boom"); });
}

}  // namespace
}  // namespace sluice::sdk
