#include "sluice/plugins/badger/inspect/inspect.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "sluice/base/error.h"
#include "sluice/base/file_system.h"
#include "sluice/plugins/badger/inspect/inspect_json.h"
#include "sluice/plugins/badger/testing/fixture.h"

namespace sluice {
namespace badger {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'790'000'000);

absl::StatusOr<Inspection> InspectFixture(const Fixture& fixture) {
  return Inspect(*FileSystem::Posix(), fixture.Options(), kNow);
}

TEST(InspectTest, CountsWhatIsThere) {
  for (const std::string& name : FixtureNames()) {
    const Fixture fixture(name);
    const Listings expected = fixture.Expected();
    const auto found = InspectFixture(fixture);
    ASSERT_TRUE(found.ok()) << found.status();
    EXPECT_EQ(found->live_keys, expected.live.size()) << name;
    EXPECT_EQ(found->versions, expected.versions.size()) << name;
    EXPECT_FALSE(found->is_damaged()) << name;
    EXPECT_GT(found->value_bytes, 0u) << name;
  }
}

TEST(InspectTest, TellsPeopleAboutADirectory) {
  const Fixture fixture("v4-zstd-levels");
  const auto found = InspectFixture(fixture);
  ASSERT_TRUE(found.ok()) << found.status();
  const std::string text = Render(*found);
  EXPECT_TRUE(absl::StrContains(
      text,
      absl::StrCat(fixture.folder(), ": Badger format 8 (Badger 3 and 4)")))
      << text;
  EXPECT_TRUE(absl::StrContains(text, "\n    0       1 ")) << text;
  EXPECT_TRUE(absl::StrContains(text, "\nkeys       2309 live, ")) << text;
  EXPECT_TRUE(absl::StrContains(text, "\ndamage     none\n")) << text;
}

TEST(InspectTest, SaysThatItIsEncryptedAndWhatIsReplayed) {
  const Fixture fixture("v4-sigkill-aes128");
  const auto found = InspectFixture(fixture);
  ASSERT_TRUE(found.ok()) << found.status();
  const std::string text = Render(*found);
  EXPECT_TRUE(absl::StrContains(text, ", encrypted, ")) << text;
  EXPECT_TRUE(absl::StrContains(text, "\nreplayed   00003.mem, to byte "))
      << text;
}

TEST(InspectTest, FindsValuesThatCannotBeRead) {
  const Fixture fixture("v4-snappy-vlog");
  std::filesystem::remove(fixture.folder() + "/000001.vlog");
  const auto found = InspectFixture(fixture);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_GT(found->damaged_values, 10u);
  EXPECT_EQ(found->damage.size(), 10u);
  const std::string text = Render(*found);
  EXPECT_TRUE(absl::StrContains(text, "\ndamage     value of key 0x")) << text;
  EXPECT_TRUE(absl::StrContains(
      text,
      absl::StrCat("\ndamage     ", found->damaged_values, " values in all\n")))
      << text;
}

TEST(InspectTest, FindsWhereATableBreaksOff) {
  const Fixture fixture("v4-zstd-levels");
  const std::string path = fixture.folder() + "/000040.sst";
  std::string table = ReadBytes(path);
  table[table.size() / 2] ^= 1;
  WriteBytes(path, table);
  const auto found = InspectFixture(fixture);
  ASSERT_TRUE(found.ok()) << found.status();
  ASSERT_EQ(found->damage.size(), 1u);
  EXPECT_TRUE(absl::StrContains(found->damage[0], "000040.sst, block "))
      << found->damage[0];
}

TEST(InspectTest, SaysWhatValueLogsHoldAndWhatOfItIsGarbage) {
  const Fixture fixture("v4-gc");
  const auto found = InspectFixture(fixture);
  ASSERT_TRUE(found.ok()) << found.status();
  uint64_t bytes = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(fixture.folder())) {
    if (entry.path().extension() == ".vlog") bytes += entry.file_size();
  }
  EXPECT_EQ(found->summary.value_log_bytes, bytes);
  EXPECT_GT(found->live_log_bytes, 0u);
  EXPECT_LE(found->live_log_bytes, bytes);
  EXPECT_TRUE(absl::StrContains(Render(*found), " garbage\n"));
}

// All of a log but its header is in use where each record is a live value.
TEST(InspectTest, CountsTheBytesOfARecordAsTheyLie) {
  const Fixture fixture("v2-many-logs");
  const auto found = InspectFixture(fixture);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_GT(found->live_log_bytes, found->summary.value_log_bytes / 3);
  EXPECT_LT(found->live_log_bytes, found->summary.value_log_bytes);
}

TEST(InspectTest, ShowsMagicAndBans) {
  const Fixture magic("v4-external-magic");
  EXPECT_TRUE(absl::StrContains(Render(*InspectFixture(magic)),
                                ", external magic 1, "));
  const Fixture banned("v4-banned");
  const auto found = InspectFixture(banned);
  EXPECT_TRUE(absl::StrContains(Render(*found), "\nbanned     namespaces 2\n"));
  EXPECT_TRUE(absl::StrContains(RenderJson(*found), "\"banned\":[2]"));
}

TEST(InspectTest, ListsMissingAndExtraFiles) {
  const Fixture fixture("v4-zstd-levels");
  std::filesystem::rename(fixture.folder() + "/000040.sst",
                          fixture.folder() + "/000900.sst");
  WriteBytes(fixture.folder() + "/notes.txt", "mine");
  const auto found = InspectFixture(fixture);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_TRUE(found->is_damaged());
  EXPECT_EQ(found->missing, std::vector<std::string>{"000040.sst"});
  EXPECT_EQ(found->extra,
            (std::vector<std::string>{"000900.sst", "notes.txt"}));
  const std::string text = Render(*found);
  EXPECT_TRUE(absl::StrContains(text, "\nmissing    000040.sst\n")) << text;
  EXPECT_TRUE(absl::StrContains(text, "\nextra      notes.txt\n")) << text;
}

TEST(InspectTest, AMissingLogToReplayIsDamage) {
  const Fixture fixture("v2-many-logs");
  std::filesystem::remove(fixture.folder() + "/000003.vlog");
  const auto found = InspectFixture(fixture);
  ASSERT_TRUE(found.ok()) << found.status();
  ASSERT_EQ(found->damage.size(), 1u);
  EXPECT_TRUE(absl::StrContains(found->damage[0], "000003.vlog: "))
      << found->damage[0];
}

TEST(InspectTest, ShowsKeysWithoutTheirVersions) {
  const Fixture fixture("v4-banned");
  const auto found = InspectFixture(fixture);
  ASSERT_TRUE(found.ok()) << found.status();
  const std::string first = found->summary.tables.at(0).first_key;
  const std::string key = first.substr(0, first.size() - 8);
  EXPECT_TRUE(absl::StrContains(
      RenderJson(*found),
      absl::StrCat("\"first_key_hex\":\"", absl::BytesToHexString(key), "\"")));
  EXPECT_FALSE(absl::StrContains(RenderTables(*found), "ffffffff"));
}

TEST(InspectTest, RefusesWhatIsNoDatabase) {
  const Fixture fixture("v4-zstd-levels");
  std::filesystem::remove(fixture.folder() + "/MANIFEST");
  EXPECT_EQ(ErrorCodeOf(InspectFixture(fixture).status()), kSourceUnavailable);
}

}  // namespace
}  // namespace badger
}  // namespace sluice
