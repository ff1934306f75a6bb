#include "sluice/service/http/message/target.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"

namespace sluice::http {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;

std::string Refusal(absl::string_view target) {
  const auto parsed = ParseRequestTarget(target);
  return parsed.ok() ? "" : std::string(parsed.status().message());
}

TEST(TargetTest, ReadsPathAndQuery) {
  const auto target = ParseRequestTarget("/plans/a%20b?limit=5&zone=UTC");
  ASSERT_TRUE(target.ok()) << target.status();
  EXPECT_THAT(target->path, ElementsAre("plans", "a b"));
  EXPECT_THAT(target->query.parameters(),
              ElementsAre(Pair("limit", "5"), Pair("zone", "UTC")));
  EXPECT_THAT(ParseRequestTarget("/")->path, IsEmpty());
  EXPECT_TRUE(ParseRequestTarget("*")->is_asterisk);
}

TEST(TargetTest, AnEscapedSlashIsDataAndNeverASeparator) {
  EXPECT_THAT(ParseRequestTarget("/plans/a%2Fb")->path,
              ElementsAre("plans", "a/b"));
  EXPECT_THAT(ParseRequestTarget("/plans/a%252Fb")->path,
              ElementsAre("plans", "a%2Fb"));
}

TEST(TargetTest, DotSegmentsAreRefusedHoweverTheyAreWritten) {
  for (const char* target :
       {"/a/../b", "/a/./b", "/a/%2e%2e/b", "/%2E", "/a/.%2e"}) {
    EXPECT_THAT(Refusal(target), HasSubstr("..")) << target;
  }
  EXPECT_EQ(Refusal("/a/...b"), "");
}

TEST(TargetTest, WhatIsNoUtf8OrHoldsControlCharactersIsRefused) {
  EXPECT_THAT(Refusal("/a%00b"), HasSubstr("control"));
  EXPECT_THAT(Refusal("/a%0d%0ab"), HasSubstr("control"));
  EXPECT_THAT(Refusal("/%c3%28"), HasSubstr("UTF-8"));
  EXPECT_THAT(Refusal("/%ed%a0%80"), HasSubstr("UTF-8"));
  EXPECT_EQ(Refusal("/%c3%a9"), "");
}

TEST(TargetTest, BadEscapesAreRefusedByTheParametersName) {
  for (const char* query : {"limit=%", "limit=%5", "limit=%zz", "limit=%%35"}) {
    const auto parsed = ParseQuery(query);
    ASSERT_FALSE(parsed.ok()) << query;
    EXPECT_THAT(std::string(parsed.status().message()), HasSubstr("\"limit\""));
    EXPECT_THAT(HintOf(parsed.status()), HasSubstr("%25"));
  }
  EXPECT_THAT(Refusal("/a b"), HasSubstr("escaped"));
  EXPECT_THAT(Refusal("/a\\b"), HasSubstr("escaped"));
  EXPECT_THAT(Refusal("/a#b"), HasSubstr("escaped"));
}

TEST(TargetTest, AParameterGivenTwiceIsRefusedAlsoWhereItIsEscaped) {
  for (const char* query : {"a=1&a=2", "a=1&%61=1", "a&b&a"}) {
    const auto parsed = ParseQuery(query);
    ASSERT_FALSE(parsed.ok()) << query;
    EXPECT_THAT(std::string(parsed.status().message()),
                HasSubstr("\"a\" is given twice"));
  }
}

TEST(TargetTest, APlusInAQueryIsASpaceAndInAPathAPlus) {
  EXPECT_EQ(*ParseQuery("q=a+b%2Bc")->Find("q"), "a b+c");
  EXPECT_THAT(ParseRequestTarget("/a+b")->path, ElementsAre("a+b"));
}

TEST(TargetTest, UnknownParametersAreRefusedByName) {
  const auto query = ParseQuery("limit=5&limti=6");
  ASSERT_TRUE(query.ok());
  const absl::Status status = query->RefuseOthers({"limit", "cursor"});
  EXPECT_THAT(std::string(status.message()), HasSubstr("\"limti\""));
  EXPECT_TRUE(ParseQuery("limit=5")->RefuseOthers({"limit"}).ok());
  EXPECT_FALSE(ParseQuery("=5").ok());
  EXPECT_FALSE(ParseQuery("a=5&").ok());
}

TEST(TargetTest, TheAbsoluteFormSaysItsHost) {
  const auto target = ParseRequestTarget("http://localhost:80/a?b=c");
  ASSERT_TRUE(target.ok()) << target.status();
  EXPECT_EQ(*target->authority, "localhost:80");
  EXPECT_THAT(target->path, ElementsAre("a"));
  EXPECT_EQ(*target->query.Find("b"), "c");
  EXPECT_THAT(ParseRequestTarget("https://h")->path, IsEmpty());
}

TEST(TargetTest, HasLimits) {
  std::string path;
  std::string query = "a";
  for (size_t i = 0; i <= kMaxPathSegments; ++i) path += "/a";
  for (size_t i = 0; i < kMaxQueryParameters; ++i) {
    absl::StrAppend(&query, "&p", i);
  }
  EXPECT_THAT(Refusal(path), HasSubstr("too many segments"));
  EXPECT_THAT(Refusal("/?" + query), HasSubstr("too many parameters"));
  EXPECT_EQ(Refusal(path.substr(2)), "");
}

}  // namespace
}  // namespace sluice::http
