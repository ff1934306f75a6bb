#include "sluice/plugins/badger/stream/payload_ids.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sluice/plugins/badger/format/entry.h"
#include "sluice/plugins/badger/testing/collecting_sink.h"

namespace sluice {
namespace badger {
namespace {

std::string Decode(const std::string& json) {
  const auto ids = DecodePayloadIds(json, "blocks");
  return ids.has_value() ? absl::StrJoin(*ids, " ") : "undecoded";
}

TEST(PayloadIdsTest, TakesAStringOrAnArrayOfStrings) {
  EXPECT_EQ(Decode(R"({"blocks":"b1"})"), "b1");
  EXPECT_EQ(Decode(R"( {"a":[{"blocks":"no"}],"blocks":["b1","b2"],"z":1} )"),
            "b1 b2");
  EXPECT_EQ(Decode(R"({"blocks":[]})"), "");
  EXPECT_EQ(Decode(R"({"blocks":["\u00e9"],"x":{"blocks":[1,[2]]}})"), "é");
}

TEST(PayloadIdsTest, AllElseIsUndecoded) {
  for (const std::string& json :
       std::vector<std::string>{"",
                                "{",
                                "[]",
                                "\"b1\"",
                                "17",
                                "null",
                                "{}",
                                R"({"block":"b1"})",
                                R"({"blocks":1})",
                                R"({"blocks":null})",
                                R"({"blocks":true})",
                                R"({"blocks":{"a":"b"}})",
                                R"({"blocks":["b1",2]})",
                                R"({"blocks":["b1",["b2"]]})",
                                R"({"blocks":["b1",{}]})",
                                R"({"blocks":""})",
                                R"({"blocks":"a\nb"})",
                                R"({"blocks":"b1"} x)",
                                R"({"blocks":"b1")",
                                R"({"x":{"blocks":"b1"}})",
                                R"([{"blocks":"b1"}])",
                                R"([["blocks"]])",
                                "{\"blocks\":\"\xff\"}"}) {
    EXPECT_EQ(Decode(json), "undecoded") << json;
  }
  const std::string longest(1024, 'b');
  EXPECT_EQ(Decode(absl::StrCat(R"({"blocks":")", longest, R"("})")), longest);
  EXPECT_EQ(Decode(absl::StrCat(R"({"blocks":"x)", longest, R"("})")),
            "undecoded");
}

TEST(PayloadIdsTest, DepthCostsAnErrorAtMost) {
  const std::string deep(1'000'000, '[');
  EXPECT_EQ(Decode(absl::StrCat(R"({"blocks":["b1"],"x":)", deep)),
            "undecoded");
}

StreamEntry Entry(const std::string& key, const std::string& value,
                  uint8_t meta = 0) {
  StreamEntry entry;
  entry.key = key;
  entry.value = value;
  entry.meta = meta;
  return entry;
}

TEST(PayloadIdsTest, CountsWhatItCannotDecodeUnderItsPrefixAlone) {
  CollectingSink sink;
  PayloadIds ids("file/", "blocks");
  ASSERT_TRUE(ids.Add(Entry("file/1", R"({"blocks":["b1"]})"), sink).ok());
  ASSERT_TRUE(ids.Add(Entry("other", "no json"), sink).ok());
  ASSERT_TRUE(ids.Add(Entry("file/2", "", kMetaDelete), sink).ok());
  EXPECT_EQ(ids.undecoded(), 0u);
  ASSERT_TRUE(ids.Add(Entry("file/3", "no json"), sink).ok());
  ASSERT_TRUE(ids.Add(Entry("file/4", R"({"blocks":[7]})"), sink).ok());
  EXPECT_EQ(ids.undecoded(), 2u);
  EXPECT_EQ(ids.Warning(),
            "2 values hold no payload ids in field blocks, the first of key "
            "0x66696c652f33");
  EXPECT_EQ(sink.payload_ids, std::set<std::string>{"b1"});
}

}  // namespace
}  // namespace badger
}  // namespace sluice
