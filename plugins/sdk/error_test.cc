#include "sluice/plugins/sdk/error.h"

#include <cstring>
#include <string>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"

namespace sluice::sdk {
namespace {

absl::Status ThereAndBack(const absl::Status& status) {
  sluice_error error = EmptyError();
  const sluice_code code = ToError(status, &error);
  EXPECT_EQ(code, static_cast<sluice_code>(status.code()));
  return FromError(code, error);
}

TEST(ErrorTest, WordMessageHintAndRetrySurviveTheCrossing) {
  const absl::Status status = ThereAndBack(WithRetryable(
      WithHint(MakeError(absl::StatusCode::kResourceExhausted,
                         kDestinationNoSpace, "write a: no space left"),
               "free some space"),
      true));
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(status.message(), "write a: no space left");
  EXPECT_EQ(ErrorCodeOf(status), "destination_no_space");
  EXPECT_EQ(HintOf(status), "free some space");
  EXPECT_TRUE(IsRetryable(status));
}

TEST(ErrorTest, AStatusWithoutAWordStaysWithoutOne) {
  const absl::Status status = ThereAndBack(absl::NotFoundError("gone"));
  EXPECT_FALSE(HasErrorCode(status));
  EXPECT_FALSE(IsRetryable(status));
}

TEST(ErrorTest, EveryCanonicalCodeSurvives) {
  for (int code = 1; code <= 16; ++code) {
    const absl::Status status =
        ThereAndBack(absl::Status(static_cast<absl::StatusCode>(code), "m"));
    EXPECT_EQ(static_cast<int>(status.code()), code);
  }
}

TEST(ErrorTest, OkIsNoError) {
  EXPECT_TRUE(ThereAndBack(absl::OkStatus()).ok());
}

TEST(ErrorTest, ALongMessageIsCutAtACharacter) {
  // 1,022 bytes, then a character of two bytes that does not fit whole.
  const std::string message = std::string(1022, 'a') + "\xC3\xA9";
  const absl::Status status = ThereAndBack(absl::InternalError(message));
  EXPECT_EQ(status.message(), std::string(1022, 'a'));
}

TEST(ErrorTest, AnUnknownCodeIsUnknown) {
  sluice_error error = EmptyError();
  for (const sluice_code code : {17, 99, -1}) {
    const absl::Status status = FromError(code, error);
    EXPECT_EQ(status.code(), absl::StatusCode::kUnknown);
    EXPECT_NE(status.message().find(std::to_string(code)), std::string::npos);
  }
}

TEST(ErrorTest, TextWithoutAnEndIsReadToTheEndOfItsArrayOnly) {
  sluice_error error = EmptyError();
  std::memset(error.word, 'w', sizeof(error.word));
  std::memset(error.message, 'm', sizeof(error.message));
  std::memset(error.hint, 'h', sizeof(error.hint));
  const absl::Status status = FromError(SLUICE_INTERNAL, error);
  EXPECT_EQ(status.message().size(), sizeof(error.message));
  EXPECT_EQ(ErrorCodeOf(status).size(), sizeof(error.word));
  EXPECT_EQ(HintOf(status).size(), sizeof(error.hint));
}

TEST(ErrorTest, OnlyMembersThatTheCallerHasAreWritten) {
  sluice_error error{};
  std::memset(error.hint, 'x', sizeof(error.hint));
  error.struct_size = offsetof(sluice_error, hint);
  ToError(WithHint(absl::InternalError("m"), "h"), &error);
  EXPECT_STREQ(error.message, "m");
  EXPECT_EQ(error.hint[0], 'x');
}

TEST(ErrorTest, ANullErrorIsAllowed) {
  EXPECT_EQ(ToError(absl::InternalError("m"), nullptr), SLUICE_INTERNAL);
}

TEST(ErrorTest, TheNativeCodeIsToldInTheMessage) {
  sluice_error error = EmptyError();
  std::strcpy(error.message, "write");
  error.native_code = 28;
  EXPECT_EQ(FromError(SLUICE_INTERNAL, error).message(),
            "write (native code 28)");
}

}  // namespace
}  // namespace sluice::sdk
