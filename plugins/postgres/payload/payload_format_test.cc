#include "sluice/plugins/postgres/payload/payload_format.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice {
namespace postgres {
namespace {

using Kind = PayloadMember::Kind;

TEST(PayloadFormatTest, ReadsEveryNameThatItWrites) {
  for (const uint64_t number : {uint64_t{0}, uint64_t{7}, uint64_t{999'999},
                                uint64_t{1'000'000}, uint64_t{4'294'967'295}}) {
    const auto data = ParseMemberName(DataPartName(number, number));
    ASSERT_TRUE(data.has_value()) << number;
    EXPECT_EQ(data->kind, Kind::kDataPart);
    EXPECT_EQ(data->id, number);
    EXPECT_EQ(data->part, number);
    const auto blob = ParseMemberName(
        BlobPartName(static_cast<uint32_t>(number), number / 2));
    ASSERT_TRUE(blob.has_value()) << number;
    EXPECT_EQ(blob->kind, Kind::kBlobPart);
    EXPECT_EQ(blob->id, number);
    EXPECT_EQ(blob->part, number / 2);
    const auto batch = ParseMemberName(BlobBatchName(number));
    ASSERT_TRUE(batch.has_value()) << number;
    EXPECT_EQ(batch->kind, Kind::kBlobBatch);
    EXPECT_EQ(batch->id, number);
  }
}

TEST(PayloadFormatTest, KnowsTheDocumentsByName) {
  EXPECT_EQ(ParseMemberName("sluice-postgres.json")->kind, Kind::kHead);
  EXPECT_EQ(ParseMemberName("schema.dump")->kind, Kind::kSchemaDump);
  EXPECT_EQ(ParseMemberName("schema.sql")->kind, Kind::kSchemaSql);
  EXPECT_EQ(ParseMemberName("index.json")->kind, Kind::kIndex);
  EXPECT_EQ(DataPartName(12, 3), "data/12/000003.copy");
  EXPECT_EQ(BlobPartName(16401, 3), "blobs/16401/000003");
  EXPECT_EQ(BlobBatchName(3), "blobs/000003.json");
}

TEST(PayloadFormatTest, RefusesEveryOtherName) {
  for (const std::string name : {"",
                                 "/",
                                 "index.json/",
                                 "./index.json",
                                 "../index.json",
                                 "data/1",
                                 "data/1/1.copy",
                                 "data/01/000001.copy",
                                 "data/1/000001",
                                 "data/-1/000001.copy",
                                 "data/1/+00001.copy",
                                 "data/1/ 00001.copy",
                                 "data/1/0000001.copy",
                                 "data//000001.copy",
                                 "data/1/000001.copy/",
                                 "blobs/1/1",
                                 "blobs/4294967296/000001",
                                 "blobs/1.json",
                                 "blobs/x/000001",
                                 "blobs/99999999999999999999/000001",
                                 "DATA/1/000001"}) {
    EXPECT_FALSE(ParseMemberName(name).has_value()) << name;
  }
}

}  // namespace
}  // namespace postgres
}  // namespace sluice
