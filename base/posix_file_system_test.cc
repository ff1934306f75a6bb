// The machine's file system, in a real folder.

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/file_system.h"

namespace sluice {
namespace {

using ::testing::ElementsAre;

class PosixFileSystemTest : public ::testing::Test {
 protected:
  PosixFileSystemTest() {
    std::string pattern = ::testing::TempDir() + "/posix-XXXXXX";
    folder_ = mkdtemp(pattern.data());
  }

  std::string At(const std::string& name) const { return folder_ + "/" + name; }

  void Put(const std::string& path, const std::string& content) {
    auto file = fs_->Open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    ASSERT_EQ(file.error, 0);
    ASSERT_EQ(file.value->Write(content).value, content.size());
    ASSERT_EQ(file.value->Close(), 0);
  }

  std::string Get(const std::string& path) {
    auto file = fs_->Open(path, O_RDONLY, 0);
    if (!file.ok()) return "errno " + std::to_string(file.error);
    char buffer[256];
    return std::string(buffer, file.value->Read(absl::MakeSpan(buffer)).value);
  }

  FileSystem* const fs_ = FileSystem::Posix();
  std::string folder_;
};

TEST_F(PosixFileSystemTest, ReadsWhatItWrote) {
  auto file = fs_->Open(At("f"), O_RDWR | O_CREAT | O_EXCL, 0600);
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(file.value->Write("hello").value, 5u);
  EXPECT_EQ(file.value->WriteAt(5, " world").value, 6u);
  EXPECT_EQ(file.value->Sync(), 0);
  char buffer[16];
  EXPECT_EQ(file.value->ReadAt(6, absl::MakeSpan(buffer)).value, 5u);
  EXPECT_EQ(std::string(buffer, 5), "world");
  EXPECT_EQ(file.value->Seek(1), 0);
  EXPECT_EQ(file.value->Read(absl::MakeSpan(buffer, 4)).value, 4u);
  EXPECT_EQ(std::string(buffer, 4), "ello");
  EXPECT_EQ(file.value->Truncate(3), 0);
  EXPECT_EQ(file.value->Stat().value.size, 3u);
  EXPECT_EQ(file.value->Close(), 0);
  EXPECT_EQ(file.value->Close(), EBADF);
  EXPECT_EQ(Get(At("f")), "hel");
}

TEST_F(PosixFileSystemTest, SyncsAllOfAFileSystemOrSaysThatItCannot) {
  auto folder = fs_->Beneath(folder_);
  ASSERT_TRUE(folder.ok());
  auto root = folder.value->Open(".", O_RDONLY | O_DIRECTORY, 0);
  ASSERT_TRUE(root.ok());
  Put(At("f"), "x");
  struct statfs fs;
  ASSERT_EQ(statfs(folder_.c_str(), &fs), 0);
  const bool known = fs.f_type == EXT4_SUPER_MAGIC || fs.f_type == TMPFS_MAGIC;
  const int error = root.value->SyncFileSystem();
  EXPECT_TRUE(error == 0 || (!known && error == ENOTSUP)) << error;
  EXPECT_EQ(root.value->Close(), 0);
  EXPECT_EQ(root.value->SyncFileSystem(), EBADF);
}

TEST_F(PosixFileSystemTest, NeverSyncsAFileSystemThatMightNotTellOfLosses) {
  auto file = fs_->Open("/proc/self/status", O_RDONLY, 0);
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(file.value->SyncFileSystem(), ENOTSUP);
}

TEST_F(PosixFileSystemTest, AdviceToBeginWritingChangesNothingOfAFile) {
  auto file = fs_->Open(At("f"), O_WRONLY | O_CREAT | O_EXCL, 0600);
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(file.value->Write("hello").value, 5u);
  file.value->StartWriteback(0, 5);
  file.value->StartWriteback(0, uint64_t{1} << 40);
  EXPECT_EQ(file.value->Stat().value.size, 5u);
  EXPECT_EQ(file.value->Write("!").value, 1u);
  EXPECT_EQ(file.value->Sync(), 0);
  EXPECT_EQ(file.value->Close(), 0);
  file.value->StartWriteback(0, 5);  // on nothing
  EXPECT_EQ(Get(At("f")), "hello!");
}

TEST_F(PosixFileSystemTest, AnswersTheErrnoOfEachRefusal) {
  Put(At("file"), "x");
  EXPECT_EQ(fs_->Open(At("none"), O_RDONLY, 0).error, ENOENT);
  EXPECT_EQ(fs_->Open(At("file"), O_WRONLY | O_CREAT | O_EXCL, 0600).error,
            EEXIST);
  EXPECT_EQ(fs_->Open(folder_, O_WRONLY, 0).error, EISDIR);
  EXPECT_EQ(fs_->Stat(At("file/below")).error, ENOTDIR);
  EXPECT_EQ(fs_->List(At("file")).error, ENOTDIR);
  EXPECT_EQ(fs_->SyncDirectory(At("none")), ENOENT);
  EXPECT_EQ(fs_->MakeDirectory(folder_, 0700), EEXIST);
  EXPECT_EQ(fs_->RemoveDirectory(folder_), ENOTEMPTY);
  EXPECT_EQ(fs_->Unlink(At("none")), ENOENT);
  EXPECT_EQ(fs_->Open(At(std::string(256, 'n')), O_RDONLY, 0).error,
            ENAMETOOLONG);
  EXPECT_EQ(fs_->Open(std::string("nul\0byte", 8), O_RDONLY, 0).error, EINVAL);
}

TEST_F(PosixFileSystemTest, RenamesWithoutReplacingOnlyWhenAskedTo) {
  Put(At("old"), "old");
  Put(At("new"), "new");
  EXPECT_EQ(fs_->RenameNoReplace(At("new"), At("old")), EEXIST);
  EXPECT_EQ(Get(At("old")), "old");
  EXPECT_EQ(fs_->Rename(At("new"), At("old")), 0);
  EXPECT_EQ(Get(At("old")), "new");
  EXPECT_EQ(fs_->RenameNoReplace(At("old"), At("free")), 0);
  EXPECT_EQ(Get(At("free")), "new");
  EXPECT_EQ(fs_->Link(At("free"), At("twin")), 0);
  EXPECT_EQ(fs_->Stat(At("twin")).value.inode,
            fs_->Stat(At("free")).value.inode);
  EXPECT_EQ(fs_->Link(At("free"), At("twin")), EEXIST);
}

TEST_F(PosixFileSystemTest, ListsEntriesWithTheirTypes) {
  Put(At("file"), "x");
  ASSERT_EQ(fs_->MakeDirectory(At("folder"), 0700), 0);
  ASSERT_EQ(symlink("file", At("link").c_str()), 0);
  ASSERT_EQ(mkfifo(At("pipe").c_str(), 0600), 0);
  auto entries = fs_->List(folder_).value;
  std::sort(entries.begin(), entries.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  std::vector<std::string> names;
  std::vector<FileInfo::Type> types;
  for (const DirectoryEntry& entry : entries) {
    names.push_back(entry.name);
    types.push_back(entry.type);
  }
  EXPECT_THAT(names, ElementsAre("file", "folder", "link", "pipe"));
  EXPECT_THAT(types,
              ElementsAre(FileInfo::Type::kRegular, FileInfo::Type::kDirectory,
                          FileInfo::Type::kSymlink, FileInfo::Type::kOther));
  EXPECT_EQ(fs_->Stat(At("link")).value.type, FileInfo::Type::kSymlink);
}

TEST_F(PosixFileSystemTest, GivesTheAskedModeUnderAnyUmask) {
  for (const mode_t mask : {0000, 0022, 0077, 0177, 0277, 0777}) {
    const std::string name = "umask" + std::to_string(mask);
    const mode_t before = umask(mask);
    const int file =
        fs_->Open(At(name), O_WRONLY | O_CREAT | O_EXCL, 0600).error;
    const int folder = fs_->MakeDirectory(At(name + "d"), 0700);
    umask(before);
    ASSERT_EQ(file, 0);
    ASSERT_EQ(folder, 0);
    EXPECT_EQ(fs_->Stat(At(name)).value.mode, 0600u) << mask;
    EXPECT_EQ(fs_->Stat(At(name + "d")).value.mode, 0700u) << mask;
  }
}

TEST_F(PosixFileSystemTest, LeavesTheModeOfWhatWasThereAlone) {
  Put(At("theirs"), "x");
  ASSERT_EQ(chmod(At("theirs").c_str(), 0644), 0);
  ASSERT_TRUE(fs_->Open(At("theirs"), O_WRONLY | O_CREAT, 0600).ok());
  EXPECT_EQ(fs_->Stat(At("theirs")).value.mode, 0644u);
}

TEST_F(PosixFileSystemTest, OpensNothingThatAChildWouldInherit) {
  auto file = fs_->Open(At("f"), O_WRONLY | O_CREAT, 0600);
  auto beneath = fs_->Beneath(folder_);
  ASSERT_TRUE(file.ok());
  ASSERT_TRUE(beneath.ok());
  for (const DirectoryEntry& entry : fs_->List("/proc/self/fd").value) {
    const int fd = std::stoi(entry.name);
    char target[4096];
    const ssize_t size = readlink(("/proc/self/fd/" + entry.name).c_str(),
                                  target, sizeof(target));
    if (size < 0 || std::string(target, size).rfind(folder_, 0) != 0) continue;
    EXPECT_NE(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0) << entry.name;
  }
}

TEST_F(PosixFileSystemTest, GoesOnWhenASignalInterrupts) {
  struct sigaction action = {};
  action.sa_handler = [](int) {};  // no SA_RESTART: calls end with EINTR
  struct sigaction before;
  ASSERT_EQ(sigaction(SIGUSR1, &action, &before), 0);
  ASSERT_EQ(mkfifo(At("pipe").c_str(), 0600), 0);

  std::atomic<bool> done = false;
  IoResult<size_t> got;
  char buffer[8];
  std::thread reader([&] {
    auto file = fs_->Open(At("pipe"), O_RDONLY, 0);  // waits for a writer
    got.error = file.error;
    if (file.ok()) got = file.value->Read(absl::MakeSpan(buffer));
    done = true;
  });
  std::unique_ptr<File> writer;
  for (int signals = 0; !done; ++signals) {
    pthread_kill(reader.native_handle(), SIGUSR1);
    std::this_thread::yield();
    if (signals == 1000) {
      writer = std::move(fs_->Open(At("pipe"), O_WRONLY, 0).value);
    }
    if (signals == 2000) {
      EXPECT_TRUE(writer->Write("data").ok());
    }
  }
  reader.join();
  sigaction(SIGUSR1, &before, nullptr);
  EXPECT_EQ(got.error, 0);
  EXPECT_EQ(std::string(buffer, got.value), "data");
}

TEST_F(PosixFileSystemTest, StaysBeneathItsFolder) {
  ASSERT_EQ(fs_->MakeDirectory(At("root"), 0700), 0);
  ASSERT_EQ(fs_->MakeDirectory(At("root/in"), 0700), 0);
  ASSERT_EQ(fs_->MakeDirectory(At("out"), 0700), 0);
  Put(At("out/victim"), "precious");
  ASSERT_EQ(symlink("../out", At("root/link").c_str()), 0);
  ASSERT_EQ(symlink("../out/victim", At("root/file").c_str()), 0);
  auto opened = fs_->Beneath(At("root"));
  ASSERT_TRUE(opened.ok());
  FileSystem& beneath = *opened.value;

  EXPECT_EQ(beneath.Open("link/victim", O_RDONLY, 0).error, ENOTDIR);
  EXPECT_EQ(beneath.Open("file", O_RDONLY, 0).error, ELOOP);
  EXPECT_EQ(beneath.Open("file", O_WRONLY | O_TRUNC, 0).error, ELOOP);
  EXPECT_EQ(beneath.Open("link/new", O_WRONLY | O_CREAT, 0600).error, ENOTDIR);
  EXPECT_EQ(beneath.Open("../out/victim", O_RDONLY, 0).error, EXDEV);
  EXPECT_EQ(beneath.Open("in/../../out/victim", O_RDONLY, 0).error, EXDEV);
  EXPECT_EQ(beneath.Open(At("out/victim"), O_RDONLY, 0).error, EXDEV);
  EXPECT_EQ(beneath.Open("..", O_RDONLY, 0).error, EXDEV);
  EXPECT_EQ(beneath.Unlink("link/victim"), ENOTDIR);
  EXPECT_EQ(beneath.MakeDirectory("link/new", 0700), ENOTDIR);
  EXPECT_EQ(beneath.SyncDirectory("link"), ENOTDIR);
  EXPECT_EQ(beneath.List("link").error, ENOTDIR);
  EXPECT_EQ(beneath.Stat("link/victim").error, ENOTDIR);
  EXPECT_EQ(beneath.Rename("link/victim", "in/stolen"), ENOTDIR);
  EXPECT_EQ(beneath.Link("link/victim", "in/stolen"), ENOTDIR);
  EXPECT_EQ(beneath.Beneath("link").error, ENOTDIR);
  EXPECT_EQ(beneath.Beneath("..").error, EXDEV);
  EXPECT_EQ(Get(At("out/victim")), "precious");
  EXPECT_EQ(fs_->List(At("out")).value.size(), 1u);

  auto file = beneath.Open("in/f", O_WRONLY | O_CREAT | O_EXCL, 0600);
  ASSERT_TRUE(file.ok());
  EXPECT_EQ(file.value->Write("x").value, 1u);
  EXPECT_EQ(beneath.RenameNoReplace("in/f", "in/g"), 0);
  EXPECT_EQ(beneath.SyncDirectory("in"), 0);
  EXPECT_EQ(beneath.SyncDirectory("."), 0);
  EXPECT_EQ(beneath.List("in").value.size(), 1u);
  EXPECT_EQ(Get(At("root/in/g")), "x");
}

TEST_F(PosixFileSystemTest, FollowsTheFolderThatItWasOpenedOn) {
  ASSERT_EQ(fs_->MakeDirectory(At("mine"), 0700), 0);
  ASSERT_EQ(fs_->MakeDirectory(At("theirs"), 0700), 0);
  auto beneath = fs_->Beneath(At("mine"));
  ASSERT_TRUE(beneath.ok());
  ASSERT_EQ(fs_->Rename(At("mine"), At("moved")), 0);
  ASSERT_EQ(symlink("theirs", At("mine").c_str()), 0);
  EXPECT_EQ(beneath.value->MakeDirectory("new", 0700), 0);
  EXPECT_TRUE(fs_->Stat(At("moved/new")).ok());
  EXPECT_EQ(fs_->List(At("theirs")).value.size(), 0u);
}

TEST_F(PosixFileSystemTest, KnowsOfNoLimitOnAnOrdinaryFileSystem) {
  EXPECT_EQ(fs_->LargestFile(folder_).error, 0);
  EXPECT_EQ(fs_->LargestFile(folder_).value, 0u);
}

}  // namespace
}  // namespace sluice
