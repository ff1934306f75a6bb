#include "sluice/plugins/postgres/payload/payload_reader.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "sluice/base/error.h"
#include "sluice/base/testing/feed.h"
#include "sluice/plugins/postgres/payload/payload_format.h"
#include "sluice/plugins/postgres/payload/payload_index.h"
#include "sluice/plugins/postgres/payload/row_digest.h"
#include "sluice/plugins/postgres/payload/tar_writer.h"
#include "sluice/plugins/sdk/testing/fake_sink.h"

namespace sluice::postgres {
namespace {

using std::string_literals::operator""s;
using Members = std::vector<std::pair<std::string, std::string>>;

class Collector : public PayloadVisitor {
 public:
  absl::Status OnHead(const PayloadHead& head) override {
    return Told("head ", head.tables.size());
  }
  absl::Status AppendSchemaDump(absl::string_view bytes) override {
    dump += std::string(bytes);
    return absl::OkStatus();
  }
  absl::Status EndSchemaDump() override { return Told("dump ", dump); }
  absl::Status AwaitRoom(uint64_t size) override {
    room += size;
    return absl::OkStatus();
  }
  absl::Status OnRows(size_t table, std::string rows) override {
    return Told("rows ", table, " ", rows.size());
  }
  absl::Status OnBlobs(const std::vector<PayloadBlob>& blobs) override {
    return Told("blobs ", blobs.size());
  }
  absl::Status OnBlobPart(uint32_t oid, uint64_t part,
                          std::string bytes) override {
    return Told("blob ", oid, " ", part, " ", bytes);
  }
  absl::Status OnIndex(PayloadIndex index) override {
    return Told("index ", index.tables.size());
  }

  std::vector<std::string> told;
  std::string dump;
  uint64_t room = 0;

 private:
  template <typename... T>
  absl::Status Told(const T&... what) {
    told.push_back(absl::StrCat(what...));
    return absl::OkStatus();
  }
};

PayloadHead Head() {
  PayloadHead head;
  head.server_version = 150000;
  head.pg_dump_version = "15.0";
  head.database.name = "d";
  head.database.owner = "o";
  head.database.encoding = "UTF8";
  head.database.locale_provider = "libc";
  head.database.tablespace = "pg_default";
  head.tables = {{1, "s", "text", {"a"}, CopyFormat::kText, "", "", 0},
                 {5, "s", "binary", {"a"}, CopyFormat::kBinary, "", "", 0}};
  return head;
}

PayloadIndex Index() {
  const std::string digest(32, '0');
  PayloadIndex index;
  index.tables = {{1, 1, 2, 1, digest}, {5, 1, 2, 3, digest}};
  index.blobs = {2, 2, 2, digest};
  return index;
}

Members Example() {
  return {{"sluice-postgres.json", *WriteHead(Head())},
          {"schema.dump", "PGDMP"},
          {"schema.sql", "--"},
          {"data/5/000000.copy", std::string(kCopyHeader)},
          {"data/1/000000.copy", "1\n"},
          {"data/5/000001.copy", "\0\0"s},
          {"data/5/000002.copy", std::string(kCopyTrailer)},
          {"blobs/000000.json",
           *WriteBlobBatch({{7, "o", {}, ""}, {8, "o", {}, ""}})},
          {"blobs/7/000000", "x"},
          {"blobs/7/000001", "y"},
          {"index.json", *WriteIndex(Index())}};
}

std::string Pack(const Members& members) {
  sdk::FakeSink sink;
  TarWriter tar(sink);
  for (const auto& [name, bytes] : members) {
    EXPECT_TRUE(tar.Add(name, bytes).ok());
  }
  EXPECT_TRUE(tar.Finish().ok());
  return sink.payload;
}

absl::Status Read(absl::string_view payload, size_t piece,
                  Collector& collector) {
  PayloadReader reader(collector);
  return FeedInPieces(reader, payload, piece);
}

std::string CodeOfReading(const Members& members) {
  Collector collector;
  return ErrorCodeOf(Read(Pack(members), 1000, collector));
}

Members Without(const std::string& name) {
  Members members = Example();
  std::erase_if(members,
                [&](const auto& member) { return member.first == name; });
  EXPECT_LT(members.size(), Example().size());
  return members;
}

Members With(const std::string& name, const std::string& bytes) {
  Members members = Example();
  for (auto& member : members) {
    if (member.first == name) member.second = bytes;
  }
  return members;
}

TEST(PayloadReaderTest, TellsWhatIsInAPayloadInItsOrder) {
  for (const size_t piece : {size_t{1}, size_t{777}, size_t{1} << 20}) {
    Collector collector;
    const absl::Status status = Read(Pack(Example()), piece, collector);
    ASSERT_TRUE(status.ok()) << status;
    EXPECT_EQ(collector.told,
              (std::vector<std::string>{"head 2", "dump PGDMP", "rows 0 2",
                                        "rows 1 2", "blobs 2", "blob 7 0 x",
                                        "blob 7 1 y", "index 2"}));
    EXPECT_EQ(collector.room, 19u + 2 + 2 + 2 + 1 + 1);
  }
}

TEST(PayloadReaderTest, AMemberThatIsMissingIsSeen) {
  for (const auto& [name, bytes] : Example()) {
    EXPECT_EQ(CodeOfReading(Without(name)), kArchiveDamaged) << name;
  }
}

TEST(PayloadReaderTest, AMemberThatComesTwiceIsSeen) {
  for (size_t i = 0; i < Example().size(); ++i) {
    Members members = Example();
    members.insert(members.begin() + static_cast<long>(i), members[i]);
    EXPECT_EQ(CodeOfReading(members), kArchiveDamaged) << members[i].first;
  }
}

TEST(PayloadReaderTest, TwoMembersThatSwappedPlacesAreSeen) {
  // Tables may interleave as they like: those two may swap.
  const auto may_swap = [](const std::string& a, const std::string& b) {
    return a.rfind("data/", 0) == 0 && b.rfind("data/", 0) == 0 &&
           a.substr(0, 6) != b.substr(0, 6);
  };
  for (size_t i = 0; i + 1 < Example().size(); ++i) {
    Members members = Example();
    std::swap(members[i], members[i + 1]);
    const bool data_and_blobs = members[i].first == "blobs/000000.json";
    const bool fine =
        data_and_blobs || may_swap(members[i].first, members[i + 1].first);
    EXPECT_EQ(CodeOfReading(members), fine ? "" : kArchiveDamaged)
        << members[i].first;
  }
}

TEST(PayloadReaderTest, EveryCutIsSeen) {
  const std::string payload = Pack(Example());
  for (size_t length = 0; length < payload.size(); length += 61) {
    Collector collector;
    EXPECT_EQ(ErrorCodeOf(Read(payload.substr(0, length), 4096, collector)),
              kArchiveDamaged)
        << length;
  }
}

TEST(PayloadReaderTest, RefusesMembersThatThePageDoesNotAllow) {
  const auto with_more = [](const std::string& name, const std::string& bytes) {
    Members members = Example();
    members.insert(members.end() - 1, {name, bytes});
    return members;
  };
  EXPECT_EQ(CodeOfReading(with_more("../etc/passwd", "x")), kArchiveDamaged);
  EXPECT_EQ(CodeOfReading(with_more("/etc/passwd", "x")), kArchiveDamaged);
  EXPECT_EQ(CodeOfReading(with_more("data/6/000000.copy", "1\n")),
            kArchiveDamaged);
  EXPECT_EQ(CodeOfReading(with_more("data/1/000002.copy", "1\n")),
            kArchiveDamaged);
  EXPECT_EQ(CodeOfReading(with_more("data/5/000003.copy", "\0\0"s)),
            kArchiveDamaged);
  EXPECT_EQ(CodeOfReading(with_more("blobs/9/000000", "x")), kArchiveDamaged);
  EXPECT_EQ(CodeOfReading(with_more("blobs/000002.json",
                                    *WriteBlobBatch({{9, "o", {}, ""}}))),
            kArchiveDamaged);
  EXPECT_EQ(CodeOfReading(With("data/1/000000.copy", "")), kArchiveDamaged);
  EXPECT_EQ(CodeOfReading(With("data/5/000000.copy", "\0\0"s)),
            kArchiveDamaged);
  EXPECT_EQ(CodeOfReading(With("data/5/000001.copy", std::string(kCopyHeader))),
            kArchiveDamaged);
  EXPECT_EQ(CodeOfReading(
                With("blobs/000000.json",
                     *WriteBlobBatch({{7, "o", {}, ""}, {7, "o", {}, ""}}))),
            kArchiveDamaged);
}

TEST(PayloadReaderTest, TheIndexMustAgreeWithTheHeadAndTheParts) {
  const auto code_with = [](const PayloadIndex& index) {
    return CodeOfReading(With("index.json", *WriteIndex(index)));
  };
  ASSERT_EQ(code_with(Index()), "");
  PayloadIndex index = Index();
  index.tables.pop_back();
  EXPECT_EQ(code_with(index), kArchiveDamaged);
  index = Index();
  index.tables[1].id = 6;
  EXPECT_EQ(code_with(index), kArchiveDamaged);
  index = Index();
  ++index.tables[0].parts;
  EXPECT_EQ(code_with(index), kArchiveDamaged);
  index = Index();
  ++index.blobs.count;
  EXPECT_EQ(code_with(index), kArchiveDamaged);
  index = Index();
  ++index.blobs.parts;
  EXPECT_EQ(code_with(index), kArchiveDamaged);
}

TEST(PayloadReaderTest, ANewerFormatIsUnsupported) {
  Collector collector;
  EXPECT_EQ(ErrorCodeOf(Read(Pack({{"sluice-postgres.json", "{\"format\":2}"}}),
                             512, collector)),
            kArchiveUnsupported);
}

TEST(PayloadReaderTest, AHeadersWordTakesNoMemory) {
  sdk::FakeSink sink;
  TarWriter tar(sink);
  for (const auto& [name, bytes] : Example()) {
    if (name == "index.json") break;
    ASSERT_TRUE(tar.Add(name, bytes).ok());
  }
  ASSERT_TRUE(tar.Begin("data/1/000001.copy", kMaxPartBytes).ok());
  Collector collector;
  PayloadReader reader(collector);
  ASSERT_TRUE(reader.Feed(sink.payload).ok());
  EXPECT_GE(collector.room, kMaxPartBytes);
  sdk::FakeSink larger;
  TarWriter beyond(larger);
  ASSERT_TRUE(beyond.Begin("sluice-postgres.json", kMaxDocumentBytes + 1).ok());
  Collector other;
  EXPECT_EQ(ErrorCodeOf(PayloadReader(other).Feed(larger.payload)),
            kArchiveDamaged);
}

}  // namespace
}  // namespace sluice::postgres
