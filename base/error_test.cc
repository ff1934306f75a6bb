#include "sluice/base/error.h"

#include <gtest/gtest.h>

namespace sluice {
namespace {

TEST(ErrorTest, CodeAndHintSurviveAnnotation) {
  absl::Status status = MakeError(absl::StatusCode::kNotFound,
                                  kDestinationNotFound, "no such directory");
  status = Annotate(WithHint(status, "is the disk mounted?"), "open /mnt");
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(status.message(), "open /mnt: no such directory");
  EXPECT_EQ(ErrorCodeOf(status), "destination_not_found");
  EXPECT_EQ(HintOf(status), "is the disk mounted?");
}

TEST(ErrorTest, AStatusWithoutAWordGetsOneFromItsCanonicalCode) {
  EXPECT_EQ(ErrorCodeOf(absl::CancelledError("stop")), "cancelled");
  EXPECT_EQ(ErrorCodeOf(absl::DeadlineExceededError("late")),
            "deadline_exceeded");
  EXPECT_EQ(ErrorCodeOf(absl::UnknownError("?")), "internal");
  EXPECT_EQ(ErrorCodeOf(absl::OkStatus()), "");
}

TEST(ErrorTest, OnlyUnavailableIsWorthARetryUnlessSaidOtherwise) {
  EXPECT_TRUE(IsRetryable(absl::UnavailableError("busy")));
  EXPECT_FALSE(IsRetryable(absl::InternalError("bug")));
  EXPECT_TRUE(IsRetryable(WithRetryable(absl::AbortedError("race"), true)));
  EXPECT_FALSE(IsRetryable(WithRetryable(absl::UnavailableError("x"), false)));
}

TEST(ErrorTest, AWordThatWasGivenIsToldFromOneThatFollows) {
  EXPECT_FALSE(HasErrorCode(absl::CancelledError("stop")));
  const absl::Status status =
      WithCode(absl::NotFoundError("gone"), kSourceUnavailable);
  EXPECT_TRUE(HasErrorCode(status));
  EXPECT_EQ(ErrorCodeOf(status), "source_unavailable");
}

TEST(ErrorTest, ADeepCopyIsEqual) {
  const absl::Status status = WithHint(
      MakeError(absl::StatusCode::kUnavailable, kDestinationUnreachable, "x"),
      "a hint that is too long to be kept beside its length");
  EXPECT_EQ(DeepCopy(status), status);
}

TEST(ErrorTest, OkStaysOk) {
  EXPECT_TRUE(DeepCopy(absl::OkStatus()).ok());
  EXPECT_TRUE(Annotate(absl::OkStatus(), "open").ok());
  EXPECT_TRUE(WithHint(absl::OkStatus(), "never mind").ok());
}

}  // namespace
}  // namespace sluice
