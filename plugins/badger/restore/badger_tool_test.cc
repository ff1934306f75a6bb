// Both directions with Badger's own command-line tool, version 2.2007, which
// shares no code with this: its streams restored by us, our directories opened
// by it, our streams restored by it.

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "sluice/base/error.h"
#include "sluice/base/file_system.h"
#include "sluice/base/folder_lock.h"
#include "sluice/plugins/badger/image/image.h"
#include "sluice/plugins/badger/restore/restore.h"
#include "sluice/plugins/badger/testing/fake_payload.h"
#include "sluice/plugins/badger/testing/fixture.h"

namespace sluice {
namespace badger {
namespace {

class BadgerToolTest : public testing::Test {
 protected:
  BadgerToolTest() {
    std::string root = testing::TempDir() + "/badger-tool-XXXXXX";
    root_ = mkdtemp(root.data()) == nullptr ? "" : root;
    // Several tables, several runs.
    options_.stager.directory.table.format = DiskFormat::kBadger2;
    options_.stager.directory.table_bytes = 1 << 20;
    options_.stager.memory_bytes = 1 << 20;
  }
  ~BadgerToolTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }

  std::string Path(absl::string_view name) const {
    return absl::StrCat(root_, "/", name);
  }

  // What the tool says; its exit status must be 0.
  std::string Badger(absl::string_view arguments) const {
    const std::string output = Path("output");
    const std::string command =
        absl::StrCat("badger ", arguments, " > ", output, " 2>&1");
    const int status = system(command.c_str());
    const std::string said = ReadBytes(output);
    EXPECT_EQ(status, 0) << command << "\n" << said;
    return said;
  }

  std::string BackUpByTool(absl::string_view folder) const {
    const std::string stream = Path("tool.bak");
    Badger(absl::StrCat("backup --dir ", Path(folder), " -f ", stream));
    return ReadBytes(stream);
  }

  void RestoreByTool(const std::string& stream,
                     absl::string_view folder) const {
    WriteBytes(Path("to-tool.bak"), stream);
    Badger(absl::StrCat("restore --dir ", Path(folder), " -f ",
                        Path("to-tool.bak")));
  }

  RestoreTotals RestoreByUs(const std::vector<std::string>& streams,
                            absl::string_view folder) const {
    std::vector<FakePayload> payloads;
    for (const std::string& stream : streams) {
      payloads.emplace_back(stream, 64 << 10);
    }
    std::vector<sdk::Payload*> chain;
    for (FakePayload& payload : payloads) chain.push_back(&payload);
    const absl::StatusOr<RestoreTotals> totals = RestoreDirectory(
        FileSystem::Posix(), Path(folder), options_, sdk::Run(), chain);
    EXPECT_TRUE(totals.ok()) << totals.status();
    return totals.ok() ? *totals : RestoreTotals();
  }

  Listings ListFolder(absl::string_view folder) const {
    ImageOptions options;
    options.folder = Path(folder);
    const absl::StatusOr<Listings> listings = List(options);
    EXPECT_TRUE(listings.ok()) << listings.status();
    return listings.ok() ? *listings : Listings();
  }

  RestoreOptions options_;
  std::string root_;
};

std::vector<OwnedEntry> Sorted(std::vector<OwnedEntry> entries) {
  std::sort(entries.begin(), entries.end(),
            [](const OwnedEntry& a, const OwnedEntry& b) {
              return CompareEntries(a.View(), b.View()) < 0;
            });
  return entries;
}

// All that an entry says, to compare.
std::vector<std::string> Lines(const std::vector<OwnedEntry>& entries) {
  std::vector<std::string> lines;
  for (const OwnedEntry& entry : entries) {
    lines.push_back(absl::StrCat(entry.key, " ", entry.version, " ",
                                 entry.expires_at, " ", entry.user_meta, " ",
                                 entry.meta, " ", entry.value));
  }
  return lines;
}

TEST_F(BadgerToolTest, ItsStreamRestoredByUsIsWhatItRestoresItself) {
  Badger(absl::StrCat("benchmark write -m 0.03 -v 300 --dir ", Path("source")));
  const std::string stream = BackUpByTool("source");
  ASSERT_GT(EntriesOf(stream).size(), 29000u);
  RestoreByTool(stream, "by-tool");
  const RestoreTotals totals = RestoreByUs({stream}, "by-us");
  EXPECT_GT(totals.tables, 3u);
  const Listings by_us = ListFolder("by-us");
  const Listings by_tool = ListFolder("by-tool");
  EXPECT_EQ(by_us.live.size(), totals.live.keys);
  EXPECT_EQ(by_us.live, by_tool.live);
  EXPECT_EQ(by_us.versions, by_tool.versions);
}

TEST_F(BadgerToolTest, ItOpensOurDirectoryAndBacksItUpTheSame) {
  Badger(absl::StrCat("benchmark write -m 0.03 -v 300 --dir ", Path("source")));
  const std::string stream = BackUpByTool("source");
  const RestoreTotals totals = RestoreByUs({stream}, "db");
  const std::string info =
      Badger(absl::StrCat("info --read-only --show-tables --dir ", Path("db")));
  EXPECT_TRUE(absl::StrContains(info, "0 missing files.")) << info;
  EXPECT_TRUE(absl::StrContains(info, "0 extra files.")) << info;
  EXPECT_TRUE(absl::StrContains(info, "0 truncated manifests.")) << info;
  EXPECT_EQ(Lines(Sorted(EntriesOf(BackUpByTool("db")))),
            Lines(Sorted(EntriesOf(stream))));
  EXPECT_GT(totals.max_version, 0u);
}

TEST_F(BadgerToolTest, ItWritesIntoOurDirectoryAndCompactsIt) {
  Badger(absl::StrCat("benchmark write -m 0.03 -v 300 --dir ", Path("source")));
  const RestoreTotals totals = RestoreByUs({BackUpByTool("source")}, "db");
  const std::vector<std::string> before = ListFolder("db").live;
  // Random keys: what was there stays.
  Badger(absl::StrCat("benchmark write -m 0.01 -v 100 --dir ", Path("db")));
  Badger(absl::StrCat("flatten --dir ", Path("db")));
  const std::vector<std::string> after = ListFolder("db").live;
  EXPECT_GT(after.size(), before.size() + 9000);
  EXPECT_TRUE(
      std::includes(after.begin(), after.end(), before.begin(), before.end()));
  // New versions are above all old ones.
  uint64_t written = 0;
  for (const OwnedEntry& entry : EntriesOf(BackUpByTool("db"))) {
    written += entry.version > totals.max_version ? 1 : 0;
  }
  EXPECT_EQ(written, after.size() - before.size());
}

TEST_F(BadgerToolTest, ItCompactsLargeValuesThatLieInOurTables) {
  // Itself it would keep them in the value log.
  const std::string stream = StreamOf({{"a", std::string(3 << 20, 'a'), 2},
                                       {"b", std::string(20 << 20, 'b'), 3},
                                       {"c", "small", 1}});
  RestoreByUs({stream}, "db");
  Badger(absl::StrCat("benchmark write -m 0.001 -v 10 --dir ", Path("db")));
  Badger(absl::StrCat("flatten --dir ", Path("db")));
  EXPECT_FALSE(std::filesystem::exists(Path("db/000001.sst"))) << "compacted";
  const std::vector<std::string> after =
      Lines(Sorted(EntriesOf(BackUpByTool("db"))));
  const std::vector<std::string> before = Lines(EntriesOf(stream));
  for (const std::string& line : before) {
    EXPECT_EQ(std::count(after.begin(), after.end(), line), 1)
        << line.substr(0, 20);
  }
}

TEST_F(BadgerToolTest, ItRestoresOurStream) {
  const Fixture fixture("v4-restored");
  const std::string full = ReadBytes(fixture.folder() + "/../full.bak");
  const std::string increment = ReadBytes(fixture.folder() + "/../incr.bak");
  std::vector<OwnedEntry> entries = EntriesOf(full);
  for (OwnedEntry& entry : EntriesOf(increment)) {
    entries.push_back(std::move(entry));
  }
  const std::string stream = StreamOf(Sorted(entries));
  RestoreByTool(stream, "by-tool");
  const Listings by_tool = ListFolder("by-tool");
  EXPECT_EQ(by_tool.live, fixture.Expected().live);
  EXPECT_EQ(by_tool.versions, fixture.Expected().versions);
}

TEST_F(BadgerToolTest, ItListsAChainOfBadger4ThatWeRestoredForIt) {
  const Fixture fixture("v4-restored");
  RestoreByUs({ReadBytes(fixture.folder() + "/../full.bak"),
               ReadBytes(fixture.folder() + "/../incr.bak")},
              "db");
  // Deletes, expiries, user meta and several versions: what it gives again is
  // restored once more, and lists the same keys.
  const std::string again = BackUpByTool("db");
  RestoreByUs({again}, "again");
  EXPECT_EQ(ListFolder("again").live, fixture.Expected().live);
}

// Starts Badger on the target when half of the stream has been given.
class MeddlingPayload final : public sdk::Payload {
 public:
  MeddlingPayload(std::string bytes, std::string command)
      : command_(std::move(command)),
        size_(bytes.size()),
        inner_(std::move(bytes)) {}

  absl::string_view backup_id() const override { return "fake"; }
  const sdk::Metadata& metadata() const override { return inner_.metadata(); }
  const sdk::Counts& counts() const override { return inner_.counts(); }
  uint64_t size() const override { return size_; }
  absl::StatusOr<absl::string_view> Next() override {
    given_ += 1000;
    if (status_ == 0 && given_ > size_ / 2) status_ = system(command_.c_str());
    return inner_.Next();
  }
  int status() const { return status_; }

 private:
  const std::string command_;
  const uint64_t size_;
  FakePayload inner_;
  uint64_t given_ = 0;
  int status_ = 0;
};

TEST_F(BadgerToolTest, NoBadgerCanOpenWhatIsBeingRestored) {
  const Fixture fixture("v4-restored");
  options_.hold_lock = true;
  MeddlingPayload payload(ReadBytes(fixture.folder() + "/../full.bak"),
                          absl::StrCat("badger flatten --dir ", Path("target"),
                                       " > ", Path("refused"), " 2>&1"));
  sdk::Payload* const payloads[] = {&payload};
  const auto restored = RestoreDirectory(FileSystem::Posix(), Path("target"),
                                         options_, sdk::Run(), payloads);
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_NE(payload.status(), 0);
  EXPECT_TRUE(absl::StrContains(ReadBytes(Path("refused")),
                                "Cannot acquire directory lock"))
      << ReadBytes(Path("refused"));
  Badger(absl::StrCat("info --dir ", Path("target")));  // and now it can
}

TEST_F(BadgerToolTest, RestoresNothingIntoWhatABadgerHasOpen) {
  std::filesystem::create_directory(Path("target"));
  const auto opened = FolderLock::Take(Path("target"));
  ASSERT_TRUE(opened.ok()) << opened.status();
  options_.hold_lock = true;
  FakePayload payload(StreamOf({}));
  sdk::Payload* const payloads[] = {&payload};
  EXPECT_EQ(ErrorCodeOf(RestoreDirectory(FileSystem::Posix(), Path("target"),
                                         options_, sdk::Run(), payloads)
                            .status()),
            kRestorePreconditionFailed);
  EXPECT_TRUE(std::filesystem::is_empty(Path("target")));
}

}  // namespace
}  // namespace badger
}  // namespace sluice
