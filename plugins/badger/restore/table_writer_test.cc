#include "sluice/plugins/badger/restore/table_writer.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "sluice/base/error.h"
#include "sluice/plugins/badger/format/manifest.h"
#include "sluice/plugins/badger/restore/table_index_writer.h"
#include "sluice/plugins/badger/sort/stream_entry.h"

namespace sluice {
namespace badger {
namespace {

StreamEntry Entry(absl::string_view key, absl::string_view value,
                  uint64_t version) {
  StreamEntry entry;
  entry.key = key;
  entry.value = value;
  entry.version = version;
  return entry;
}

TableWriter::Output AppendTo(std::string& table) {
  return [&table](absl::string_view bytes) {
    table.append(bytes.data(), bytes.size());
    return absl::OkStatus();
  };
}

// A table of three entries that Badger 4.8 has opened.
constexpr absl::string_view kBlock =
    "00000d006170706c65fffffffffffffff64000007265640c000100fb01000002000d00"
    "7269636f74fffffffffffffff8000380ae99a40f7800000000170000001f000000000000"
    "0310a290edb10d00000006";
constexpr absl::string_view kIndex =
    "18000000120024000400080010000c0018001c0020000000140000002000000054000000"
    "03000000090000000000000052000000d3000000000000000100000010000000"
    "0a001000040008000c0000000c0000000c00000000000000520000000d000000"
    "6170706c65fffffffffffffff60000000900000040050000a002c00f06";

std::string Written(TableOptions options) {
  std::string table;
  TableWriter writer(options, AppendTo(table));
  StreamEntry red = Entry("apple", "red", 9);
  red.meta = 0x40;
  StreamEntry gone = Entry("apple", "", 4);
  gone.meta = kMetaDelete;
  StreamEntry expiring = Entry("apricot", "x", 7);
  expiring.user_meta = 3;
  expiring.expires_at = 4102444800;
  for (const StreamEntry& entry : {red, gone, expiring}) {
    EXPECT_TRUE(writer.Add(entry).ok());
  }
  EXPECT_TRUE(writer.Finish().ok());
  EXPECT_EQ(writer.max_version(), 9u);
  EXPECT_EQ(writer.entries(), 3u);
  return table;
}

TEST(TableWriterTest, WritesTheTableOfFormat8ToTheByte) {
  TableOptions options;
  options.compression = Compression::kNone;
  const std::string table = Written(options);
  const std::string wanted =
      absl::HexStringToBytes(std::string(kBlock) + std::string(kIndex));
  EXPECT_EQ(absl::BytesToHexString(table.substr(0, wanted.size())),
            absl::BytesToHexString(wanted));
  // The length of the index, a checksum, the length of that.
  const std::string footer = table.substr(wanted.size());
  EXPECT_EQ(absl::BytesToHexString(footer.substr(0, 5)), "0000008110");
  EXPECT_EQ(static_cast<size_t>(footer.back()), footer.size() - 8);
}

TEST(TableWriterTest, WritesTheSameBlocksInFormat7) {
  TableOptions options;
  options.compression = Compression::kNone;
  options.format = DiskFormat::kBadger2;
  const std::string table = Written(options);
  const std::string block = absl::HexStringToBytes(std::string(kBlock));
  EXPECT_EQ(table.substr(0, block.size()), block);
  EXPECT_TRUE(absl::StrContains(table, "{\"FilterSet\":\"////"));
  // The only block: its key, no offset but 0, its 82 bytes.
  EXPECT_TRUE(absl::StrContains(
      table.substr(block.size()),
      absl::HexStringToBytes("0a130a0d6170706c65fffffffffffffff610001852")));
}

TEST(TableWriterTest, CompressesEachBlock) {
  std::string plain;
  std::string snappy;
  std::string zstd;
  const std::string value(20000, 'v');
  for (auto [compression, table] : {std::pair(Compression::kNone, &plain),
                                    std::pair(Compression::kSnappy, &snappy),
                                    std::pair(Compression::kZstd, &zstd)}) {
    TableOptions options;
    options.compression = compression;
    TableWriter writer(options, AppendTo(*table));
    ASSERT_TRUE(writer.Add(Entry("a", value, 1)).ok());
    ASSERT_TRUE(writer.Add(Entry("b", value, 1)).ok());
    ASSERT_TRUE(writer.Finish().ok());
    EXPECT_GT(writer.block_bytes(), 0u);
  }
  EXPECT_GT(plain.size(), 40000u);
  EXPECT_LT(snappy.size(), 4000u);
  EXPECT_LT(zstd.size(), 1000u);
}

TEST(TableWriterTest, StopsWithTheErrorOfItsOutput) {
  TableWriter writer(TableOptions(), [](absl::string_view) {
    return absl::CancelledError("stop");
  });
  ASSERT_TRUE(writer.Add(Entry("a", "small", 1)).ok());
  EXPECT_EQ(writer.Finish(), absl::CancelledError("stop"));
}

TEST(TableIndexWriterTest, HashesAsBadgerDoes) {
  EXPECT_EQ(BloomHash(""), 0xbc9f1d34u);
  EXPECT_EQ(BloomHash("a"), 0x286e9db0u);
  EXPECT_EQ(BloomHash("ab"), 0x39aca330u);
  EXPECT_EQ(BloomHash("abc"), 0x855d012fu);
  EXPECT_EQ(BloomHash("abcd"), 0xb9c83353u);
  EXPECT_EQ(BloomHash("hello world"), 0x008dfddbu);
}

TEST(TableIndexWriterTest, TheBloomFilterHasEachKeyAndFewOthers) {
  std::vector<uint32_t> hashes;
  for (int i = 0; i < 5000; ++i) {
    hashes.push_back(BloomHash("key" + std::to_string(i)));
  }
  const std::string filter = BuildBloomFilter8(hashes);
  const uint32_t bits = static_cast<uint32_t>(filter.size() - 1) * 8;
  const auto has = [&](uint32_t hash) {
    const uint32_t delta = hash >> 17 | hash << 15;
    for (int probe = 0; probe < filter.back(); ++probe, hash += delta) {
      const uint32_t bit = hash % bits;
      if ((filter[bit / 8] >> (bit % 8) & 1) == 0) return false;
    }
    return true;
  };
  int others = 0;
  for (int i = 0; i < 5000; ++i) {
    EXPECT_TRUE(has(hashes[i]));
    others += has(BloomHash("other" + std::to_string(i))) ? 1 : 0;
  }
  EXPECT_LT(others, 100) << "of 5,000";
}

}  // namespace
}  // namespace badger
}  // namespace sluice
