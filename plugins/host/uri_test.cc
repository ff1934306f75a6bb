#include "sluice/plugins/host/uri.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"

namespace sluice {
namespace {

using Options = std::vector<std::pair<std::string, std::string>>;

Uri Parsed(absl::string_view text) {
  absl::StatusOr<Uri> uri = ParseUri(text);
  EXPECT_TRUE(uri.ok()) << text << ": " << uri.status();
  return uri.ok() ? *uri : Uri();
}

TEST(UriTest, TakesAKindAPathAndOptionsApart) {
  const Uri uri = Parsed("local:/mnt/backups?fast=yes&dir=/a/b");
  EXPECT_EQ(uri.kind, "local");
  EXPECT_EQ(
      uri.options,
      (Options{{"path", "/mnt/backups"}, {"fast", "yes"}, {"dir", "/a/b"}}));
}

TEST(UriTest, AKindAloneHasNoPath) {
  EXPECT_TRUE(Parsed("memory:").options.empty());
  EXPECT_EQ(Parsed("memory:?keys=3").options, (Options{{"keys", "3"}}));
  EXPECT_EQ(Parsed("memory:?").options, Options{});
}

TEST(UriTest, AnAuthorityStandsBetweenSlashes) {
  EXPECT_EQ(
      Parsed("s3://bucket/a/b?region=eu").options,
      (Options{{"authority", "bucket"}, {"path", "/a/b"}, {"region", "eu"}}));
  EXPECT_EQ(Parsed("s3://bucket").options, (Options{{"authority", "bucket"}}));
  EXPECT_EQ(Parsed("pg://me@db:5432/x").options,
            (Options{{"authority", "me@db:5432"}, {"path", "/x"}}));
}

TEST(UriTest, PercentSignsDecodeToBytes) {
  EXPECT_EQ(Parsed("local:/a%3Fb%25%2f%FF").options,
            (Options{{"path", "/a?b%/\xFF"}}));
  EXPECT_EQ(Parsed("memory:?k%3d=%26%3D").options, (Options{{"k=", "&="}}));
  EXPECT_EQ(Parsed("local:/a%00b").options[0].second, std::string("/a\0b", 4));
}

TEST(UriTest, PlusHashAndBytesAreThemselves) {
  EXPECT_EQ(Parsed("local:/a+b#c \xC3\xA9").options,
            (Options{{"path", "/a+b#c \xC3\xA9"}}));
}

TEST(UriTest, AValueMayHoldAnEqualsSign) {
  EXPECT_EQ(Parsed("a:?k=v=w&e=").options, (Options{{"k", "v=w"}, {"e", ""}}));
}

TEST(UriTest, WhatIsNoUriIsRefusedWithAHint) {
  for (const char* text :
       {"", "/mnt/backups", "Local:/x", "1a:/x", ":x", "a b:/x", "local",
        "local:/a%", "local:/a%4", "local:/a%4g", "local:/a%zz", "memory:?load",
        "memory:?=x", "memory:?a=1&a=2", "local:/x?path=/y",
        "s3://b/x?authority=c"}) {
    const absl::StatusOr<Uri> uri = ParseUri(text);
    ASSERT_FALSE(uri.ok()) << text;
    EXPECT_EQ(uri.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_NE(HintOf(uri.status()), "") << text;
  }
  EXPECT_FALSE(ParseUri(std::string(33, 'a') + ":/x").ok());
  EXPECT_TRUE(ParseUri(std::string(32, 'a') + ":/x").ok());
  EXPECT_FALSE(ParseUri("a:" + std::string(kMaxUriBytes, 'x')).ok());
}

TEST(UriTest, APasswordIsRefusedAndNotShown) {
  for (const char* text :
       {"pg://me:hunter2@db/x", "pg://me%3Ahunter2@db/x",
        "pg://me:hunter2%40db", "pg:?authority=me:hunter2@db"}) {
    const absl::StatusOr<Uri> uri = ParseUri(text);
    ASSERT_FALSE(uri.ok()) << text;
    EXPECT_EQ(uri.status().ToString().find("hunter2"), std::string::npos);
    EXPECT_NE(HintOf(uri.status()).find("env:"), std::string::npos);
  }
}

TEST(UriTest, WhatIsFormattedParsesToTheSameAgain) {
  for (const char* text :
       {"local:/mnt/backups?fast=yes", "memory:", "memory:?load=%2Fa%26b",
        "s3://bucket/a%3Fb?x=%25", "s3://", "s3:///x", "a:?path=%2F%2Fx",
        "a:?path=", "a:%2F%2Fb", "s3://b?path=x&k=v", "a:?path=b%26c%3Dd"}) {
    const Uri uri = Parsed(text);
    const std::string formatted = FormatUri(uri);
    Uri again = Parsed(formatted);
    Options expected = uri.options;
    std::sort(expected.begin(), expected.end());
    std::sort(again.options.begin(), again.options.end());
    EXPECT_EQ(again.options, expected) << text << " as " << formatted;
  }
}

}  // namespace
}  // namespace sluice
