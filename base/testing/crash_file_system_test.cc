#include "sluice/base/testing/crash_file_system.h"

#include <errno.h>
#include <fcntl.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sluice {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsSupersetOf;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

std::string Read(FileSystem& fs, const std::string& path) {
  auto file = fs.Open(path, O_RDONLY, 0);
  if (!file.ok()) return file.error == ENOENT ? "none" : "error";
  std::string content(file.value->Stat().value.size, '?');
  EXPECT_EQ(file.value->Read(absl::MakeSpan(content)).value, content.size());
  return content;
}

std::unique_ptr<File> Create(FileSystem& fs, const std::string& path,
                             absl::string_view content) {
  auto file = fs.Open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
  EXPECT_EQ(file.error, 0);
  EXPECT_EQ(file.value->Write(content).value, content.size());
  return std::move(file.value);
}

// All contents that `path` can have after a power cut, "none" among them.
std::set<std::string> Outcomes(const CrashFileSystem& disk,
                               const std::string& path, size_t from_mark) {
  std::set<std::string> all;
  disk.ForEachCrash({}, [&](const CrashedDisk& crashed) {
    if (crashed.marks() >= from_mark) all.insert(Read(*crashed.Mount(), path));
    return true;
  });
  return all;
}

TEST(CrashFileSystemTest, BehavesLikeAFileSystem) {
  CrashFileSystem fs;
  EXPECT_EQ(fs.MakeDirectory("/a", 0700), 0);
  EXPECT_EQ(fs.MakeDirectory("/a", 0700), EEXIST);
  EXPECT_EQ(fs.MakeDirectory("/x/y", 0700), ENOENT);
  auto file = Create(fs, "/a/f", "hello");
  EXPECT_EQ(fs.Open("/a/f", O_WRONLY | O_CREAT | O_EXCL, 0600).error, EEXIST);
  EXPECT_EQ(fs.Open("/a", O_WRONLY, 0).error, EISDIR);
  EXPECT_EQ(fs.Open("/a/f/g", O_RDONLY, 0).error, ENOTDIR);
  EXPECT_EQ(file->WriteAt(7, "x").value, 1u);
  EXPECT_EQ(Read(fs, "/a/f"), std::string("hello\0\0x", 8));
  EXPECT_EQ(file->Truncate(4), 0);
  char buffer[8];
  EXPECT_EQ(file->ReadAt(1, absl::MakeSpan(buffer)).value, 3u);
  EXPECT_EQ(fs.Stat("/a/f").value.size, 4u);
  EXPECT_EQ(fs.Link("/a/f", "/a/g"), 0);
  EXPECT_EQ(fs.Link("/a/f", "/a/g"), EEXIST);
  EXPECT_EQ(fs.Stat("/a/f").value.links, 2u);
  EXPECT_EQ(fs.RenameNoReplace("/a/f", "/a/g"), EEXIST);
  EXPECT_EQ(fs.RemoveDirectory("/a"), ENOTEMPTY);
  EXPECT_EQ(fs.Unlink("/a/g"), 0);
  EXPECT_EQ(fs.Unlink("/a/g"), ENOENT);
  EXPECT_EQ(fs.RenameNoReplace("/a/f", "/a/g"), 0);
  EXPECT_EQ(fs.Rename("/a/g", "/top"), 0);
  EXPECT_EQ(fs.List("/").value.size(), 2u);
  EXPECT_EQ(fs.RemoveDirectory("/a"), 0);
  EXPECT_EQ(fs.Unlink("/top"), 0);
  EXPECT_EQ(file->Read(absl::MakeSpan(buffer)).value, 0u);
  EXPECT_EQ(file->Seek(0), 0);
  EXPECT_EQ(file->Read(absl::MakeSpan(buffer)).value, 4u)
      << "an open file stays without a name";
  EXPECT_EQ(file->Close(), 0);
  EXPECT_EQ(file->Close(), EBADF);
  EXPECT_EQ(file->Write("x").error, EBADF);
}

TEST(CrashFileSystemTest, StaysBeneathAFolder) {
  CrashFileSystem fs;
  ASSERT_EQ(fs.MakeDirectory("/a", 0700), 0);
  Create(fs, "/victim", "x");
  auto beneath = fs.Beneath("/a");
  ASSERT_TRUE(beneath.ok());
  Create(*beneath.value, "f", "y");
  EXPECT_EQ(Read(fs, "/a/f"), "y");
  EXPECT_EQ(beneath.value->Unlink("../victim"), EXDEV);
  EXPECT_EQ(beneath.value->Unlink("/victim"), EXDEV);
  EXPECT_EQ(beneath.value->List(".").value.size(), 1u);
  EXPECT_EQ(fs.Beneath("/victim").error, ENOTDIR);
  EXPECT_EQ(fs.Beneath("/none").error, ENOENT);
}

TEST(CrashFileSystemTest, KeepsAllThatWasSyncedAndNothingSurely) {
  CrashFileSystem disk;
  auto file = Create(disk, "/f", "hello");
  ASSERT_EQ(file->Sync(), 0);
  disk.Mark("content synced");
  EXPECT_THAT(Outcomes(disk, "/f", 1), UnorderedElementsAre("none", "hello"));
  ASSERT_EQ(disk.SyncDirectory("/"), 0);
  disk.Mark("name synced");
  EXPECT_THAT(Outcomes(disk, "/f", 2), UnorderedElementsAre("hello"));
}

TEST(CrashFileSystemTest, KeepsNamesAndContentsApart) {
  CrashFileSystem disk;
  Create(disk, "/f", "hello");
  ASSERT_EQ(disk.SyncDirectory("/"), 0);
  disk.Mark("name synced");
  EXPECT_THAT(Outcomes(disk, "/f", 1),
              UnorderedElementsAre("", std::string(5, '\0'), "hello"));
}

TEST(CrashFileSystemTest, LosesAFolderWhoseParentWasNotSynced) {
  CrashFileSystem disk;
  ASSERT_EQ(disk.MakeDirectory("/a", 0700), 0);
  auto file = Create(disk, "/a/f", "hello");
  ASSERT_EQ(file->Sync(), 0);
  ASSERT_EQ(disk.SyncDirectory("/a"), 0);
  disk.Mark("all but the folder's name");
  EXPECT_THAT(Outcomes(disk, "/a/f", 1), UnorderedElementsAre("none", "hello"));
}

TEST(CrashFileSystemTest, ReordersWhatWasNotSynced) {
  CrashFileSystem disk;
  auto file = Create(disk, "/f", "");
  ASSERT_EQ(disk.SyncDirectory("/"), 0);
  disk.Settle();
  EXPECT_TRUE(file->WriteAt(0, "a").ok());
  EXPECT_TRUE(file->WriteAt(1, "b").ok());
  EXPECT_THAT(Outcomes(disk, "/f", 0),
              IsSupersetOf({std::string("\0b", 2), std::string("a"),
                            std::string("ab"), std::string("")}));
}

TEST(CrashFileSystemTest, TearsWritesAtBlocks) {
  CrashFileSystem disk;
  auto file = Create(disk, "/f", std::string(10000, 'o'));
  ASSERT_EQ(file->Sync(), 0);
  ASSERT_EQ(disk.SyncDirectory("/"), 0);
  disk.Settle();
  EXPECT_TRUE(file->WriteAt(0, std::string(10000, 'n')).ok());
  std::set<size_t> news;
  for (const std::string& content : Outcomes(disk, "/f", 0)) {
    ASSERT_EQ(content.size(), 10000u);
    news.insert(std::count(content.begin(), content.end(), 'n'));
  }
  // Nothing, up to a block of 512 or 4,096 in the middle, the last block, all.
  EXPECT_THAT(news, ElementsAre(0, 272, 4096, 4608, 10000));
}

TEST(CrashFileSystemTest, OnlyTheOldOrTheNewAfterACarefulRename) {
  CrashFileSystem disk;
  Create(disk, "/f", "old")->Sync();
  ASSERT_EQ(disk.SyncDirectory("/"), 0);
  disk.Settle();
  auto file = Create(disk, "/tmp", "new");
  ASSERT_EQ(file->Sync(), 0);
  ASSERT_EQ(disk.Rename("/tmp", "/f"), 0);
  EXPECT_THAT(Outcomes(disk, "/f", 0), UnorderedElementsAre("old", "new"));
  ASSERT_EQ(disk.SyncDirectory("/"), 0);
  disk.Mark("replaced");
  EXPECT_THAT(Outcomes(disk, "/f", 1), UnorderedElementsAre("new"));
}

TEST(CrashFileSystemTest, ShowsWhatADroppedSyncCosts) {
  for (const int64_t dropped : {1, 2}) {
    CrashFileSystem disk;
    disk.DropSync(dropped);
    auto file = Create(disk, "/tmp", "new");
    EXPECT_EQ(file->Sync(), 0);
    EXPECT_EQ(disk.Rename("/tmp", "/f"), 0);
    EXPECT_EQ(disk.SyncDirectory("/"), 0);
    EXPECT_EQ(disk.syncs(), 2);
    disk.Mark("published");
    EXPECT_THAT(Outcomes(disk, "/f", 1), Contains(dropped == 1 ? "" : "none"));
  }
}

TEST(CrashFileSystemTest, KeepsAllOfItOnceTheFileSystemWasSynced) {
  CrashFileSystem disk;
  ASSERT_EQ(disk.MakeDirectory("/a", 0700), 0);
  Create(disk, "/a/f", "hello");
  auto beneath = disk.Beneath("/a");
  auto root = beneath.value->Open(".", O_RDONLY | O_DIRECTORY, 0);
  ASSERT_TRUE(root.ok());
  Create(disk, "/g", "outside of what it was asked of");
  EXPECT_EQ(root.value->SyncFileSystem(), 0);
  EXPECT_EQ(disk.syncs(), 1);
  disk.Mark("all synced");
  Create(disk, "/h", "later");
  EXPECT_THAT(Outcomes(disk, "/a/f", 1), UnorderedElementsAre("hello"));
  EXPECT_THAT(Outcomes(disk, "/g", 1),
              UnorderedElementsAre("outside of what it was asked of"));
  EXPECT_THAT(Outcomes(disk, "/h", 1), Contains("none"));
}

TEST(CrashFileSystemTest, NeverMakesGoodWhatAFailedSyncOfAllGaveUp) {
  CrashFileSystem disk;
  disk.FailSync(1);
  auto file = Create(disk, "/f", "hello");
  EXPECT_EQ(file->SyncFileSystem(), EIO);
  EXPECT_EQ(file->SyncFileSystem(), 0) << "the kernel has forgotten";
  disk.Mark("said to be synced");
  EXPECT_THAT(Outcomes(disk, "/f", 1), Contains(""));
}

TEST(CrashFileSystemTest, NeverMakesGoodWhatAFailedSyncGaveUp) {
  CrashFileSystem disk;
  disk.FailSync(1);
  auto file = Create(disk, "/f", "hello");
  EXPECT_EQ(file->Sync(), EIO);
  EXPECT_EQ(file->Sync(), 0) << "the kernel has forgotten";
  EXPECT_EQ(disk.SyncDirectory("/"), 0);
  disk.Mark("said to be synced");
  EXPECT_THAT(Outcomes(disk, "/f", 1), Contains(""));
  auto anew = Create(disk, "/g", "hello");
  EXPECT_EQ(anew->Sync(), 0);
  EXPECT_EQ(disk.SyncDirectory("/"), 0);
  disk.Mark("written anew");
  EXPECT_THAT(Outcomes(disk, "/g", 2), Not(Contains("")));
}

TEST(CrashFileSystemTest, EnumeratesTheSameStatesEachTimeAndThousandsOfThem) {
  const auto publish = [](CrashFileSystem& disk) {
    for (int i = 0; i < 10; ++i) {
      const std::string folder = "/" + std::to_string(i);
      disk.MakeDirectory(folder, 0700);
      auto file = Create(disk, folder + "/tmp", std::string(6000, 'x'));
      EXPECT_TRUE(file->Write(std::string(6000, 'y')).ok());
      if (i % 3 == 0) file->Sync();
      disk.Rename(folder + "/tmp", folder + "/final");
      if (i % 2 == 0) disk.SyncDirectory(folder);
    }
  };
  std::vector<std::string> texts[2];
  CrashStateCount counts[2];
  for (int run = 0; run < 2; ++run) {
    CrashFileSystem disk;
    publish(disk);
    counts[run] = disk.ForEachCrash({}, [&](const CrashedDisk& crashed) {
      texts[run].push_back(crashed.text());
      return true;
    });
  }
  std::printf("crash states: %zu of %zu selections at %zu points\n",
              counts[0].states, counts[0].selections, counts[0].points);
  EXPECT_EQ(texts[0], texts[1]);
  EXPECT_EQ(texts[0].size(), counts[0].states);
  EXPECT_GE(counts[0].states, 1000u);
  EXPECT_FALSE(counts[0].stopped);
}

TEST(CrashFileSystemTest, StopsWhenTheVisitorHasSeenEnough) {
  CrashFileSystem disk;
  Create(disk, "/f", "hello");
  int visited = 0;
  const auto count =
      disk.ForEachCrash({}, [&](const CrashedDisk&) { return ++visited < 2; });
  EXPECT_EQ(visited, 2);
  EXPECT_TRUE(count.stopped);
}

TEST(CrashFileSystemTest, MountsFreshDisksThatGoOnByThemselves) {
  CrashFileSystem disk;
  Create(disk, "/f", "hello")->Sync();
  ASSERT_EQ(disk.SyncDirectory("/"), 0);
  disk.ForEachCrash({}, [&](const CrashedDisk& crashed) {
    auto first = crashed.Mount();
    auto second = crashed.Mount();
    Create(*first, "/g", "only here");
    EXPECT_EQ(Read(*second, "/g"), "none");
    if (Read(*first, "/f") == "hello") {
      auto file = first->Open("/f", O_WRONLY, 0);
      EXPECT_EQ(file.value->Write("J").value, 1u);
      EXPECT_EQ(Read(*first, "/f"), "Jello");
      EXPECT_EQ(Read(*second, "/f"), "hello");
    }
    return true;
  });
  EXPECT_EQ(Read(disk, "/f"), "hello");
  EXPECT_EQ(Read(disk, "/g"), "none");
}

}  // namespace
}  // namespace sluice
