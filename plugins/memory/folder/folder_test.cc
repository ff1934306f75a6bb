// FolderSource and FolderTarget over real folders.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/file_system.h"
#include "sluice/base/store_id.h"
#include "sluice/plugins/memory/folder/folder_source.h"
#include "sluice/plugins/memory/folder/folder_target.h"
#include "sluice/plugins/memory/memory_source.h"
#include "sluice/plugins/memory/store/memory_store.h"
#include "sluice/plugins/sdk/testing/fake_sink.h"
#include "sluice/plugins/sdk/testing/scratch_folder.h"

namespace sluice {
namespace {

using Files = std::map<std::string, std::string>;

std::unique_ptr<sdk::Source> Load(const std::string& folder,
                                  const std::string& store_id = "") {
  return MakeFolderSource(FileSystem::Posix(), {folder, store_id});
}

std::unique_ptr<sdk::Source> Save(const std::string& folder) {
  return MakeFolderTarget(FileSystem::Posix(), {folder, ""});
}

absl::Status BackupFolder(const std::string& folder, sdk::Sink& sink) {
  return Load(folder)->Backup(sdk::Run(), {}, sink);
}

absl::Status RestoreFolder(const std::string& payload,
                           const std::string& folder, size_t piece = 70000) {
  sdk::FakePayload reader(payload, piece);
  sdk::FakeRestoreRequest request({&reader});
  return Save(folder)->Restore(sdk::Run(), request);
}

// The payload of a store of these keys and values.
std::string PayloadOf(const Files& entries) {
  auto store = *MemoryStore::Create("");
  for (const auto& [key, value] : entries) {
    EXPECT_TRUE(store->Put(key, value).ok());
  }
  sdk::FakeSink sink;
  EXPECT_TRUE(MakeMemorySource(store)->Backup(sdk::Run(), {}, sink).ok());
  return sink.payload;
}

bool HasWarning(const sdk::FakeSink& sink, absl::string_view prefix) {
  for (const std::string& warning : sink.warnings) {
    if (absl::StartsWith(warning, prefix)) return true;
  }
  return false;
}

uint32_t ModeOf(const std::string& path) {
  struct stat st;
  EXPECT_EQ(lstat(path.c_str(), &st), 0) << path;
  return st.st_mode & 07777;
}

TEST(FolderTest, BringsBackEveryRegularFileByteForByte) {
  ScratchFolder from;
  from.Write("empty", "");
  from.Write("a", "1");
  from.Write("a.b/c", "2");
  from.Write("a-b", "3");  // sorts between "a" and "a/..."
  from.Write("sub/deep/deeper/file", std::string(200000, 'x'));
  from.Write("sub/zeros", std::string(300000, '\0'));
  from.Write("sub/ends-in-zeros", "x" + std::string(400000, '\0'));
  from.Write("sub/zeros-within",
             "x" + std::string(400000, '\0') + "y" + std::string(70000, 'z'));
  from.Write("caf\xe9/\xff\xfe", "not UTF-8");
  from.Write("new\nline and space", "4");
  sdk::FakeSink sink(100000);
  ASSERT_TRUE(BackupFolder(from.path(), sink).ok());
  EXPECT_TRUE(sink.warnings.empty()) << sink.warnings.front();
  EXPECT_EQ(sink.counts["keys"], 10u);
  EXPECT_EQ(sink.counts["bytes"], 1370016u);
  EXPECT_NEAR(static_cast<double>(sink.estimate),
              static_cast<double>(sink.size), 1000);

  ScratchFolder to;
  const absl::Status status = RestoreFolder(sink.payload, to.Path("out"));
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_TRUE(FilesBelow(to.Path("out")) == FilesBelow(from.path()));
  EXPECT_FALSE(std::filesystem::exists(to.Path("out/.sluice-restore")));
  EXPECT_EQ(ModeOf(to.Path("out")), 0700u);
  EXPECT_EQ(ModeOf(to.Path("out/sub/deep")), 0700u);
  EXPECT_EQ(ModeOf(to.Path("out/a")), 0600u);
}

TEST(FolderTest, TheOrderIsTheKeysOwnAndTheSameEachTime) {
  ScratchFolder from;
  for (const char* name : {"b/x", "b", "b.c", "b-c", "b/a/z", "b0", "a/b"}) {
    if (std::string(name) != "b") from.Write(name, name);
  }
  sdk::FakeSink first;
  sdk::FakeSink second;
  ASSERT_TRUE(BackupFolder(from.path(), first).ok());  // keys must ascend
  ASSERT_TRUE(BackupFolder(from.path(), second).ok());
  EXPECT_EQ(first.payload, second.payload);
}

TEST(FolderTest, SymlinksAndOddFilesAreListedAndLeftOut) {
  ScratchFolder from;
  from.Write("file", "x");
  from.Write("outside/secret", "not through a link");
  std::filesystem::create_symlink("file", from.Path("link"));
  std::filesystem::create_symlink("outside", from.Path("folder-link"));
  std::filesystem::create_symlink("/nowhere", from.Path("dangling"));
  ASSERT_EQ(mkfifo(from.Path("fifo\n").c_str(), 0600), 0);
  std::filesystem::create_directory(from.Path("empty-folder"));
  sdk::FakeSink sink;
  ASSERT_TRUE(BackupFolder(from.path(), sink).ok());
  EXPECT_EQ(sink.warnings,
            (std::vector<std::string>{
                "skipped_symlink: dangling: a symlink, left out",
                "skipped_special_file: fifo\\n: not a regular file, left out",
                "skipped_symlink: folder-link: a symlink, left out",
                "skipped_symlink: link: a symlink, left out"}));
  EXPECT_EQ(sink.counts["keys"], 2u);
}

TEST(FolderTest, TheFolderItselfMayBeASymlink) {
  ScratchFolder from;
  from.Write("real/file", "x");
  std::filesystem::create_symlink("real", from.Path("link"));
  sdk::FakeSink sink;
  ASSERT_TRUE(BackupFolder(from.Path("link"), sink).ok());
  EXPECT_EQ(sink.counts["keys"], 1u);
  EXPECT_EQ(Load(from.Path("link"))->Describe(sdk::Run())->store_id,
            Load(from.Path("real"))->Describe(sdk::Run())->store_id);
}

TEST(FolderTest, AThousandWarningsAreListedAndTheRestCounted) {
  ScratchFolder from;
  for (int i = 0; i < 1003; ++i) {
    std::filesystem::create_symlink("x", from.Path(absl::StrCat("link", i)));
  }
  sdk::FakeSink sink;
  ASSERT_TRUE(BackupFolder(from.path(), sink).ok());
  EXPECT_EQ(sink.warnings.size(), 1001u);
  EXPECT_EQ(sink.warnings.back(),
            "skipped_symlink: and 3 more that are not listed");
}

TEST(FolderTest, AFolderThatIsNotThereIsAnError) {
  ScratchFolder from;
  from.Write("file", "x");
  for (const char* name : {"absent", "file"}) {
    sdk::FakeSink sink;
    EXPECT_EQ(ErrorCodeOf(BackupFolder(from.Path(name), sink)),
              kSourceUnavailable);
    EXPECT_EQ(ErrorCodeOf(Load(from.Path(name))->Describe(sdk::Run()).status()),
              kSourceUnavailable);
    EXPECT_EQ(sink.ends, 0);
  }
  EXPECT_FALSE(std::filesystem::exists(from.Path("absent")));
}

TEST(FolderTest, HasAStoreIdOfItsOwn) {
  ScratchFolder from;
  from.Write("a/x", "");
  from.Write("b/x", "");
  const auto id = [&](const std::string& folder, const std::string& given) {
    auto info = Load(folder, given)->Describe(sdk::Run());
    EXPECT_TRUE(info.ok());
    return info->store_id;
  };
  EXPECT_EQ(id(from.Path("a"), "given"), "given");
  EXPECT_TRUE(IsStoreId(id(from.Path("a"), "")));
  EXPECT_NE(id(from.Path("a"), ""), id(from.Path("b"), ""));
  EXPECT_EQ(id(from.Path("a"), ""), id(from.Path("b/../a/"), ""));
}

TEST(FolderTest, ATreeDeeperThanTheFoldersHeldOpen) {
  ScratchFolder from;
  std::string path;
  for (int i = 0; i < 80; ++i) absl::StrAppend(&path, "d/");
  from.Write(path + "file", "deep");
  from.Write("z", "after");
  sdk::FakeSink sink;
  ASSERT_TRUE(BackupFolder(from.path(), sink).ok());
  EXPECT_TRUE(sink.warnings.empty());
  ScratchFolder to;
  ASSERT_TRUE(RestoreFolder(sink.payload, to.path()).ok());
  EXPECT_TRUE(FilesBelow(to.path()) == FilesBelow(from.path()));
}

// A sink that does something once, when the first byte of a value was read.
class MeddlingSink : public sdk::FakeSink {
 public:
  explicit MeddlingSink(std::function<void()> meddle)
      : sdk::FakeSink(10000), meddle_(std::move(meddle)) {}
  absl::Status Commit(size_t bytes) override {
    if (meddle_) std::exchange(meddle_, nullptr)();
    return sdk::FakeSink::Commit(bytes);
  }

 private:
  std::function<void()> meddle_;
};

// Whatever happens to a file meanwhile, the payload can be restored.
void ExpectRestorable(const sdk::FakeSink& sink) {
  ScratchFolder to;
  EXPECT_TRUE(RestoreFolder(sink.payload, to.path()).ok());
}

TEST(FolderTest, AFileThatShrinksWhileReadIsAWarning) {
  ScratchFolder from;
  from.Write("file", std::string(50000, 'x'));
  MeddlingSink sink(
      [&] { ASSERT_EQ(truncate(from.Path("file").c_str(), 15000), 0); });
  ASSERT_TRUE(BackupFolder(from.path(), sink).ok());
  EXPECT_TRUE(HasWarning(sink, "file_changed: file"));
  EXPECT_LT(sink.counts["bytes"], 50000u);
  ExpectRestorable(sink);
}

TEST(FolderTest, AFileThatGrowsWhileReadIsAWarning) {
  ScratchFolder from;
  from.Write("file", std::string(50000, 'x'));
  MeddlingSink sink(
      [&] { ASSERT_EQ(truncate(from.Path("file").c_str(), 90000), 0); });
  ASSERT_TRUE(BackupFolder(from.path(), sink).ok());
  EXPECT_TRUE(HasWarning(sink, "file_changed: file"));
  EXPECT_EQ(sink.counts["bytes"], 50000u) << "the size that it had";
  ExpectRestorable(sink);
}

TEST(FolderTest, AFileRewrittenInPlaceWhileReadIsAWarning) {
  ScratchFolder from;
  from.Write("file", std::string(50000, 'x'));
  // Its time of change must differ, whatever the clock's grain is.
  std::filesystem::last_write_time(
      from.Path("file"),
      std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
  MeddlingSink sink([&] { from.Write("file", std::string(50000, 'y')); });
  ASSERT_TRUE(BackupFolder(from.path(), sink).ok());
  EXPECT_TRUE(HasWarning(sink, "file_changed: file"));
  ExpectRestorable(sink);
}

TEST(FolderTest, WhatVanishesAfterItWasListedIsAWarning) {
  ScratchFolder from;
  from.Write("a", std::string(50000, 'x'));
  from.Write("file", "x");
  from.Write("folder/file", "x");
  from.Write("replaced", "x");
  MeddlingSink sink([&] {
    std::filesystem::remove(from.Path("file"));
    std::filesystem::remove_all(from.Path("folder"));
    std::filesystem::remove(from.Path("replaced"));
    std::filesystem::create_symlink("/etc/passwd", from.Path("replaced"));
  });
  ASSERT_TRUE(BackupFolder(from.path(), sink).ok());
  EXPECT_TRUE(HasWarning(sink, "file_vanished: file"));
  EXPECT_TRUE(HasWarning(sink, "folder_vanished: folder"));
  EXPECT_TRUE(HasWarning(sink, "file_vanished: replaced"));
  EXPECT_EQ(sink.counts["keys"], 1u);
  ExpectRestorable(sink);
}

TEST(FolderTest, RestoresOnlyIntoAnEmptyFolder) {
  const std::string payload = PayloadOf({{"key", "value"}});
  ScratchFolder to;
  to.Write("used/mine", "mine");
  std::filesystem::create_directory(to.Path("empty"));
  EXPECT_FALSE(Save(to.Path("used"))->Describe(sdk::Run())->empty);
  EXPECT_TRUE(Save(to.Path("empty"))->Describe(sdk::Run())->empty);
  EXPECT_TRUE(Save(to.Path("absent"))->Describe(sdk::Run())->empty);
  EXPECT_FALSE(std::filesystem::exists(to.Path("absent")));
  EXPECT_EQ(ErrorCodeOf(RestoreFolder(payload, to.Path("used"))),
            kRestorePreconditionFailed);
  EXPECT_EQ(FilesBelow(to.Path("used")), (Files{{"mine", "mine"}}));
  EXPECT_TRUE(RestoreFolder(payload, to.Path("empty")).ok());
  EXPECT_EQ(FilesBelow(to.Path("empty")), (Files{{"key", "value"}}));
  const uint32_t mode = ModeOf(to.Path("empty"));
  EXPECT_NE(mode, 0700u) << "the mode of a folder that was there was changed";
}

// A payload in whose middle something else happens.
class InterruptedPayload : public sdk::FakePayload {
 public:
  InterruptedPayload(std::string bytes, std::function<void()> event)
      : sdk::FakePayload(std::move(bytes)), event_(std::move(event)) {}

  absl::StatusOr<absl::string_view> Next() override {
    if (event_) std::exchange(event_, nullptr)();
    return sdk::FakePayload::Next();
  }

 private:
  std::function<void()> event_;
};

TEST(FolderTest, ASecondRestoreIntoAFolderIsRefusedAndHarmsNothing) {
  ScratchFolder to;
  std::filesystem::create_directory(to.Path("there"));
  const std::string payload = PayloadOf({{"key", "value"}});
  for (const char* name : {"there", "absent"}) {
    absl::Status second;
    InterruptedPayload first(
        payload, [&] { second = RestoreFolder(payload, to.Path(name)); });
    sdk::FakeRestoreRequest request({&first});
    const absl::Status status =
        Save(to.Path(name))->Restore(sdk::Run(), request);
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_EQ(ErrorCodeOf(second), kRestorePreconditionFailed) << name;
    EXPECT_EQ(FilesBelow(to.Path(name)), (Files{{"key", "value"}}));
  }
}

TEST(FolderTest, AFolderWithoutAParentIsAnError) {
  ScratchFolder to;
  EXPECT_EQ(ErrorCodeOf(RestoreFolder(PayloadOf({{"k", "v"}}),
                                      to.Path("absent/folder"))),
            kSourceUnavailable);
  EXPECT_EQ(
      ErrorCodeOf(Save(to.Path("absent/f"))->Describe(sdk::Run()).status()),
      kSourceUnavailable);
}

TEST(FolderTest, KeysThatAreNoSafePathsAreRefusedAndNothingIsLeft) {
  const std::vector<std::string> unsafe = {
      "",
      "/absolute",
      "..",
      "../outside",
      "a/../../outside",
      ".",
      "a/./b",
      "a//b",
      "folder/",
      std::string("nul\0", 4),
      std::string(256, 'n'),
      "a/" + std::string(256, 'n'),
      ".sluice-restore",
      ".sluice-restore/publishing",
  };
  for (const std::string& key : unsafe) {
    ScratchFolder to;
    const std::string payload = PayloadOf({{"!good", "x"}, {key, "evil"}});
    EXPECT_EQ(ErrorCodeOf(RestoreFolder(payload, to.Path("out"))),
              kRestorePreconditionFailed)
        << key;
    EXPECT_TRUE(std::filesystem::is_empty(to.path())) << key;
  }
  ScratchFolder to;
  std::string deep;
  while (deep.size() < 4095) deep += "d/";
  EXPECT_EQ(
      ErrorCodeOf(RestoreFolder(PayloadOf({{deep + "x", ""}}), to.Path("out"))),
      kRestorePreconditionFailed);
}

TEST(FolderTest, AKeyThatIsAFileAndAFolderIsRefused) {
  ScratchFolder to;
  for (const Files& entries : {Files{{"a", ""}, {"a/b", ""}},
                               Files{{"a", ""}, {"a-", ""}, {"a/b", ""}},
                               Files{{"x/a", ""}, {"x/a/b", ""}}}) {
    EXPECT_EQ(ErrorCodeOf(RestoreFolder(PayloadOf(entries), to.Path("out"))),
              kRestorePreconditionFailed);
    EXPECT_TRUE(std::filesystem::is_empty(to.path()));
  }
}

TEST(FolderTest, NothingIsVisibleUnlessTheEndCame) {
  const std::string payload = PayloadOf({{"a", "1"}, {"b/c", "2"}});
  ScratchFolder to;
  std::filesystem::create_directory(to.Path("out"));
  for (size_t cut = 0; cut < payload.size(); ++cut) {
    EXPECT_EQ(
        ErrorCodeOf(RestoreFolder(payload.substr(0, cut), to.Path("out"))),
        kArchiveDamaged);
    ASSERT_TRUE(std::filesystem::is_empty(to.Path("out"))) << cut;
  }
  // Every byte came, and then the reader said that one of them was wrong.
  sdk::FakePayload reader(
      payload, 10,
      MakeError(absl::StatusCode::kDataLoss, kArchiveDamaged, "the last byte"));
  sdk::FakeRestoreRequest request({&reader});
  EXPECT_EQ(ErrorCodeOf(Save(to.Path("out"))->Restore(sdk::Run(), request)),
            kArchiveDamaged);
  EXPECT_TRUE(std::filesystem::is_empty(to.Path("out")));
}

TEST(FolderTest, AnUnfinishedRestoreIsNoStoreAndIsClearedByTheNext) {
  const std::string payload = PayloadOf({{"new/file", "new"}, {"z", "z"}});
  ScratchFolder to;
  // As a crash in the middle of publishing leaves it.
  to.Write("old/file", "old");
  to.Write(".sluice-restore/tree/rest", "rest");
  to.Write(".sluice-restore/publishing", std::string("old\0rest\0/end", 13));
  sdk::FakeSink sink;
  EXPECT_EQ(ErrorCodeOf(BackupFolder(to.path(), sink)), kSourceUnavailable);
  EXPECT_TRUE(Save(to.path())->Describe(sdk::Run())->empty);
  ASSERT_TRUE(RestoreFolder(payload, to.path()).ok());
  EXPECT_EQ(FilesBelow(to.path()), (Files{{"new/file", "new"}, {"z", "z"}}));
}

TEST(FolderTest, WhatAnUnfinishedRestoreDidNotWriteIsNotTouched) {
  const std::string payload = PayloadOf({{"new", "new"}});
  ScratchFolder to;
  to.Write("theirs", "theirs");
  to.Write(".sluice-restore/tree/rest", "rest");
  for (const std::string& list :
       {std::string("rest\0/end", 9), std::string("theirs\0rest\0", 12)}) {
    to.Write(".sluice-restore/publishing", list);
    EXPECT_FALSE(Save(to.path())->Describe(sdk::Run())->empty);
    EXPECT_EQ(ErrorCodeOf(RestoreFolder(payload, to.path())),
              kRestorePreconditionFailed);
    EXPECT_EQ(FilesBelow(to.path())["theirs"], "theirs");
  }
}

TEST(FolderTest, AnEmptyMarkerMeansThatNothingIsUnfinished) {
  ScratchFolder from;
  from.Write("file", "x");
  std::filesystem::create_directory(from.Path(".sluice-restore"));
  sdk::FakeSink sink;
  ASSERT_TRUE(BackupFolder(from.path(), sink).ok());
  EXPECT_EQ(sink.counts["keys"], 1u);
  EXPECT_TRUE(sink.warnings.empty());
}

TEST(FolderTest, SaysThatAFolderKeepsNoPayloadIds) {
  auto store = *MemoryStore::Create("");
  ASSERT_TRUE(store->Put("key", "value", {"block-1", "block-2"}).ok());
  sdk::FakeSink sink;
  ASSERT_TRUE(MakeMemorySource(store)->Backup(sdk::Run(), {}, sink).ok());
  ScratchFolder to;
  sdk::FakePayload reader(sink.payload);
  sdk::FakeRestoreRequest request({&reader});
  ASSERT_TRUE(Save(to.path())->Restore(sdk::Run(), request).ok());
  ASSERT_EQ(request.warnings.size(), 1u);
  EXPECT_TRUE(absl::StartsWith(request.warnings[0], "payload_ids_dropped: "));
}

TEST(FolderTest, EachIsForItsOwnDirection) {
  ScratchFolder folder;
  sdk::FakeSink sink;
  sdk::FakeRestoreRequest request({});
  EXPECT_EQ(ErrorCodeOf(Save(folder.path())->Backup(sdk::Run(), {}, sink)),
            kSourceConfigInvalid);
  EXPECT_EQ(ErrorCodeOf(Load(folder.path())->Restore(sdk::Run(), request)),
            kRestorePreconditionFailed);
}

TEST(FolderTest, AHoleStaysAHole) {
  ScratchFolder from;
  from.Write("sparse", "begin");
  const uint64_t size = uint64_t{16} << 20;
  std::filesystem::resize_file(from.Path("sparse"), size);
  sdk::FakeSink sink(1 << 20);
  ASSERT_TRUE(BackupFolder(from.path(), sink).ok());
  EXPECT_EQ(sink.counts["bytes"], size);
  EXPECT_TRUE(sink.warnings.empty());
  ScratchFolder to;
  ASSERT_TRUE(RestoreFolder(sink.payload, to.path(), 1 << 20).ok());
  EXPECT_TRUE(FilesBelow(to.path()) == FilesBelow(from.path()));
  struct stat st;
  ASSERT_EQ(stat(to.Path("sparse").c_str(), &st), 0);
  // A few blocks lie across the border of two pieces and are written.
  EXPECT_LT(static_cast<uint64_t>(st.st_blocks) * 512, size / 8);
}

}  // namespace
}  // namespace sluice
