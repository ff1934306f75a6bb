#include "sluice/service/plan/span.h"

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"

namespace sluice::service {
namespace {

TEST(SpanTest, ReadsWhatPeopleWrite) {
  EXPECT_EQ(*ParseSpan("90m"), absl::Minutes(90));
  EXPECT_EQ(*ParseSpan("1h30m"), absl::Minutes(90));
  EXPECT_EQ(*ParseSpan("2w3d"), absl::Hours(17 * 24));
  EXPECT_EQ(*ParseSpan("250ms"), absl::Milliseconds(250));
  EXPECT_EQ(*ParseSpan("0"), absl::ZeroDuration());
  EXPECT_EQ(*ParseSpan("0s"), absl::ZeroDuration());
}

TEST(SpanTest, RefusesAllElseWithAHint) {
  for (const char* text :
       {"", "m", "90", "-1h", "1h ", " 1h", "30m1h", "1h1h", "1H", "1.5h", "1y",
        "99999999999999999999s", "5300w", "1h-2m", "inf"}) {
    const auto span = ParseSpan(text);
    ASSERT_FALSE(span.ok()) << text;
    EXPECT_EQ(ErrorCodeOf(span.status()), kInvalidArgument) << text;
    EXPECT_FALSE(HintOf(span.status()).empty()) << text;
  }
}

TEST(SpanTest, WritesWhatItReads) {
  for (const int64_t millis :
       {int64_t{0}, int64_t{1}, int64_t{999}, int64_t{60'000},
        int64_t{5'400'000}, int64_t{86'400'000}, int64_t{604'800'000},
        int64_t{694'861'001}}) {
    const std::string text = FormatSpan(absl::Milliseconds(millis));
    EXPECT_EQ(*ParseSpan(text), absl::Milliseconds(millis)) << text;
  }
  EXPECT_EQ(FormatSpan(absl::Hours(24 * 14)), "2w");
  EXPECT_EQ(FormatSpan(absl::Hours(24 * 30)), "30d");
  EXPECT_EQ(FormatSpan(absl::Minutes(90)), "1h30m");
}

}  // namespace
}  // namespace sluice::service
