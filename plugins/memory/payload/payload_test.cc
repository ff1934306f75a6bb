#include <gtest/gtest.h>

#include <iostream>
#include <map>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/base/testing/feed.h"
#include "sluice/plugins/memory/payload/payload_parser.h"
#include "sluice/plugins/memory/payload/payload_writer.h"
#include "sluice/plugins/memory/store/memory_entry.h"
#include "sluice/plugins/sdk/testing/fake_sink.h"

namespace sluice {
namespace memory_internal {
namespace {

struct Value {
  std::string bytes;
  std::vector<std::string> ids;
  bool operator==(const Value& other) const {
    return bytes == other.bytes && ids == other.ids;
  }
};
using Entries = std::map<std::string, Value>;

class Collector : public PayloadVisitor {
 public:
  absl::Status BeginEntry(absl::string_view key) override {
    current = &entries[std::string(key)];
    return absl::OkStatus();
  }
  absl::Status AddPayloadId(absl::string_view id) override {
    current->ids.emplace_back(id);
    return absl::OkStatus();
  }
  absl::Status AppendValue(absl::string_view bytes) override {
    current->bytes.append(bytes.data(), bytes.size());
    return absl::OkStatus();
  }
  absl::Status EndEntry() override {
    ++ended;
    return absl::OkStatus();
  }

  Entries entries;
  Value* current = nullptr;
  int ended = 0;
};

// In pieces of `piece` bytes.
absl::Status Parse(absl::string_view payload, size_t piece,
                   Collector& collector) {
  PayloadParser parser(collector);
  return FeedInPieces(parser, payload, piece);
}

std::string CodeOfParsing(const std::string& payload) {
  Collector collector;
  return ErrorCodeOf(Parse(payload, 7, collector));
}

absl::Status Write(const Entries& entries, sdk::FakeSink& sink, bool in_place) {
  PayloadWriter writer(sink);
  for (const auto& [key, value] : entries) {
    SLUICE_RETURN_IF_ERROR(writer.BeginEntry(key));
    SLUICE_RETURN_IF_ERROR(writer.AddPayloadIds(value.ids));
    if (!in_place) SLUICE_RETURN_IF_ERROR(writer.AppendValue(value.bytes));
    for (absl::string_view rest = value.bytes; in_place && !rest.empty();) {
      SLUICE_ASSIGN_OR_RETURN(absl::Span<char> room, writer.ReserveValue());
      const size_t count = std::min(room.size(), rest.size());
      std::copy_n(rest.data(), count, room.data());
      SLUICE_RETURN_IF_ERROR(writer.CommitValue(count));
      rest.remove_prefix(count);
    }
    SLUICE_RETURN_IF_ERROR(writer.EndEntry());
  }
  return writer.Finish();
}

// The page's example, byte by byte.
const std::string& Example() {
  static const std::string* const kExample =
      new std::string(absl::HexStringToBytes("534c4d454d4f5259"
                                             "0100000000000000"
                                             "4b010061"
                                             "4902006231"
                                             "56020000007879"
                                             "2e"
                                             "4b0100632e"
                                             "45"
                                             "0200000000000000"
                                             "0200000000000000"
                                             "0100000000000000"));
  return *kExample;
}

TEST(PayloadTest, TheExampleOfTheDocumentIsWhatIsWritten) {
  sdk::FakeSink sink;
  ASSERT_TRUE(
      Write({{"a", {"xy", {"b1"}}}, {"c", {"", {}}}}, sink, false).ok());
  EXPECT_EQ(absl::BytesToHexString(sink.payload),
            absl::BytesToHexString(Example()));
  EXPECT_EQ(sink.counts, (sdk::Counts{{"keys", 2}, {"bytes", 2}}));
  EXPECT_EQ(sink.ends, 1);
  EXPECT_EQ(sink.payload_ids, (std::set<std::string>{"b1"}));
}

TEST(PayloadTest, TheExampleOfTheDocumentIsRead) {
  Collector collector;
  ASSERT_TRUE(Parse(Example(), 1, collector).ok());
  EXPECT_EQ(collector.entries,
            (Entries{{"a", {"xy", {"b1"}}}, {"c", {"", {}}}}));
  EXPECT_EQ(collector.ended, 2);
}

TEST(PayloadTest, WhatIsWrittenIsReadHoweverItIsCut) {
  const uint64_t seed = std::random_device{}();
  std::cout << "seed " << seed << "\n";
  std::mt19937_64 random(seed);
  const auto bytes = [&](size_t limit) {
    std::string result(random() % limit, '\0');
    for (char& c : result) c = static_cast<char>(random());
    return result;
  };
  for (int round = 0; round < 60; ++round) {
    Entries entries;
    for (size_t i = random() % 20; i > 0; --i) {
      Value value{bytes(random() % 10 == 0 ? 50000 : 200), {}};
      if (random() % 3 == 0) value.ids = {"a", "b\xff"};
      entries[bytes(random() % 10 == 0 ? 65536 : 20)] = value;
    }
    // Chunks down to one byte: records are then torn at every place.
    sdk::FakeSink sink(round % 3 == 0 ? 1 + random() % 8 : 1 + random() % 9000);
    ASSERT_TRUE(Write(entries, sink, round % 2 == 0).ok());
    for (const size_t piece :
         {size_t{1}, 1 + random() % 5000, size_t{1} << 30}) {
      Collector collector;
      const absl::Status parsed = Parse(sink.payload, piece, collector);
      ASSERT_TRUE(parsed.ok()) << parsed << " in pieces of " << piece;
      ASSERT_TRUE(collector.entries == entries);
    }
  }
}

TEST(PayloadTest, AnEmptyStoreHasAnEndToo) {
  sdk::FakeSink sink;
  ASSERT_TRUE(Write({}, sink, false).ok());
  EXPECT_EQ(sink.payload.size(), kPayloadHeaderBytes + 1 + kEndCountsBytes);
  Collector collector;
  EXPECT_TRUE(Parse(sink.payload, 1, collector).ok());
  EXPECT_EQ(CodeOfParsing(""), kArchiveDamaged);
}

TEST(PayloadTest, EveryCutIsSeen) {
  for (size_t length = 0; length < Example().size(); ++length) {
    EXPECT_EQ(CodeOfParsing(Example().substr(0, length)), kArchiveDamaged)
        << length;
  }
}

TEST(PayloadTest, WhatFollowsTheEndIsSeen) {
  EXPECT_EQ(CodeOfParsing(Example() + "E"), kArchiveDamaged);
  EXPECT_EQ(CodeOfParsing(Example() + Example()), kArchiveDamaged);
}

TEST(PayloadTest, ANewerVersionAndAnUnknownFlagAreUnsupported) {
  std::string newer = Example();
  newer[8] = 2;
  EXPECT_EQ(CodeOfParsing(newer), kArchiveUnsupported);
  std::string flagged = Example();
  flagged[13] = 1;
  EXPECT_EQ(CodeOfParsing(flagged), kArchiveUnsupported);
}

// What may stand between a header and an end, in the page's letters.
TEST(PayloadTest, WhatBreaksARuleOfThePageIsDamaged) {
  const std::string header = Example().substr(0, 16);
  const std::string key("K\1\0a", 4);
  const std::string key_b("K\1\0b", 4);
  const std::string id("I\1\0i", 4);
  const std::string piece("V\1\0\0\0x", 6);
  const auto end = [](char keys, char bytes, char ids) {
    std::string record = "E" + std::string(24, '\0');
    record[1] = keys;
    record[9] = bytes;
    record[17] = ids;
    return record;
  };
  ASSERT_EQ(CodeOfParsing(header + key + id + piece + "." + end(1, 1, 1)), "");
  const std::vector<std::pair<std::string, std::string>> broken = {
      {"keys that fall", key_b + "." + key + "." + end(2, 0, 0)},
      {"a key twice", key + "." + key + "." + end(2, 0, 0)},
      {"an empty key twice", std::string("K\0\0.K\0\0.", 8) + end(2, 0, 0)},
      {"an entry in an entry", key + key_b + ".." + end(2, 0, 0)},
      {"a piece without a key", piece + end(0, 1, 0)},
      {"an end of nothing", "." + end(0, 0, 0)},
      {"an end within an entry", key + end(1, 0, 0)},
      {"an id behind the value", key + piece + id + "." + end(1, 1, 1)},
      {"an id twice", key + id + id + "." + end(1, 0, 2)},
      {"an empty id", key + std::string("I\0\0.", 4) + end(1, 0, 1)},
      {"an id that is too long", key + std::string("I\1\4", 3) +
                                     std::string(1025, 'i') + "." +
                                     end(1, 0, 1)},
      {"a control byte in an id",
       key + std::string("I\1\0\n.", 5) + end(1, 0, 1)},
      {"an empty piece", key + std::string("V\0\0\0\0.", 6) + end(1, 0, 0)},
      {"a huge piece", key + std::string("V\1\0\0\1", 5) + "x"},
      {"an unknown record", "?" + end(0, 0, 0)},
      {"an unknown record in an entry", key + "?." + end(1, 0, 0)},
      {"too many keys told", key + "." + end(2, 0, 0)},
      {"too many bytes told", key + "." + end(1, 1, 0)},
      {"too many ids told", key + "." + end(1, 0, 1)},
      {"another magic", "x"},
  };
  for (const auto& [what, records] : broken) {
    EXPECT_EQ(CodeOfParsing(header + records), kArchiveDamaged) << what;
  }
  EXPECT_EQ(CodeOfParsing("SLMEMORX" + Example().substr(8)), kArchiveDamaged);
}

TEST(PayloadTest, TheVisitorsErrorIsTheParsers) {
  class Refusing : public Collector {
    absl::Status EndEntry() override { return absl::AbortedError("no more"); }
  };
  Refusing visitor;
  EXPECT_EQ(Parse(Example(), 3, visitor).code(), absl::StatusCode::kAborted);
}

TEST(PayloadTest, TheWriterRefusesWhatAReaderWould) {
  sdk::FakeSink sink;
  PayloadWriter writer(sink);
  EXPECT_FALSE(
      writer.BeginEntry(std::string(kMaxMemoryKeyBytes + 1, 'k')).ok());
  ASSERT_TRUE(writer.BeginEntry("b").ok());
  EXPECT_FALSE(writer.AddPayloadIds({std::string()}).ok());
  ASSERT_TRUE(writer.EndEntry().ok());
  EXPECT_FALSE(writer.BeginEntry("b").ok());
  EXPECT_FALSE(writer.BeginEntry("a").ok());
}

TEST(PayloadTest, ASinkThatFailsAtAnyCallEndsTheWriter) {
  const Entries entries = {{"a", {std::string(300, 'x'), {"i"}}},
                           {"b", {std::string(300, 'y'), {}}}};
  sdk::FakeSink whole(100);
  ASSERT_TRUE(Write(entries, whole, true).ok());
  ASSERT_GT(whole.calls, 10);
  for (int i = 0; i < whole.calls; ++i) {
    sdk::FakeSink sink(100);
    sink.fail_after = i;
    EXPECT_EQ(Write(entries, sink, true).code(), absl::StatusCode::kCancelled);
    EXPECT_EQ(sink.calls, i + 1) << "the sink was called after its error";
    EXPECT_EQ(sink.ends, 0);
  }
}

}  // namespace
}  // namespace memory_internal
}  // namespace sluice
