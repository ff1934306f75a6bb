#include "sluice/plugins/badger/inspect.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "sluice/base/error.h"
#include "sluice/base/file_system.h"
#include "sluice/plugins/badger/fixture.h"

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

TEST(InspectTest, RefusesWhatIsNoDatabase) {
  const Fixture fixture("v4-zstd-levels");
  std::filesystem::remove(fixture.folder() + "/MANIFEST");
  EXPECT_EQ(ErrorCodeOf(InspectFixture(fixture).status()), kSourceUnavailable);
}

}  // namespace
}  // namespace badger
}  // namespace sluice
