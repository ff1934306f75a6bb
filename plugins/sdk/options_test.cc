#include "sluice/plugins/sdk/options.h"

#include <string>

#include "absl/time/time.h"
#include "gtest/gtest.h"

namespace sluice::sdk {
namespace {

TEST(OptionsTest, AnAbsentOptionHasItsFallback) {
  const Options options;
  EXPECT_FALSE(options.Has("keys"));
  EXPECT_EQ(options.Get("keys", "none"), "none");
  EXPECT_EQ(*options.GetInteger("keys", 7), 7u);
  EXPECT_TRUE(*options.GetBoolean("fast", true));
  EXPECT_EQ(*options.GetDuration("every", absl::Seconds(3)), absl::Seconds(3));
}

TEST(OptionsTest, ValuesAreReadByTheirType) {
  Options options;
  options.Set("keys", "12");
  options.Set("fast", "No");
  options.Set("every", "1m30s");
  options.Set("path", absl::string_view("a\0b", 3));
  EXPECT_EQ(*options.GetInteger("keys", 0), 12u);
  EXPECT_FALSE(*options.GetBoolean("fast", true));
  EXPECT_EQ(*options.GetDuration("every", {}), absl::Seconds(90));
  EXPECT_EQ(options.Get("path").size(), 3u);
}

TEST(OptionsTest, AMalformedValueIsRefusedWithoutShowingIt) {
  Options options;
  options.Set("keys", "hunter2");
  options.Set("fast", "hunter2");
  options.Set("every", "-5s");
  for (const absl::Status& status :
       {options.GetInteger("keys", 0).status(),
        options.GetBoolean("fast", false).status(),
        options.GetDuration("every", {}).status()}) {
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(std::string(status.message()).find("hunter2"), std::string::npos);
  }
}

}  // namespace
}  // namespace sluice::sdk
