#include "sluice/plugins/postgres/payload/row_digest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"

namespace sluice {
namespace postgres {
namespace {

using std::string_literals::operator""s;

// Two fields: the bytes, and a null.
std::string Tuple(const std::string& bytes) {
  std::string tuple = "\0\2"s;
  for (int shift = 24; shift >= 0; shift -= 8) {
    tuple += static_cast<char>(bytes.size() >> shift);
  }
  return tuple + bytes + "\377\377\377\377"s;
}

std::string DigestOf(CopyFormat format, const std::string& rows) {
  RowDigest digest;
  EXPECT_TRUE(digest.AddRows(format, rows).ok());
  return digest.Hex();
}

TEST(RowDigestTest, IsTheSameInAnyOrderAndHoweverItIsCut) {
  const uint64_t seed = std::random_device{}();
  std::cout << "seed " << seed << "\n";
  std::mt19937_64 random(seed);
  for (const CopyFormat format : {CopyFormat::kText, CopyFormat::kBinary}) {
    std::vector<std::string> rows;
    RowDigest one_by_one;
    for (int i = 0; i < 200; ++i) {
      const std::string bytes(random() % 300, static_cast<char>('a' + i % 7));
      rows.push_back(format == CopyFormat::kText ? bytes + "\n" : Tuple(bytes));
      one_by_one.AddRow(rows.back());
    }
    std::shuffle(rows.begin(), rows.end(), random);
    RowDigest joined;
    RowDigest second;
    const auto middle = rows.begin() + static_cast<long>(random() % 200);
    ASSERT_TRUE(
        joined.AddRows(format, absl::StrJoin(rows.begin(), middle, "")).ok());
    ASSERT_TRUE(
        second.AddRows(format, absl::StrJoin(middle, rows.end(), "")).ok());
    joined.Merge(second);
    EXPECT_EQ(joined.Hex(), one_by_one.Hex());
    EXPECT_EQ(joined.rows(), 200u);
    EXPECT_EQ(joined.bytes(), one_by_one.bytes());
  }
}

TEST(RowDigestTest, ChangesWithEachRowLostDoubledOrChanged) {
  const std::string whole = DigestOf(CopyFormat::kText, "a\nb\nc\n");
  EXPECT_NE(DigestOf(CopyFormat::kText, "a\nb\n"), whole);
  EXPECT_NE(DigestOf(CopyFormat::kText, "a\nb\nc\nc\n"), whole);
  EXPECT_NE(DigestOf(CopyFormat::kText, "a\nb\nd\n"), whole);
  EXPECT_NE(DigestOf(CopyFormat::kText, "a\nbc\n"), whole);
  // Exclusive or would not see a row that came twice more.
  EXPECT_NE(DigestOf(CopyFormat::kText, "a\na\na\nb\nc\n"), whole);
}

TEST(RowDigestTest, IsWhatTheDocumentSays) {
  EXPECT_EQ(RowDigest().Hex(), "00000000000000000000000000000000");
  // The XXH3 of "1", a tab, "one" and a newline, by another program.
  EXPECT_EQ(DigestOf(CopyFormat::kText, "1\tone\n"),
            "b919ccf0e83b5c9456fbced2e4b49853");
}

TEST(RowDigestTest, EveryCutWithinARowIsSeen) {
  const std::string tuple = Tuple("abc");
  for (size_t length = 1; length < tuple.size(); ++length) {
    RowDigest digest;
    const absl::Status status =
        digest.AddRows(CopyFormat::kBinary, tuple + tuple.substr(0, length));
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << length;
    EXPECT_EQ(digest.rows(), 1u);
  }
  RowDigest digest;
  EXPECT_FALSE(digest.AddRows(CopyFormat::kText, "a\nb").ok());
}

TEST(RowDigestTest, ATrailerIsNoRow) {
  RowDigest digest;
  EXPECT_FALSE(
      digest.AddRows(CopyFormat::kBinary, Tuple("a") + "\377\377").ok());
  EXPECT_FALSE(digest.AddRows(CopyFormat::kBinary, kCopyHeader).ok());
}

TEST(RowDigestTest, ARowWithoutFieldsCounts) {
  RowDigest binary;
  ASSERT_TRUE(binary.AddRows(CopyFormat::kBinary, "\0\0\0\0"s).ok());
  EXPECT_EQ(binary.rows(), 2u);
  RowDigest text;
  ASSERT_TRUE(text.AddRows(CopyFormat::kText, "\n\n\n").ok());
  EXPECT_EQ(text.rows(), 3u);
}

TEST(BlobDigestTest, BindsAPartToItsPlace) {
  BlobDigest right;
  right.AddPart(1, 0, "a");
  right.AddPart(1, 1, "b");
  BlobDigest swapped;
  swapped.AddPart(1, 0, "b");
  swapped.AddPart(1, 1, "a");
  EXPECT_NE(right.Hex(), swapped.Hex());
  BlobDigest other;
  other.AddPart(2, 0, "a");
  other.AddPart(2, 1, "b");
  EXPECT_NE(right.Hex(), other.Hex());
  BlobDigest reversed;
  reversed.AddPart(1, 1, "b");
  reversed.AddPart(1, 0, "a");
  EXPECT_EQ(right.Hex(), reversed.Hex());
  EXPECT_EQ(right.bytes(), 2u);
}

}  // namespace
}  // namespace postgres
}  // namespace sluice
