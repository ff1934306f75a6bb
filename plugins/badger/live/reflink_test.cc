// A live backup on a file system that shares blocks, for which machines need a
// loop device and XFS: not a part of ./check.
//
//   bazel test -c opt //plugins/badger/live:reflink_test

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sluice/base/file_system.h"
#include "sluice/base/testing/private_mounts.h"
#include "sluice/plugins/badger/image/image.h"
#include "sluice/plugins/badger/live/live_copy.h"
#include "sluice/plugins/badger/live/scratch_area.h"
#include "sluice/plugins/badger/testing/fixture.h"
#include "sluice/plugins/sdk/run.h"

namespace sluice {
namespace badger {
namespace {

uint64_t FreeBytes(const std::string& folder) {
  struct statvfs info;
  EXPECT_EQ(statvfs(folder.c_str(), &info), 0);
  return uint64_t{info.f_bavail} * info.f_frsize;
}

int Shell(const std::string& command) {
  return system(absl::StrCat(command, " > /dev/null 2>&1").c_str());
}

// The database takes more than half of its disk, and what is left of that is
// filled up: there is no room for a copy that shares nothing.
TEST(ReflinkTest, ACopyOnTheDatabasesOwnXfsTakesNoRoomToSpeakOf) {
  ASSERT_EQ(EnterPrivateMounts(), "");
  const std::string root = testing::TempDir() + "/xfs";
  std::filesystem::create_directory(root);
  const std::string disk = root + ".img";
  ASSERT_EQ(Shell(absl::StrCat("truncate -s 1800M ", disk, " && mkfs.xfs -q ",
                               disk, " && mount -o loop ", disk, " ", root)),
            0);
  const std::string db = root + "/db";
  ASSERT_EQ(Shell(absl::StrCat("badger benchmark write -m 2 --val-size 128 "
                               "--dir ",
                               db)),
            0);
  sync();
  const uint64_t database = AllocatedBytes(db);
  ASSERT_GT(database, uint64_t{100} << 20);
  const uint64_t left = AllocatedBytesOfOpenLogs(db) + (uint64_t{16} << 20);
  ASSERT_LT(left, database / 2);
  ASSERT_EQ(Shell(absl::StrCat("fallocate -l ", FreeBytes(root) - left, " ",
                               root, "/filler")),
            0);

  const auto scratch = ScratchArea::Create(root, {db});
  ASSERT_TRUE(scratch.ok()) << scratch.status();
  EXPECT_FALSE((*scratch)->CheckRoom(database).ok());
  const absl::Status room = (*scratch)->CheckRoomForCopyOf({db});
  ASSERT_TRUE(room.ok()) << room;
  LiveCopyOptions options;
  options.folder = db;
  options.max_held_logs = 0;  // all of it is to be in the copy
  LiveCopy copy(options, FileSystem::Posix(), FileSystem::Posix(),
                (*scratch)->path(), sdk::Run());
  size_t versions = 0;
  const absl::Status status = copy.Take([&](const ImageOptions& image) {
    const auto listed = List(image);
    if (listed.ok()) versions = listed->versions.size();
    return listed.status();
  });
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(versions, 2000000u);
  EXPECT_TRUE(std::filesystem::remove_all(db) > 0);  // the copy is whole
  ImageOptions image;
  image.folder = copy.folder();
  const auto listed = List(image);
  ASSERT_TRUE(listed.ok()) << listed.status();
  EXPECT_EQ(listed->versions.size(), versions);
  EXPECT_EQ(umount2(root.c_str(), MNT_DETACH), 0);
}

TEST(ReflinkTest, AFileSystemThatSharesNothingIsAskedForAllOfIt) {
  const std::string root = testing::TempDir() + "/tmpfs";
  std::filesystem::create_directory(root);
  ASSERT_EQ(mount("none", root.c_str(), "tmpfs", 0, "size=64m"), 0);
  std::filesystem::create_directory(root + "/db");
  WriteBytes(root + "/db/000001.sst", std::string(40 << 20, 'x'));
  const auto scratch = ScratchArea::Create(root, {root + "/db"});
  ASSERT_TRUE(scratch.ok()) << scratch.status();
  EXPECT_FALSE((*scratch)->CheckRoomForCopyOf({root + "/db"}).ok());
}

}  // namespace
}  // namespace badger
}  // namespace sluice
