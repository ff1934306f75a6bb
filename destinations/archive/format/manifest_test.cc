#include "sluice/destinations/archive/format/manifest.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "sluice/base/error.h"
#include "sluice/base/text/utf8.h"
#include "sluice/destinations/archive/format/limits.h"
#include "sluice/destinations/archive/format/sha256.h"
#include "sluice/destinations/archive/format/utf8.h"
#include "sluice/destinations/archive/testing/archive_fixture.h"
#include "sluice/executor/limits.h"

namespace sluice {
namespace {

using ::testing::HasSubstr;

Manifest Valid(int segments = 2) {
  Manifest manifest = TestManifest(TestId(1));
  manifest.set_version(1);
  manifest.set_segment_bytes(4);
  for (int i = 0; i < segments; ++i) {
    Segment* segment = manifest.add_segments();
    segment->set_name(i == 0 ? "payload.bin"
                             : absl::StrCat("payload.bin.000", i));
    segment->set_size_bytes(i + 1 == segments ? 1 : 4);
    segment->set_sha256(ToHex(Sha256Of(absl::StrCat(i))));
  }
  manifest.set_size_bytes(4 * segments - 3);
  manifest.set_plain_size_bytes(4 * segments - 3);
  manifest.set_sha256(PayloadSha256(manifest));
  manifest.set_plain_xxh3("0123456789abcdef");
  manifest.set_compression("none");
  return manifest;
}

std::string Encoded(const Manifest& manifest) {
  const auto bytes = EncodeManifest(manifest);
  EXPECT_TRUE(bytes.ok()) << bytes.status();
  return bytes.value_or("");
}

std::string CodeOfParse(const std::string& bytes) {
  return ErrorCodeOf(ParseManifest(bytes, TestId(1)).status());
}

TEST(ManifestTest, ComesBackAsItWasWritten) {
  Manifest manifest = Valid(3);
  (*manifest.mutable_source_counts())["keys"] = UINT64_MAX;
  (*manifest.mutable_engine_metadata())["m"] = std::string("\0\xff\n", 3);
  const auto parsed = ParseManifest(Encoded(manifest), TestId(1));
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_EQ(parsed->DebugString(), manifest.DebugString());
}

TEST(ManifestTest, IsSnakeCaseJsonWithItsDefaults) {
  const std::string bytes = Encoded(Valid());
  EXPECT_THAT(bytes,
              HasSubstr("\"backup_id\": \"01ARZ3NDEKTSV4RRFFQ69G5X01\""));
  EXPECT_THAT(bytes, HasSubstr("\"payload_id_count\": \"0\""));
  EXPECT_THAT(bytes, testing::Not(HasSubstr("tombstone")));
}

TEST(ManifestTest, PassesOverFieldsThatItDoesNotKnow) {
  const std::string bytes = absl::StrReplaceAll(
      Encoded(Valid()), {{"\"version\": 1", "\"version\": 1, \"new\": [{}]"}});
  EXPECT_TRUE(ParseManifest(bytes, TestId(1)).ok());
}

TEST(ManifestTest, ANewerVersionIsUnsupportedNotDamaged) {
  const std::string bytes = absl::StrReplaceAll(
      Encoded(Valid()), {{"\"version\": 1", "\"version\": 3"}});
  EXPECT_EQ(CodeOfParse(bytes), "archive_unsupported");
}

// A reader that knows no index must not call its archive damaged.
TEST(ManifestTest, AnIndexIsOfTheSecondVersion) {
  Manifest manifest = Valid();
  manifest.set_index_size_bytes(7);
  manifest.set_index_sha256(ToHex(Sha256Of("index")));
  EXPECT_FALSE(EncodeManifest(manifest).ok());
  manifest.set_version(2);
  const std::string bytes = Encoded(manifest);
  EXPECT_EQ(CodeOfParse(bytes), "");
  manifest.clear_index_sha256();
  EXPECT_FALSE(EncodeManifest(manifest).ok());
}

TEST(ManifestTest, WhatThisVersionCannotReadIsUnsupported) {
  Manifest compressed = Valid();
  compressed.set_compression("zstd");
  EXPECT_EQ(CodeOfParse(Encoded(compressed)), "archive_unsupported");
  Manifest encrypted = Valid();
  encrypted.mutable_encryption()->set_algorithm("aes");
  EXPECT_EQ(CodeOfParse(Encoded(encrypted)), "archive_unsupported");
}

TEST(ManifestTest, EachRuleIsKeptByTheWriterAndByTheReader) {
  const std::string bytes = Encoded(Valid());
  const std::string digest = ToHex(Sha256Of("0"));
  const std::vector<std::pair<std::string, std::string>> hostile = {
      {"\"version\": 1", "\"version\": 0"},
      {"G5X01", "G5X02"},
      {"01ARZ3NDEKTSV4RRFFQ69G5X01", "../../../../etc"},
      {"\"payload.bin\"", "\"../payload.bin\""},
      {"\"payload.bin\"", "\"/etc/passwd\""},
      {"payload.bin.0001", "payload.bin.0002"},
      {"\"size_bytes\": \"4\"", "\"size_bytes\": \"5\""},
      {"\"size_bytes\": \"1\"", "\"size_bytes\": \"0\""},
      {"\"size_bytes\": \"1\"", "\"size_bytes\": \"2\""},
      {"\"size_bytes\": \"4\"", "\"size_bytes\": \"18446744073709551615\""},
      {"\"segment_bytes\": \"4\"", "\"segment_bytes\": \"0\""},
      {digest, digest.substr(1)},
      {digest, "G" + digest.substr(1)},
      {"0123456789abcdef", "0123456789ABCDEF"},
      {"\"payload_id_count\": \"0\"", "\"payload_id_count\": \"1\""},
      {"2026-11-22T10:00:00.000Z", "yesterday"},
      {"2026-11-22T10:00:00.000Z", "infinite-future"},
      {"\"orders\"", "\"a\\u0000b\""},
      {"\"base_backup_id\": \"\"", "\"base_backup_id\": \"..\""},
      {"{", "["},
  };
  for (const auto& [from, to] : hostile) {
    const std::string changed = absl::StrReplaceAll(bytes, {{from, to}});
    ASSERT_NE(changed, bytes) << from;
    EXPECT_EQ(CodeOfParse(changed), "archive_damaged") << from << " " << to;
  }
  Manifest invalid = Valid();
  invalid.set_store_id("a\nb");
  EXPECT_EQ(ErrorCodeOf(EncodeManifest(invalid).status()), "invalid_argument");
  invalid = Valid();
  invalid.set_store_id("\xff");
  EXPECT_EQ(ErrorCodeOf(EncodeManifest(invalid).status()), "invalid_argument");
}

TEST(ManifestTest, TheWriterRefusesWhatTheReaderWouldFindTooLarge) {
  Manifest manifest = Valid();
  (*manifest.mutable_engine_metadata())["big"] =
      std::string(kMaxManifestMetadataBytes + 1, 'x');
  EXPECT_FALSE(EncodeManifest(manifest).ok());
  (*manifest.mutable_engine_metadata())["big"] =
      std::string(kMaxManifestMetadataBytes, 'x');
  const std::string bytes = Encoded(manifest);
  EXPECT_LE(bytes.size(), kMaxManifestBytes);
  EXPECT_TRUE(ParseManifest(bytes, TestId(1)).ok());
  EXPECT_EQ(CodeOfParse(std::string(kMaxManifestBytes + 1, ' ')),
            "archive_damaged");
}

// Refused before a parser makes a thing of each.
TEST(ManifestTest, MoreValuesThanAManifestHasAreRefusedUnparsed) {
  const auto parse = [](absl::string_view piece) {
    std::string bytes = "{\"x\":[";
    for (uint64_t i = 0; i <= kMaxManifestValues; ++i)
      absl::StrAppend(&bytes, piece);
    return ParseManifest(bytes + "0]}", TestId(1)).status();
  };
  for (const char* piece : {"{},", "[],", "0,"}) {
    const absl::Status status = parse(piece);
    EXPECT_EQ(ErrorCodeOf(status), "archive_damaged");
    EXPECT_TRUE(absl::StrContains(status.message(), "more than 600000 values"))
        << status;
  }
  // Within strings they are text.
  Manifest manifest = Valid();
  manifest.set_writer(std::string(1000, '{') + "\\\"[,");
  EXPECT_TRUE(ParseManifest(Encoded(manifest), TestId(1)).ok());
}

TEST(ManifestTest, TheMostSegmentsFitIntoTheLargestManifest) {
  Manifest manifest = Valid(1);
  manifest.clear_segments();
  const std::string digest = ToHex(Sha256Of("x"));
  for (int i = 0; i < kMaxSegments; ++i) {
    Segment* segment = manifest.add_segments();
    segment->set_name(
        i == 0 ? "payload.bin"
               : absl::StrCat("payload.bin.", absl::Dec(i, absl::kZeroPad4)));
    segment->set_size_bytes(kMaxSegmentBytes);
    segment->set_sha256(digest);
  }
  manifest.set_segment_bytes(kMaxSegmentBytes);
  manifest.set_size_bytes(kMaxSegmentBytes * kMaxSegments);
  manifest.set_plain_size_bytes(kMaxSegmentBytes * kMaxSegments);
  manifest.set_sha256(PayloadSha256(manifest));
  const std::string bytes = Encoded(manifest);
  EXPECT_TRUE(ParseManifest(bytes, TestId(1)).ok());
}

TEST(ManifestTest, WarningsAreCutDownAndSayHowManyAreMissing) {
  Manifest manifest = Valid();
  for (int i = 0; i < kMaxWarnings + 5; ++i) {
    Warning* warning = manifest.add_warnings();
    warning->set_code("skipped");
    warning->set_message(std::string(kMaxWarningBytes, 'x') + "\xff");
  }
  BoundWarnings(manifest);
  EXPECT_EQ(manifest.warnings_size(), kMaxWarnings);
  EXPECT_EQ(manifest.warnings(kMaxWarnings - 1).code(), "warnings_truncated");
  EXPECT_EQ(manifest.warnings(kMaxWarnings - 1).message(), "6 more warnings");
  EXPECT_TRUE(EncodeManifest(manifest).ok());
}

TEST(ManifestTest, ATombstoneIsNoArchive) {
  const std::string bytes = Encoded(MakeTombstone(
      TestId(1), "deleted", "host/1", "2026-11-22T10:00:00.000Z"));
  const auto parsed = ParseManifest(bytes, TestId(1));
  ASSERT_TRUE(parsed.ok()) << parsed.status();
  EXPECT_TRUE(parsed->has_tombstone());
}

TEST(Utf8Test, KnowsWhatJsonCannotHold) {
  for (const char* good :
       {"", "a", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80"})
    EXPECT_TRUE(IsUtf8(good)) << good;
  for (const char* bad : {"\x80", "\xc0\x80", "\xc3", "\xe0\x80\x80",
                          "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff"})
    EXPECT_FALSE(IsUtf8(bad)) << bad;
  EXPECT_EQ(ToBoundedUtf8("\xc3\xa4\xc3\xa4", 3), "\xc3\xa4");
  EXPECT_EQ(ToBoundedUtf8("a\xff"
                          "b",
                          9),
            "a?b");
}

}  // namespace
}  // namespace sluice
