#include "sluice/plugins/badger/format/manifest.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/strings/escaping.h"
#include "sluice/base/error.h"
#include "sluice/plugins/badger/testing/fuzz_bytes.h"
#include "sluice/plugins/badger/wire/pb_wire.h"

namespace sluice {
namespace badger {
namespace {

const std::string kHeader("Bdgr\0\0\0\x08", 8);

struct ChangeSpec {
  uint64_t id;
  uint64_t operation = 0;
  uint64_t level = 0;
  uint64_t compression = 0;
  uint64_t algorithm = 0;
};

std::string Record(std::initializer_list<ChangeSpec> changes) {
  std::string set;
  for (const ChangeSpec& spec : changes) {
    std::string change;
    AppendPbVarint(1, spec.id, change);
    AppendPbVarint(2, spec.operation, change);
    AppendPbVarint(3, spec.level, change);
    AppendPbVarint(5, spec.algorithm, change);
    AppendPbVarint(6, spec.compression, change);
    AppendPbBytes(1, change, set);
  }
  return LengthAndCrc(set);
}

std::string WordOfManifest(const std::string& file) {
  return ErrorCodeOf(ParseManifest(file).status());
}

TEST(ManifestTest, ReadsOneTable) {
  const auto manifest =
      ParseManifest(absl::HexStringToBytes("426467720000000800000008"
                                           "0d2e12a00a06080118063001"));
  ASSERT_TRUE(manifest.ok()) << manifest.status();
  EXPECT_EQ(manifest->version, 8);
  EXPECT_EQ(manifest->external_magic, 0);
  EXPECT_FALSE(manifest->is_cut);
  ASSERT_EQ(manifest->tables.size(), 1u);
  const ManifestTable& table = manifest->tables.at(1);
  EXPECT_EQ(table.level, 6u);
  EXPECT_EQ(table.compression, Compression::kSnappy);
  EXPECT_EQ(table.key_number, 0u);
}

TEST(ManifestTest, AppliesChangesInTheirOrder) {
  const auto manifest =
      ParseManifest(kHeader + LengthAndCrc("") + Record({{1}, {2}}) +
                    Record({{.id = 1, .operation = 1}, {3}}) +
                    Record({{.id = 9, .operation = 1}, {.id = 1, .level = 2}}));
  ASSERT_TRUE(manifest.ok()) << manifest.status();
  EXPECT_EQ(manifest->tables.size(), 3u);
  EXPECT_EQ(manifest->tables.at(1).level, 2u);
  EXPECT_EQ(manifest->deleted, std::set<uint64_t>{9});
}

TEST(ManifestTest, TakesAnyExternalMagic) {
  std::string file = kHeader + LengthAndCrc("");
  file[4] = '\x12';
  file[5] = '\x34';
  const auto manifest = ParseManifest(file);
  ASSERT_TRUE(manifest.ok()) << manifest.status();
  EXPECT_EQ(manifest->external_magic, 0x1234);
}

TEST(ManifestTest, SaysWhereARecordIsCut) {
  const std::string whole = kHeader + Record({{1}});
  const std::string file = whole + Record({{2}});
  for (size_t size = whole.size() + 1; size < file.size(); ++size) {
    const auto manifest = ParseManifest(file.substr(0, size));
    ASSERT_TRUE(manifest.ok()) << manifest.status();
    EXPECT_TRUE(manifest->is_cut) << size;
    EXPECT_EQ(manifest->valid_bytes, whole.size());
    EXPECT_EQ(manifest->tables.size(), 1u);
  }
}

TEST(ManifestTest, RefusesDamage) {
  const std::string file = kHeader + Record({{1}});
  EXPECT_EQ(WordOfManifest(""), kSourceFailed);
  EXPECT_EQ(WordOfManifest("Bdgx" + file.substr(4)), kSourceFailed);
  EXPECT_EQ(WordOfManifest(kHeader), kSourceFailed);
  std::string wrong = file;
  wrong.back() ^= 1;
  EXPECT_EQ(WordOfManifest(wrong), kSourceFailed);
  EXPECT_EQ(WordOfManifest(kHeader + BigEndian32(0xffffffff) + BigEndian32(0)),
            kSourceFailed);
  EXPECT_EQ(WordOfManifest(kHeader + Record({{1}, {1}})), kSourceFailed);
  EXPECT_EQ(WordOfManifest(kHeader + Record({{.id = 1, .operation = 2}})),
            kSourceFailed);
  EXPECT_EQ(WordOfManifest(kHeader + LengthAndCrc("\x0a\x05")), kSourceFailed);
}

TEST(ManifestTest, RefusesWhatItDoesNotKnow) {
  std::string version = kHeader + Record({{1}});
  for (const char other : {'\4', '\6', '\11'}) {
    version[7] = other;
    EXPECT_EQ(WordOfManifest(version), kSourceUnsupported);
  }
  EXPECT_EQ(WordOfManifest(kHeader + Record({{.id = 1, .compression = 3}})),
            kSourceUnsupported);
  EXPECT_EQ(WordOfManifest(kHeader + Record({{.id = 1, .algorithm = 1}})),
            kSourceUnsupported);
}

}  // namespace
}  // namespace badger
}  // namespace sluice
