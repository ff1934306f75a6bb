#include "sluice/plugins/badger/image/image.h"

#include <errno.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "sluice/base/error.h"
#include "sluice/base/file_system.h"
#include "sluice/base/testing/fault_file_system.h"
#include "sluice/plugins/badger/image/version_reader.h"
#include "sluice/plugins/badger/testing/fixture.h"

namespace sluice {
namespace badger {
namespace {

class ImageFixtureTest : public ::testing::TestWithParam<std::string> {};

TEST_P(ImageFixtureTest, ListsWhatBadgerItselfLists) {
  const Fixture fixture(GetParam());
  const Listings expected = fixture.Expected();
  const auto actual = List(fixture.Options());
  ASSERT_TRUE(actual.ok()) << actual.status();
  EXPECT_FALSE(expected.live.empty());
  EXPECT_EQ(actual->live, expected.live);
  EXPECT_EQ(actual->versions, expected.versions);
  EXPECT_EQ(actual->dangling, 0u);
}

// Each version with its value, in the reader's order.
std::vector<std::string> Read(const Image& image, const KeyRange& range) {
  std::vector<std::string> lines;
  const auto reader = image.ReadVersions(range);
  EXPECT_TRUE(reader.ok()) << reader.status();
  std::string value;
  while (reader.ok() && (*reader)->Valid()) {
    const absl::Status status = (*reader)->ReadValue(value);
    lines.push_back(absl::StrCat((*reader)->key(), " ", (*reader)->version(),
                                 " ", status.ok() ? value : "gone"));
    EXPECT_TRUE((*reader)->Next().ok());
  }
  return lines;
}

TEST_P(ImageFixtureTest, RangesOfItsKeysJoinToAllOfThem) {
  const Fixture fixture(GetParam());
  const auto image = Image::Open(*FileSystem::Posix(), fixture.Options());
  ASSERT_TRUE(image.ok()) << image.status();
  const std::vector<std::string> all = Read(**image, {});
  for (const int count : {1, 2, 3, 16}) {
    const std::vector<KeyRange> ranges = (*image)->SplitKeys(count);
    ASSERT_GE(ranges.size(), 1u);
    EXPECT_LE(ranges.size(), static_cast<size_t>(count));
    std::vector<std::string> joined;
    std::string begin;
    for (const KeyRange& range : ranges) {
      EXPECT_EQ(range.begin, begin);
      const std::vector<std::string> part = Read(**image, range);
      joined.insert(joined.end(), part.begin(), part.end());
      begin = range.end;
    }
    EXPECT_EQ(begin, "");
    EXPECT_EQ(joined, all) << count;
  }
}

INSTANTIATE_TEST_SUITE_P(All, ImageFixtureTest,
                         ::testing::ValuesIn(FixtureNames()), FixtureTestName);

absl::Status StatusOf(const ImageOptions& options) {
  return List(options).status();
}

bool Mentions(const absl::Status& status, absl::string_view text) {
  return absl::StrContains(status.message(), text);
}

TEST(ImageTest, SplitsKeysIntoRangesOfAboutTheSameSize) {
  const Fixture fixture("v4-zstd-levels");  // 13 tables
  const auto image = Image::Open(*FileSystem::Posix(), fixture.Options());
  ASSERT_TRUE(image.ok()) << image.status();
  EXPECT_EQ((*image)->SplitKeys(0).size(), 1u);
  const std::vector<KeyRange> halves = (*image)->SplitKeys(2);
  ASSERT_EQ(halves.size(), 2u);
  const size_t all = Read(**image, {}).size();
  const size_t first = Read(**image, halves[0]).size();
  EXPECT_GT(first, all / 4);
  EXPECT_LT(first, all - all / 4);
}

// A flush that MANIFEST does not name shows only beside all other keys.
TEST(ImageTest, DoesNotSplitWhereATableLiesThatManifestNeverNamed) {
  const Fixture fixture("v4-zstd-levels");
  std::filesystem::copy_file(fixture.folder() + "/000039.sst",
                             fixture.folder() + "/000999.sst");
  const auto image = Image::Open(*FileSystem::Posix(), fixture.Options());
  ASSERT_TRUE(image.ok()) << image.status();
  EXPECT_EQ((*image)->SplitKeys(4).size(), 1u);
}

TEST(ImageTest, RefusesAFolderThatIsNoDatabase) {
  const Fixture fixture("v4-none-inline");
  ImageOptions options = fixture.Options();
  std::filesystem::remove(fixture.folder() + "/MANIFEST");
  absl::Status status = StatusOf(options);
  EXPECT_EQ(ErrorCodeOf(status), kSourceUnavailable);
  EXPECT_TRUE(Mentions(status, "MANIFEST")) << status;
  options.folder += "/nowhere";
  status = StatusOf(options);
  EXPECT_EQ(ErrorCodeOf(status), kSourceUnavailable);
  EXPECT_TRUE(Mentions(status, options.folder)) << status;
}

TEST(ImageTest, RefusesAnEncryptedOneWithoutItsKey) {
  const Fixture fixture("v4-aes256-snappy");
  ImageOptions options = fixture.Options();
  options.master_key.clear();
  EXPECT_EQ(ErrorCodeOf(StatusOf(options)), kSourceWrongKey);
  options.master_key = std::string(32, 'x');
  EXPECT_EQ(ErrorCodeOf(StatusOf(options)), kSourceWrongKey);
  std::filesystem::remove(fixture.folder() + "/KEYREGISTRY");
  EXPECT_EQ(ErrorCodeOf(StatusOf(fixture.Options())), kSourceFailed);
}

TEST(ImageTest, ReadsValuesFromAFolderOfTheirOwn) {
  for (const char* name : {"v4-snappy-vlog", "v2-sigkill"}) {
    const Fixture fixture(name);
    ImageOptions options = fixture.Options();
    options.value_folder = fixture.folder() + ".values";
    std::filesystem::create_directory(options.value_folder);
    for (const auto& entry :
         std::filesystem::directory_iterator(fixture.folder())) {
      if (entry.path().extension() != ".vlog") continue;
      std::filesystem::rename(
          entry.path(),
          options.value_folder + "/" + entry.path().filename().string());
    }
    const auto listed = List(options);
    ASSERT_TRUE(listed.ok()) << listed.status();
    EXPECT_EQ(listed->versions, fixture.Expected().versions);
    EXPECT_FALSE(List(fixture.Options()).ok());
  }
}

TEST(ImageTest, NamesKeyAndVersionOfAValueThatIsGone) {
  const Fixture fixture("v4-snappy-vlog");
  std::filesystem::remove(fixture.folder() + "/000002.vlog");
  const absl::Status status = StatusOf(fixture.Options());
  EXPECT_EQ(ErrorCodeOf(status), kSourceFailed);
  EXPECT_TRUE(Mentions(status, "value of key 0x")) << status;
  EXPECT_TRUE(Mentions(status, "version ")) << status;
  EXPECT_TRUE(Mentions(status, "000002.vlog: ")) << status;
}

TEST(ImageTest, FindsTheValueThatACollectionMoved) {
  for (const char* name : {"v2-zstd-gc", "v4-gc"}) {
    const Fixture fixture(name);
    const auto image = Image::Open(*FileSystem::Posix(), fixture.Options());
    ASSERT_TRUE(image.ok()) << image.status();
    const auto reader = (*image)->ReadVersions();
    ASSERT_TRUE(reader.ok()) << reader.status();
    std::string value;
    while ((*reader)->Valid()) {
      ASSERT_TRUE((*reader)->ReadValue(value).ok());
      ASSERT_TRUE((*reader)->Next().ok());
    }
    // Badger 4 writes such a version again, under the same key.
    EXPECT_EQ((*reader)->values_found_elsewhere() > 0,
              std::string(name) == "v2-zstd-gc");
  }
}

TEST(ImageTest, ShowsBadgersOwnKeysOnlyWhenAsked) {
  const Fixture fixture("v2-zstd-gc");
  ImageOptions options = fixture.Options();
  options.show_internal_keys = true;
  const auto image = Image::Open(*FileSystem::Posix(), options);
  ASSERT_TRUE(image.ok()) << image.status();
  const auto reader = (*image)->ReadVersions();
  ASSERT_TRUE(reader.ok()) << reader.status();
  int moved = 0;
  while ((*reader)->Valid()) {
    moved += absl::StartsWith((*reader)->key(), "!badger!move") ? 1 : 0;
    ASSERT_TRUE((*reader)->Next().ok());
  }
  EXPECT_EQ(moved, 574);
}

TEST(ImageTest, SummarizesTheDirectory) {
  const Fixture fixture("v4-zstd-levels");
  const auto image = Image::Open(*FileSystem::Posix(), fixture.Options());
  ASSERT_TRUE(image.ok()) << image.status();
  const ImageSummary& summary = (*image)->summary();
  EXPECT_EQ(summary.manifest_version, 8);
  EXPECT_EQ(summary.tables.size(), 13u);
  EXPECT_EQ(summary.value_logs, 1u);
  EXPECT_TRUE(summary.replayed.empty());
  EXPECT_TRUE(summary.warnings.empty());
  std::set<uint32_t> levels;
  for (const TableSummary& table : summary.tables) {
    levels.insert(table.listed.level);
    EXPECT_EQ(table.listed.compression, Compression::kZstd);
    EXPECT_GT(table.keys, 0u);
    EXPECT_GT(table.blocks, 0u);
  }
  EXPECT_EQ(levels, (std::set<uint32_t>{0, 4, 5, 6}));
}

TEST(ImageTest, TakesAnEmptyLogForADeletionThatACrashBrokeOff) {
  const Fixture fixture("v4-zstd-levels");
  WriteBytes(fixture.folder() + "/00001.mem", "");
  WriteBytes(fixture.folder() + "/000000.vlog", "");
  const auto listed = List(fixture.Options());
  ASSERT_TRUE(listed.ok()) << listed.status();
  EXPECT_EQ(listed->versions, fixture.Expected().versions);
}

TEST(ImageTest, RefusesAnUnreadableEndUnlessToldToDropIt) {
  const Fixture fixture("v4-sigkill");
  const std::string path = fixture.folder() + "/00003.mem";
  std::string log = ReadBytes(path);
  log[log.find_last_not_of('\0') + 30] = 'x';
  WriteBytes(path, log);
  ImageOptions options = fixture.Options();
  const absl::Status status = StatusOf(options);
  EXPECT_EQ(ErrorCodeOf(status), kSourceFailed);
  EXPECT_TRUE(Mentions(status, "00003.mem")) << status;
  EXPECT_NE(HintOf(status), "");
  options.drop_unreadable_ends = true;
  const auto listed = List(options);
  ASSERT_TRUE(listed.ok()) << listed.status();
  EXPECT_EQ(listed->versions, fixture.Expected().versions);
  const auto image = Image::Open(*FileSystem::Posix(), options);
  ASSERT_TRUE(image.ok()) << image.status();
  EXPECT_EQ((*image)->summary().warnings.size(), 1u);
}

TEST(ImageTest, KeepsToTheMemoryThatItWasGivenForLogs) {
  const Fixture fixture("v4-sigkill");
  ImageOptions options = fixture.Options();
  options.max_log_index_bytes = 1000;
  EXPECT_EQ(ErrorCodeOf(StatusOf(options)), kResourceExhausted);
}

TEST(ImageTest, SortsOutsideOfMemoryWhatOfTheLogsDoesNotFit) {
  int asked = 0;
  for (const std::string& name : FixtureNames()) {
    const Fixture fixture(name);
    const std::string scratch = testing::TempDir() + "/log-runs";
    std::filesystem::create_directory(scratch);
    const auto folder = FileSystem::Posix()->Beneath(scratch);
    ASSERT_TRUE(folder.ok());
    ImageOptions options = fixture.Options();
    options.max_log_index_bytes = 4 << 10;
    options.log_scratch = [&]() -> absl::StatusOr<FileSystem*> {
      ++asked;
      return folder.value.get();
    };
    const auto listed = List(options);
    ASSERT_TRUE(listed.ok()) << name << ": " << listed.status();
    EXPECT_EQ(listed->versions, fixture.Expected().versions) << name;
    std::filesystem::remove_all(scratch);
  }
  EXPECT_GT(asked, 1);
}

TEST(ImageTest, PassesOverATableThatACrashLeftBehind) {
  const Fixture fixture("v4-zstd-levels");
  // A compaction's output that was not entered: all of it is in its inputs.
  std::filesystem::copy(fixture.folder() + "/000047.sst",
                        fixture.folder() + "/000060.sst");
  // One that was not written to its end.
  WriteBytes(fixture.folder() + "/000061.sst",
             ReadBytes(fixture.folder() + "/000040.sst").substr(0, 50000));
  const auto listed = List(fixture.Options());
  ASSERT_TRUE(listed.ok()) << listed.status();
  EXPECT_EQ(listed->versions, fixture.Expected().versions);
}

TEST(ImageTest, RefusesATableOfDataThatTheManifestDoesNotList) {
  const Fixture fixture("v4-zstd-levels");
  const Fixture other("v4-none-inline");
  std::filesystem::copy(other.folder() + "/000001.sst",
                        fixture.folder() + "/000060.sst");
  const absl::Status status = StatusOf(fixture.Options());
  EXPECT_EQ(ErrorCodeOf(status), kSourceFailed);
  EXPECT_TRUE(Mentions(status, "MANIFEST")) << status;
}

// Badger 2 replays every log from the head on, and what is in a gap is lost.
TEST(ImageTest, NamesALogToReplayThatIsNotThere) {
  for (const int number : {0, 3, 5}) {
    const Fixture fixture("v2-many-logs");
    const std::string name = absl::StrCat("00000", number, ".vlog");
    ASSERT_TRUE(StatusOf(fixture.Options()).ok());
    std::filesystem::remove(fixture.folder() + "/" + name);
    absl::Status status = StatusOf(fixture.Options());
    EXPECT_EQ(ErrorCodeOf(status), kSourceFailed) << number;
    EXPECT_TRUE(Mentions(status, name + ": ")) << status;
    WriteBytes(fixture.folder() + "/" + name, "");
    status = StatusOf(fixture.Options());
    EXPECT_EQ(ErrorCodeOf(status), kSourceFailed) << number;
    EXPECT_TRUE(Mentions(status, name + ": ")) << status;
  }
}

TEST(ImageTest, ALogBehindTheHeadOfTheTablesMayNotBeMissingEither) {
  const Fixture fixture("v2-sigkill");
  ASSERT_TRUE(StatusOf(fixture.Options()).ok());
  std::string last;
  for (const auto& entry :
       std::filesystem::directory_iterator(fixture.folder())) {
    if (entry.path().extension() == ".vlog") {
      last = std::max(last, entry.path().filename().string());
    }
  }
  const std::string next = "000099.vlog";
  std::filesystem::copy_file(fixture.folder() + "/" + last,
                             fixture.folder() + "/" + next);
  EXPECT_EQ(ErrorCodeOf(StatusOf(fixture.Options())), kSourceFailed);
}

TEST(ImageTest, AForgottenValueFolderIsHintedAt) {
  const Fixture fixture("v2-many-logs");
  ImageOptions options = fixture.Options();
  options.shown_folder = "/srv/db";
  const std::string values = fixture.folder() + "/../values";
  std::filesystem::create_directory(values);
  for (int i = 0; i <= 6; ++i) {
    const std::string name = absl::StrCat("/00000", i, ".vlog");
    std::filesystem::rename(fixture.folder() + name, values + name);
  }
  const absl::Status status = StatusOf(options);
  EXPECT_EQ(ErrorCodeOf(status), kSourceUnavailable);
  EXPECT_TRUE(Mentions(status, "/srv/db: no value log ")) << status;
  EXPECT_TRUE(absl::StrContains(HintOf(status), "value_dir=DIR")) << status;
  options.value_folder = values;
  EXPECT_TRUE(StatusOf(options).ok());
}

TEST(ImageTest, ListsTheNamespacesThatAreBanned) {
  const Fixture fixture("v4-banned");
  const auto image = Image::Open(*FileSystem::Posix(), fixture.Options());
  ASSERT_TRUE(image.ok()) << image.status();
  EXPECT_EQ(*(*image)->BannedNamespaces(), (std::vector<uint64_t>{2}));
  const Fixture other("v4-none-inline");
  EXPECT_TRUE((*Image::Open(*FileSystem::Posix(), other.Options()))
                  ->BannedNamespaces()
                  ->empty());
}

TEST(ImageTest, AFileThatMayNotBeReadIsNotToldAsAbsent) {
  const Fixture fixture("v4-none-inline");
  FaultPlan plan;
  FaultFileSystem files(FileSystem::Posix(), &plan);
  plan.SetFilter([](const FileCall& call) {
    return call.op == FileOp::kOpen && absl::EndsWith(call.path, "MANIFEST");
  });
  plan.StrikeAt(1, Fault::Error(EACCES));
  EXPECT_EQ(ErrorCodeOf(Image::Open(files, fixture.Options()).status()),
            kSourcePermissionDenied);
}

TEST(ImageTest, OpensNoPipeAndNoLink) {
  const Fixture fixture("v4-none-inline");
  const std::string table = fixture.folder() + "/000001.sst";
  const std::string moved = fixture.folder() + ".sst";
  std::filesystem::rename(table, moved);
  ASSERT_EQ(mkfifo(table.c_str(), 0600), 0);
  EXPECT_EQ(ErrorCodeOf(StatusOf(fixture.Options())), kSourceUnavailable);
  std::filesystem::remove(table);
  std::filesystem::create_symlink(moved, table);
  EXPECT_EQ(ErrorCodeOf(StatusOf(fixture.Options())), kSourceUnavailable);
}

}  // namespace
}  // namespace badger
}  // namespace sluice
