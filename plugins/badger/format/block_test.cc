#include "sluice/plugins/badger/format/block.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/escaping.h"
#include "sluice/base/error.h"
#include "sluice/plugins/badger/testing/fuzz_bytes.h"

namespace sluice {
namespace badger {
namespace {

// (apple, 9, "red"), (apple, 4, deleted), (apricot, 7, user meta 3, "x").
const std::string kEntries = absl::HexStringToBytes(
    "00000d006170706c65fffffffffffffff6400000726564"
    "0c000100fb010000"
    "02000d007269636f74fffffffffffffff8000380ae99a40f78");

std::string LittleEndian32(uint32_t value) {
  std::string bytes = BigEndian32(value);
  return std::string(bytes.rbegin(), bytes.rend());
}

std::string Sealed(const std::string& entries,
                   std::initializer_list<uint32_t> offsets, uint32_t count) {
  std::string block = entries;
  for (const uint32_t offset : offsets) block += LittleEndian32(offset);
  return WithChecksum(block + BigEndian32(count));
}

std::string WordOf(const std::string& bytes) {
  Block block;
  return ErrorCodeOf(block.Parse(bytes, "block"));
}

TEST(BlockTest, ReadsEntries) {
  const std::string bytes = Sealed(kEntries, {0, 23, 31}, 3);
  Block block;
  ASSERT_TRUE(block.Parse(bytes, "block").ok());
  ASSERT_EQ(block.size(), 3u);
  std::string key;
  TableValue value;
  InternalKey parts;
  ASSERT_TRUE(block.Read(0, key, value).ok());
  ASSERT_TRUE(ParseInternalKey(key, parts));
  EXPECT_EQ(parts.user_key, "apple");
  EXPECT_EQ(parts.version, 9u);
  EXPECT_EQ(value.bytes, "red");
  EXPECT_EQ(value.meta, kMetaTransaction);
  ASSERT_TRUE(block.Read(1, key, value).ok());
  ASSERT_TRUE(ParseInternalKey(key, parts));
  EXPECT_EQ(parts.user_key, "apple");
  EXPECT_EQ(parts.version, 4u);
  EXPECT_EQ(value.meta, kMetaDelete);
  EXPECT_EQ(value.bytes, "");
  ASSERT_TRUE(block.Read(2, key, value).ok());
  ASSERT_TRUE(ParseInternalKey(key, parts));
  EXPECT_EQ(parts.version, 7u);
  EXPECT_EQ(value.user_meta, 3);
  EXPECT_EQ(value.expires_at, 4102444800u);
  EXPECT_EQ(value.bytes, "x");
}

TEST(BlockTest, RefusesAFlippedBit) {
  const std::string bytes = Sealed(kEntries, {0, 23, 31}, 3);
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string flipped = bytes;
    flipped[i] ^= 0x10;
    EXPECT_NE(WordOf(flipped), "") << i;
    EXPECT_NE(WordOf(bytes.substr(0, i)), "") << i;
  }
}

TEST(BlockTest, RefusesEntriesWithoutBounds) {
  EXPECT_EQ(WordOf(Sealed(kEntries, {}, 0)), kSourceFailed);
  EXPECT_EQ(WordOf(Sealed(kEntries, {0, 23, 31}, 0x40000003)), kSourceFailed);
  EXPECT_EQ(WordOf(Sealed(kEntries, {0, 23, 9999}, 3)), kSourceFailed);
  EXPECT_EQ(WordOf(Sealed(kEntries, {0, 31, 23}, 3)), kSourceFailed);
  EXPECT_EQ(WordOf(Sealed(kEntries, {1, 23, 31}, 3)), kSourceFailed);
  EXPECT_EQ(WordOf(Sealed("", {0}, 1)), kSourceFailed);
  std::string long_base = kEntries;
  long_base[2] = '\x7f';
  EXPECT_EQ(WordOf(Sealed(long_base, {0, 23, 31}, 3)), kSourceFailed);
}

TEST(BlockTest, RefusesAKeyThatTakesMoreThanTheBaseHas) {
  std::string entries = kEntries;
  entries[23] = '\x7f';
  const std::string bytes = Sealed(entries, {0, 23, 31}, 3);
  Block block;
  ASSERT_TRUE(block.Parse(bytes, "block").ok());
  std::string key;
  TableValue value;
  EXPECT_TRUE(block.Read(0, key, value).ok());
  EXPECT_EQ(ErrorCodeOf(block.Read(1, key, value)), kSourceFailed);
}

TEST(BlockTest, RefusesAChecksumOfAnotherKind) {
  std::string checksum;
  AppendPbVarint(1, 1, checksum);
  AppendPbVarint(2, 5, checksum);
  EXPECT_EQ(WordOf(kEntries + checksum +
                   BigEndian32(static_cast<uint32_t>(checksum.size()))),
            kSourceUnsupported);
}

}  // namespace
}  // namespace badger
}  // namespace sluice
