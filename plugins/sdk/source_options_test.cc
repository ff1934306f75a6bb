#include "sluice/plugins/sdk/source_options.h"

#include <string>

#include "gtest/gtest.h"
#include "sluice/base/error.h"

namespace sluice::sdk {
namespace {

TEST(SourceOptionsTest, AFolderIsMadeAbsoluteAtOnce) {
  Options options;
  options.Set("path", "below");
  const absl::StatusOr<std::string> folder =
      FolderOption("badger", options, "path");
  ASSERT_TRUE(folder.ok()) << folder.status();
  EXPECT_EQ(folder->front(), '/');
  EXPECT_EQ(folder->substr(folder->rfind('/')), "/below");
  options.Set("path", absl::string_view("a\0b", 3));
  EXPECT_EQ(FolderOption("badger", options, "path").status().message(),
            "badger: path= must name a folder");
  EXPECT_FALSE(FolderOption("badger", options, "scratch").ok());
}

TEST(SourceOptionsTest, JobsAreAsManyAsProcessorsUpToALimit) {
  Options options;
  EXPECT_EQ(*JobsOption("postgresql", options, 1, 64), 1);
  options.Set("jobs", "64");
  EXPECT_EQ(*JobsOption("postgresql", options, 1, 64), 64);
  for (const char* const jobs : {"0", "65"}) {
    options.Set("jobs", jobs);
    const absl::Status refused =
        JobsOption("postgresql", options, 1, 64).status();
    EXPECT_EQ(refused.message(), "postgresql: jobs= must be 1 to 64");
    EXPECT_EQ(ErrorCodeOf(refused), kSourceConfigInvalid);
  }
}

TEST(SourceOptionsTest, AStoreIdMayBeAbsentButNotEmpty) {
  Options options;
  EXPECT_EQ(*StoreIdOption("memory", options), "");
  options.Set("store_id", "orders");
  EXPECT_EQ(*StoreIdOption("memory", options), "orders");
  options.Set("store_id", "");
  EXPECT_EQ(StoreIdOption("memory", options).status().message(),
            "memory: store_id= must be 1 to 128 bytes of [A-Za-z0-9._-]");
}

}  // namespace
}  // namespace sluice::sdk
