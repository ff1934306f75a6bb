#include "sluice/plugins/postgres/payload/payload_index.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "sluice/base/error.h"

namespace sluice::postgres {
namespace {

PayloadHead ExampleHead() {
  PayloadHead head;
  head.server_version = 150018;
  head.pg_dump_version = "15.18";
  head.store_id = "pg-7";
  PayloadDatabase& database = head.database;
  database.name = "shop \"1\"";
  database.owner = "alice";
  database.encoding = "UTF8";
  database.locale_provider = "libc";
  database.collate = "C.UTF-8";
  database.ctype = "C.UTF-8";
  database.tablespace = "pg_default";
  database.connection_limit = 7;
  database.settings = {{"", "work_mem", "64MB"},
                       {"bob", "search_path", "a, b"}};
  database.grants = {
      {{"alice", "", "CONNECT", false}, {"alice", "bob", "CREATE", true}}};
  database.comment = "line\nline \xc3\xa9";
  head.tables = {
      {1, "public", "orders", {"id", "a b"}, CopyFormat::kBinary, "", "", 12},
      {2, "public", "p1", {"x"}, CopyFormat::kText, "public", "p", 0},
      {9, "s", "bare", {}, CopyFormat::kText, "", "", 0}};
  head.roles = {
      {"alice", true, true, false, true, true, false, false, -1, {}},
      {"bob", false, false, false, false, false, false, false, 3, {"alice"}}};
  head.extensions = {{"hstore", "1.8"}};
  head.tablespaces = {"fast"};
  head.collations = {{"pg_catalog", "de-x-icu", "153.112"}};
  head.materialized_views = {{"public", "sums"}};
  return head;
}

PayloadIndex ExampleIndex() {
  const std::string digest = "00112233445566778899aabbccddeeff";
  return {{{1, 10, 100, 3, digest}, {2, 0, 0, 0, std::string(32, '0')}},
          {{"public", "orders_id_seq", -5, true}},
          {2, 3, 4, digest}};
}

std::string CodeOfHead(const std::string& bytes) {
  return ErrorCodeOf(ParseHead(bytes).status());
}

TEST(PayloadIndexTest, ReadsWhatItWrites) {
  const absl::StatusOr<std::string> head = WriteHead(ExampleHead());
  ASSERT_TRUE(head.ok()) << head.status();
  const absl::StatusOr<PayloadHead> read = ParseHead(*head);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_TRUE(*read == ExampleHead()) << *head;

  const absl::StatusOr<std::string> index = WriteIndex(ExampleIndex());
  ASSERT_TRUE(index.ok()) << index.status();
  EXPECT_TRUE(*ParseIndex(*index) == ExampleIndex()) << *index;

  const std::vector<PayloadBlob> blobs = {
      {16401, "alice", {}, ""},
      {16402, "bob", {{{"bob", "", "SELECT", false}}}, "a picture"}};
  const absl::StatusOr<std::string> batch = WriteBlobBatch(blobs);
  ASSERT_TRUE(batch.ok()) << batch.status();
  EXPECT_TRUE(*ParseBlobBatch(*batch) == blobs) << *batch;
}

TEST(PayloadIndexTest, WritesTheFieldsOfTheDocument) {
  PayloadHead head = ExampleHead();
  head.tables.resize(2);
  const std::string bytes = *WriteHead(head);
  EXPECT_TRUE(absl::StrContains(
      bytes,
      R"({"id":1,"schema":"public","name":"orders","columns":["id","a b"],)"
      R"("format":"binary","load":"self","estimated_bytes":12})"))
      << bytes;
  EXPECT_TRUE(absl::StrContains(
      bytes, R"("load":"root","estimated_bytes":0,"root_schema":"public",)"
             R"("root_name":"p"})"))
      << bytes;
  EXPECT_TRUE(absl::StartsWith(bytes, R"({"format":1,)")) << bytes;
  EXPECT_EQ(*WriteBlobBatch({{7, "a", {}, ""}}),
            R"({"blobs":[{"oid":7,"owner":"a","grants":null,"comment":""}]})");
}

TEST(PayloadIndexTest, AnEmptyDatabaseHasDocumentsToo) {
  PayloadHead head = ExampleHead();
  head.tables.clear();
  head.roles.clear();
  head.extensions.clear();
  head.tablespaces.clear();
  head.collations.clear();
  head.materialized_views.clear();
  head.database.settings.clear();
  head.database.grants.reset();
  EXPECT_TRUE(*ParseHead(*WriteHead(head)) == head);
  PayloadIndex index;
  index.blobs.digest = std::string(32, '0');
  EXPECT_TRUE(*ParseIndex(*WriteIndex(index)) == index);
}

TEST(PayloadIndexTest, ANewerFormatIsUnsupportedAndAnyOtherIsDamaged) {
  const std::string head = *WriteHead(ExampleHead());
  const auto with_format = [&](const std::string& format) {
    return absl::StrReplaceAll(
        head, {{"{\"format\":1,", absl::StrCat("{\"format\":", format, ",")}});
  };
  ASSERT_EQ(CodeOfHead(with_format("1")), "");
  EXPECT_EQ(CodeOfHead(with_format("2")), kArchiveUnsupported);
  // Whatever else a newer one says: it is not looked at.
  EXPECT_EQ(CodeOfHead("{\"format\":2}"), kArchiveUnsupported);
  for (const std::string format : {"0", "-1", "\"1\"", "1.0", "null", "[1]"}) {
    EXPECT_EQ(CodeOfHead(with_format(format)), kArchiveDamaged) << format;
  }
}

TEST(PayloadIndexTest, PassesOverFieldsThatItDoesNotKnow) {
  std::string head = *WriteHead(ExampleHead());
  head.insert(1, R"("new":{"list":[1,{"x":null}]},)");
  EXPECT_TRUE(*ParseHead(head) == ExampleHead());
}

TEST(PayloadIndexTest, RefusesAFieldThatIsMissingOrWrong) {
  const std::string head = *WriteHead(ExampleHead());
  const std::vector<std::pair<std::string, std::string>> changes = {
      {R"("server_version_num":150018)", R"("server_version_num":1.5)"},
      {R"("server_version_num":150018)",
       R"("server_version_num":18446744073709551615)"},
      {R"("store_id":"pg-7")", R"("store_id":null)"},
      {R"("owner":"alice")", R"("owner":"")"},
      {R"("owner":"alice")", R"("owner":"a\u0000b")"},
      {R"("owner":"alice")",
       absl::StrCat(R"("owner":")", std::string(1025, 'x'), "\"")},
      {R"("is_template":false)", R"("is_template":0)"},
      {R"("id":2)", R"("id":1)"},
      {R"("id":1)", R"("id":0)"},
      {R"("id":9)", R"("id":4294967296)"},
      {R"("columns":["x"])", R"("columns":["x",1])"},
      {R"("columns":["x"])", R"("columns":{})"},
      {R"("format":"binary")", R"("format":"csv")"},
      {R"("encoding":"UTF8")", R"("encoding":"LATIN1")"},
      {R"("load":"root")", R"("load":"leaf")"},
      {R"("root_name":"p")", R"("other":"p")"},
      {R"("tablespaces":["fast"])", R"("tablespaces":[""])"},
      {R"("member_of":["alice"])", R"("member_of":"alice")"},
      {R"("database":{)", R"("data":{)"},
      {R"("grantable":true)", R"("grantable":"yes")"},
  };
  for (const auto& [from, to] : changes) {
    ASSERT_TRUE(absl::StrContains(head, from)) << from;
    EXPECT_EQ(CodeOfHead(absl::StrReplaceAll(head, {{from, to}})),
              kArchiveDamaged)
        << to;
  }
  const std::string index = *WriteIndex(ExampleIndex());
  for (const auto& [from, to] :
       std::vector<std::pair<std::string, std::string>>{
           {R"("digest":"00112233)", R"("digest":"0011223)"},
           {R"("digest":"00112233)", R"("digest":"0011223G)"},
           {R"("rows":10)", R"("rows":-10)"},
           {R"("id":2)", R"("id":1)"},
           {R"("last_value":-5)", R"("last_value":9223372036854775808)"},
           {R"("blobs":{)", R"("blob":{)"}}) {
    ASSERT_TRUE(absl::StrContains(index, from)) << from;
    EXPECT_EQ(
        ErrorCodeOf(
            ParseIndex(absl::StrReplaceAll(index, {{from, to}})).status()),
        kArchiveDamaged)
        << to;
  }
}

TEST(PayloadIndexTest, RefusesWhatIsNoDocument) {
  for (const std::string bytes :
       {"", "{", "[]", "null", "1", "{}", "{\"format\":1}{}", "\xff"}) {
    EXPECT_EQ(CodeOfHead(bytes), kArchiveDamaged) << bytes;
    EXPECT_EQ(ErrorCodeOf(ParseIndex(bytes).status()), kArchiveDamaged);
    EXPECT_EQ(ErrorCodeOf(ParseBlobBatch(bytes).status()), kArchiveDamaged);
  }
  EXPECT_EQ(CodeOfHead(std::string(1'000'000, '[')), kArchiveDamaged);
  EXPECT_EQ(CodeOfHead(std::string(kMaxDocumentBytes + 1, ' ')),
            kArchiveDamaged);
  EXPECT_EQ(ErrorCodeOf(ParseBlobBatch(R"({"blobs":[]})").status()),
            kArchiveDamaged);
}

TEST(PayloadIndexTest, TheWriterRefusesWhatAReaderWould) {
  PayloadHead latin = ExampleHead();
  latin.tables[0].name = "caf\xe9";
  EXPECT_EQ(ErrorCodeOf(WriteHead(latin).status()), kSourceFailed);
  PayloadHead unordered = ExampleHead();
  unordered.tables[1].id = 1;
  EXPECT_EQ(ErrorCodeOf(WriteHead(unordered).status()), kSourceFailed);
  PayloadHead large = ExampleHead();
  large.database.comment = std::string(kMaxDocumentBytes, 'x');
  EXPECT_EQ(ErrorCodeOf(WriteHead(large).status()), kSourceFailed);
  EXPECT_EQ(ErrorCodeOf(WriteIndex({}).status()), kSourceFailed);
}

}  // namespace
}  // namespace sluice::postgres
