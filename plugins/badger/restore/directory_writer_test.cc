#include "sluice/plugins/badger/restore/directory_writer.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "sluice/base/error.h"
#include "sluice/base/file_system.h"
#include "sluice/base/testing/crash_file_system.h"
#include "sluice/plugins/badger/format/entry.h"
#include "sluice/plugins/badger/format/entry_source.h"
#include "sluice/plugins/badger/format/manifest.h"
#include "sluice/plugins/badger/format/table.h"
#include "sluice/plugins/badger/restore/manifest_writer.h"
#include "sluice/plugins/badger/sort/entry_buffer.h"
#include "sluice/plugins/badger/sort/restore_file.h"
#include "sluice/plugins/badger/sort/run_file.h"
#include "sluice/plugins/badger/sort/stream_entry.h"
#include "sluice/plugins/badger/testing/fake_payload.h"

namespace sluice {
namespace badger {
namespace {

// A folder in memory.
class DirectoryWriterTest : public testing::Test {
 protected:
  DirectoryWriterTest() {
    EXPECT_EQ(disk_.MakeDirectory("/db", 0700), 0);
    folder_ = std::move(disk_.Beneath("/db").value);
  }

  std::string Contents(const std::string& name) {
    return ReadWholeFile(*folder_, name).value_or("");
  }

  CrashFileSystem disk_;
  std::unique_ptr<FileSystem> folder_;
};

std::vector<std::string> Listed(EntrySource& source) {
  std::vector<std::string> lines;
  absl::Status status = source.Seek("");
  while (status.ok() && source.Valid()) {
    lines.push_back(absl::StrCat(source.key().user_key, "@",
                                 source.key().version, "=",
                                 source.value().bytes));
    status = source.Next();
  }
  if (!status.ok()) lines.push_back(status.ToString());
  return lines;
}

TEST(ManifestWriterTest, IsByteForByteWhatBadgerWrites) {
  ManifestTable table;
  table.id = 1;
  table.level = 6;
  table.compression = Compression::kSnappy;
  EXPECT_EQ(absl::BytesToHexString(BuildManifest(8, 0, {table})),
            "4264677200000008000000080d2e12a00a06080118063001");
  EXPECT_EQ(absl::BytesToHexString(BuildManifest(7, 0, {})),
            "42646772000000070000000000000000");
}

TEST(ManifestWriterTest, KeepsWhatTheReaderReads) {
  std::vector<ManifestTable> tables;
  for (uint64_t id = 1; id < 300; ++id) {
    tables.push_back({id, static_cast<uint32_t>(id % 7), id % 3,
                      static_cast<Compression>(id % 3)});
  }
  const auto manifest = ParseManifest(BuildManifest(8, 77, tables));
  ASSERT_TRUE(manifest.ok()) << manifest.status();
  EXPECT_EQ(manifest->external_magic, 77);
  ASSERT_EQ(manifest->tables.size(), tables.size());
  for (const ManifestTable& table : tables) {
    const ManifestTable& read = manifest->tables.at(table.id);
    EXPECT_EQ(read.level, table.level);
    EXPECT_EQ(read.key_number, table.key_number);
    EXPECT_EQ(read.compression, table.compression);
  }
}

TEST_F(DirectoryWriterTest, RefusesEntriesThatDoNotAscend) {
  DirectoryWriter writer(*folder_, DirectoryOptions());
  ASSERT_TRUE(writer.Add({"b", "", 5, 0, 0, 0}).ok());
  ASSERT_TRUE(writer.Add({"b", "", 4, 0, 0, 0}).ok());
  EXPECT_TRUE(writer.Follows({"b", "", 3, 0, 0, 0}));
  for (const StreamEntry& entry :
       {StreamEntry{"b", "", 4, 0, 0, 0}, StreamEntry{"b", "", 5, 0, 0, 0},
        StreamEntry{"a", "", 1, 0, 0, 0}}) {
    EXPECT_FALSE(writer.Follows(entry));
    EXPECT_EQ(ErrorCodeOf(writer.Add(entry)), kInternal);
  }
}

TEST_F(DirectoryWriterTest, TheIndexKnowsTheLargestVersion) {
  DirectoryOptions options;
  options.external_magic = 5;
  DirectoryWriter writer(*folder_, options);
  ASSERT_TRUE(writer.Add({"a", "", 3, 0, 0, 0}).ok());
  ASSERT_TRUE(writer.Add({"b", "", 9000000000, 0, 0, 0}).ok());
  ASSERT_TRUE(writer.Add({"c", "", 4, 0, 0, 0}).ok());
  ASSERT_TRUE(writer.Finish().ok());
  const auto manifest = ParseManifest(Contents(kManifestName));
  ASSERT_TRUE(manifest.ok()) << manifest.status();
  EXPECT_EQ(manifest->external_magic, 5);
  const auto table = Table::Open(*folder_, manifest->tables.at(1), nullptr, 8);
  ASSERT_TRUE(table.ok()) << table.status();
  EXPECT_EQ((*table)->index().max_version(), 9000000000u);
}

TEST_F(DirectoryWriterTest, Badger2LearnsTheNextVersionFromTheHead) {
  DirectoryOptions options;
  options.table.format = DiskFormat::kBadger2;
  DirectoryWriter writer(*folder_, options);
  ASSERT_TRUE(writer.Add({"a", "one", 3, 0, 0, 0}).ok());
  ASSERT_TRUE(writer.Add({"b", "two", 2, 0, 0, 0}).ok());
  ASSERT_TRUE(writer.Finish().ok());
  const auto manifest = ParseManifest(Contents(kManifestName));
  ASSERT_TRUE(manifest.ok()) << manifest.status();
  EXPECT_EQ(manifest->tables.at(1).level, 6u);
  EXPECT_EQ(manifest->tables.at(2).level, 0u);
  EXPECT_EQ(Contents("000000.vlog").size(), 20u);
  auto table = Table::Open(*folder_, manifest->tables.at(2), nullptr, 7);
  ASSERT_TRUE(table.ok()) << table.status();
  TableSource head(*std::move(table));
  ASSERT_TRUE(head.Seek("").ok());
  EXPECT_EQ(head.key().user_key, kHeadKey);
  EXPECT_EQ(head.key().version, 3u);
  ValuePointer pointer;
  ASSERT_TRUE(ParseValuePointer(head.value().bytes, pointer));
  EXPECT_EQ(pointer.file, 0u);
  EXPECT_EQ(pointer.size, 0u);
  EXPECT_EQ(pointer.offset, 20u);
}

TEST(EntryBufferTest, SortsKeysThatAFewBytesDoNotTell) {
  EntryBuffer buffer(1 << 20);
  const std::string zero("a\0", 2);
  for (const OwnedEntry& entry : std::vector<OwnedEntry>{{"aaaaaaaab", "1", 1},
                                                         {"aaaaaaaa", "2", 1},
                                                         {zero, "3", 1},
                                                         {"a", "4", 1},
                                                         {"a", "5", 2},
                                                         {"\xff", "6", 1},
                                                         {"a", "7", 2}}) {
    ASSERT_TRUE(buffer.Add(entry.View()));
  }
  EXPECT_EQ(
      Listed(*buffer.Sorted()),
      (std::vector<std::string>{"a@2=7", "a@1=4", zero + "@1=3", "aaaaaaaa@1=2",
                                "aaaaaaaab@1=1", "\xff@1=6"}));
  buffer.Clear();
  EXPECT_TRUE(Listed(*buffer.Sorted()).empty());
}

TEST(EntryBufferTest, TakesWhatFitsAndOneEntryAlways) {
  EntryBuffer buffer(1000);
  const std::string value(2000, 'v');
  EXPECT_TRUE(buffer.Add({"a", value, 1, 0, 0, 0}));
  EXPECT_FALSE(buffer.Add({"b", "", 1, 0, 0, 0}));
  buffer.Clear();
  int taken = 0;
  while (buffer.Add({"b", "0123456789", 1, 0, 0, 0})) ++taken;
  EXPECT_GT(taken, 10);
  EXPECT_LT(taken, 30);
}

TEST_F(DirectoryWriterTest, ARunGivesBackWhatWasWritten) {
  const std::string large(300 << 10, 'v');
  auto writer = RunWriter::Create(*folder_, "run");
  ASSERT_TRUE(writer.ok()) << writer.status();
  std::vector<std::string> wanted;
  for (uint64_t version = 50; version > 0; --version) {
    const std::string value = version % 10 == 0 ? large : "small";
    ASSERT_TRUE((*writer)->Add({"key", value, version, 0, 0, 0}).ok());
    wanted.push_back(absl::StrCat("key@", version, "=", value));
  }
  ASSERT_TRUE((*writer)->Finish().ok());
  const auto run = OpenRun(*folder_, "run");
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_EQ(Listed(**run), wanted);
  EXPECT_EQ(Listed(**run), wanted) << "again from its begin";
}

TEST_F(DirectoryWriterTest, ARunThatADiskChangedIsAnError) {
  auto writer = RunWriter::Create(*folder_, "run");
  ASSERT_TRUE((*writer)->Add({"key", "value", 1, 0, 0, 0}).ok());
  ASSERT_TRUE((*writer)->Finish().ok());
  const std::string bytes = Contents("run");
  for (size_t i = 0; i < bytes.size() * 2; ++i) {
    // Each byte changed, then the file cut before it.
    std::string changed =
        bytes.substr(0, i < bytes.size() ? i : i - bytes.size());
    if (i < bytes.size()) {
      changed = bytes;
      changed[i] ^= 0x10;
    }
    if (changed.empty() || (i >= 12 && i < 16)) continue;  // unused bytes
    const std::string name = absl::StrCat("run-", i);
    auto file = OutputFile::Create(*folder_, name);
    ASSERT_TRUE((*file)->Append(changed).ok());
    ASSERT_TRUE((*file)->SyncAndClose().ok());
    auto run = OpenRun(*folder_, name);
    ASSERT_TRUE(run.ok()) << run.status();
    absl::Status status = (*run)->Seek("");
    EXPECT_EQ(ErrorCodeOf(status), kSourceFailed) << i;
  }
}

}  // namespace
}  // namespace badger
}  // namespace sluice
