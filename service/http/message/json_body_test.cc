#include "sluice/service/http/message/json_body.h"

#include <limits>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"

namespace sluice::http {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string ParseRefusal(absl::string_view text) {
  const auto value = ParseJsonObject(text);
  return value.ok() ? "" : std::string(value.status().message());
}

// What a reader of "plan", "keep", "labels" and "on" says of a body.
std::string FieldRefusal(absl::string_view text) {
  const auto value = ParseJsonObject(text);
  if (!value.ok()) return std::string(value.status().message());
  JsonObjectReader fields(*value);
  std::string plan;
  absl::optional<int64_t> keep;
  absl::optional<bool> on;
  absl::optional<std::vector<std::string>> labels;
  fields.Required("plan", plan);
  fields.Optional("keep", keep);
  fields.Optional("on", on);
  fields.Optional("labels", labels);
  return std::string(fields.Finish().message());
}

TEST(JsonBodyTest, ReadsFieldsByNameAndType) {
  const auto body = ParseJsonObject(
      R"({"plan": "a", "keep": -7, "on": true, "labels": ["x", "\u00e9"]})");
  ASSERT_TRUE(body.ok()) << body.status();
  JsonObjectReader fields(*body);
  std::string plan;
  int64_t keep = 0;
  bool on = false;
  std::vector<std::string> labels;
  absl::optional<std::string> absent = "was set";
  fields.Required("plan", plan);
  fields.Required("keep", keep);
  fields.Required("on", on);
  fields.Required("labels", labels);
  fields.Optional("absent", absent);
  ASSERT_TRUE(fields.Finish().ok());
  EXPECT_EQ(plan, "a");
  EXPECT_EQ(keep, -7);
  EXPECT_TRUE(on);
  EXPECT_THAT(labels, ElementsAre("x", "é"));
  EXPECT_FALSE(absent.has_value());
}

TEST(JsonBodyTest, NamesTheFieldThatIsUnknownMissingOrOfAnotherType) {
  EXPECT_THAT(FieldRefusal(R"({"plan": "a", "kep": 1})"),
              HasSubstr("\"kep\" is not known"));
  EXPECT_THAT(FieldRefusal("{}"), HasSubstr("\"plan\" is missing"));
  EXPECT_THAT(FieldRefusal(R"({"plan": 1})"), HasSubstr("\"plan\" is not a"));
  EXPECT_THAT(FieldRefusal(R"({"plan": "a\u0000b"})"), HasSubstr("NUL"));
  EXPECT_THAT(FieldRefusal(R"({"plan": "a", "keep": null})"),
              HasSubstr("\"keep\""));
  EXPECT_THAT(FieldRefusal(R"({"plan": "a", "keep": 1.0})"),
              HasSubstr("\"keep\""));
  EXPECT_THAT(FieldRefusal(R"({"plan": "a", "keep": 9223372036854775808})"),
              HasSubstr("\"keep\""));
  EXPECT_THAT(FieldRefusal(R"({"plan": "a", "labels": ["x", 1]})"),
              HasSubstr("\"labels\" is not a list"));
  EXPECT_EQ(FieldRefusal(R"({"plan": "a", "keep": 9223372036854775807})"), "");
}

TEST(JsonBodyTest, AFieldGivenTwiceIsRefusedAtAnyDepth) {
  EXPECT_THAT(ParseRefusal(R"({"a": 1, "a": 1})"), HasSubstr("\"a\" twice"));
  EXPECT_THAT(ParseRefusal(R"({"x": [{"b": {}, "\u0062": 1}]})"),
              HasSubstr("\"b\" twice"));
}

TEST(JsonBodyTest, DepthIsLimited) {
  const std::string deep(kMaxJsonDepth - 1, '[');
  const std::string ends(kMaxJsonDepth - 1, ']');
  EXPECT_EQ(ParseRefusal("{\"a\":" + deep + ends + "}"), "");
  EXPECT_THAT(ParseRefusal("{\"a\":[" + deep + ends + "]}"),
              HasSubstr("deeper than 32"));
  EXPECT_THAT(ParseRefusal(std::string(1 << 20, '[')), HasSubstr("deeper"));
}

TEST(JsonBodyTest, WhatIsNoJsonInUtf8IsRefused) {
  for (const char* text :
       {"", "{", "{}{}", "{'a': 1}", "{\"a\": 1,}", "{\"a\": NaN}",
        "{\"a\": 1e999}", "{\"a\": \"\xff\"}", "{\"a\": \"\\ud800\"}",
        "\xEF\xBB\xBF{}", "{\"a\": /* no */ 1}", "[]", "\"a\""}) {
    EXPECT_NE(ParseRefusal(text), "") << text;
  }
  EXPECT_THAT(ParseRefusal("{\"a\": tru}"), HasSubstr("byte"));
}

TEST(JsonBodyTest, AReaderWithinAReaderSaysWhereItIs) {
  const auto body = ParseJsonObject(R"({"rules": {"kep": 1}, "zone": null})");
  ASSERT_TRUE(body.ok());
  JsonObjectReader fields(*body);
  const nlohmann::json* rules = fields.Take("rules");
  ASSERT_NE(rules, nullptr);
  JsonObjectReader inner(*rules, "rules");
  EXPECT_THAT(std::string(inner.Finish().message()),
              HasSubstr("\"rules.kep\""));
  EXPECT_FALSE(fields.TakeNull("rules"));
  EXPECT_TRUE(fields.TakeNull("zone"));
  EXPECT_TRUE(fields.Finish().ok());
}

}  // namespace
}  // namespace sluice::http
