#include "sluice/destinations/archive/format/names.h"

#include <gtest/gtest.h>

#include <string>

#include "sluice/destinations/archive/format/sums.h"

namespace sluice {
namespace {

constexpr char kId[] = "01ARZ3NDEKTSV4RRFFQ69G5X01";

TEST(NamesTest, SegmentsAreNumberedFromTheSecondOn) {
  EXPECT_EQ(SegmentFile(0), "payload.bin");
  EXPECT_EQ(SegmentFile(1), "payload.bin.0001");
  EXPECT_EQ(SegmentFile(9999), "payload.bin.9999");
  EXPECT_EQ(SegmentFile(10000), "payload.bin.10000");
}

TEST(NamesTest, NoNameLeadsElsewhere) {
  for (const char* name : {"", "/", "a/", "/a", "a//b", ".", "..", "a/../b",
                           ".sluice-tmp", "a/.sluice-1", "a b", "a\nb", "\xff"})
    EXPECT_FALSE(IsObjectName(name)) << name;
  for (const char* name : {"a", "A-b_c.d/1", "...", ".a"})
    EXPECT_TRUE(IsObjectName(name)) << name;
  EXPECT_FALSE(IsObjectName(std::string(513, 'a')));
  EXPECT_TRUE(IsObjectName(std::string(512, 'a')));
}

TEST(NamesTest, OnlyFilesOfTheFormatAreOurs) {
  for (const char* file : {"manifest.json", "SHA256SUMS", "writer.json",
                           "payload_ids", "payload.bin", "payload.bin.0001",
                           "payload.bin.12345", "seal", "keys/k"})
    EXPECT_TRUE(IsArchiveFile(file)) << file;
  for (const char* file :
       {"", "notes.txt", "payload.bin.1", "payload.bin.", "payload.bin.00x1",
        "payload.binx", "manifest.json2"})
    EXPECT_FALSE(IsArchiveFile(file)) << file;
}

TEST(NamesTest, AnArchivesNameIsTakenApartOnlyBelowAnId) {
  const std::string name = ObjectName(kId, "keys/a");
  EXPECT_EQ(SplitObjectName(name).backup_id, kId);
  EXPECT_EQ(SplitObjectName(name).file, "keys/a");
  for (const std::string& other :
       {std::string(kId), std::string(kId) + "/",
        std::string("x/manifest.json"),
        std::string("01arz3ndektsv4rrffq69g5x01/manifest.json")}) {
    EXPECT_TRUE(SplitObjectName(other).backup_id.empty()) << other;
  }
}

TEST(SumsTest, EveryDeviationIsDamage) {
  const std::string digest(64, 'a');
  const std::string line = digest + "  payload.bin\n";
  EXPECT_EQ(ParseSums(line)->size(), 1);
  for (const std::string& bytes :
       {line + line, digest + " payload.bin\n", digest + "  payload.bin",
        digest + "  ../x\n", digest + "  SHA256SUMS\n", digest + "  \n",
        std::string(64, 'A') + "  payload.bin\n", std::string("\n")}) {
    EXPECT_FALSE(ParseSums(bytes).ok()) << bytes;
  }
}

}  // namespace
}  // namespace sluice
