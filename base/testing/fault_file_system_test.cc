#include "sluice/base/testing/fault_file_system.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/file_system.h"
#include "sluice/base/testing/crash_file_system.h"

namespace sluice {
namespace {

using ::testing::ElementsAre;

// Writes a file and renames it; the first error, or 0.
int Publish(FileSystem& fs, const std::string& folder = "") {
  auto file = fs.Open(folder + "/tmp", O_WRONLY | O_CREAT | O_EXCL, 0600);
  if (!file.ok()) return file.error;
  const IoResult<size_t> written = file.value->Write("0123456789");
  if (!written.ok()) return written.error;
  if (written.value != 10) return -1;
  if (int error = file.value->Sync(); error != 0) return error;
  if (int error = file.value->Close(); error != 0) return error;
  if (int error = fs.RenameNoReplace(folder + "/tmp", folder + "/final");
      error != 0) {
    return error;
  }
  return fs.SyncDirectory(folder + "/");
}

std::vector<std::string> Ops(const FaultPlan& plan) {
  std::vector<std::string> ops;
  for (const FileCall& call : plan.trace()) {
    ops.emplace_back(FileOpName(call.op));
  }
  return ops;
}

TEST(FaultFileSystemTest, PassesCallsOnAndCountsThem) {
  CrashFileSystem disk;
  FaultPlan plan;
  FaultFileSystem fs(&disk, &plan);
  EXPECT_EQ(Publish(fs), 0);
  EXPECT_EQ(plan.calls(), 6);
  EXPECT_FALSE(plan.struck());
  EXPECT_THAT(Ops(plan), ElementsAre("open", "write", "sync", "close",
                                     "rename_no_replace", "sync_directory"));
  EXPECT_EQ(plan.trace()[4].path, "/tmp");
  EXPECT_EQ(plan.trace()[4].to, "/final");
  EXPECT_EQ(disk.Stat("/final").value.size, 10u);
}

TEST(FaultFileSystemTest, MakesEachCallFailInTurn) {
  for (int64_t n = 1; n <= 6; ++n) {
    for (const int error : {EIO, ENOSPC, EDQUOT}) {
      CrashFileSystem disk;
      FaultPlan plan;
      FaultFileSystem fs(&disk, &plan);
      plan.StrikeAt(n, Fault::Error(error));
      EXPECT_EQ(Publish(fs), error) << n;
      EXPECT_EQ(plan.calls(), n);
      EXPECT_TRUE(plan.struck());
      EXPECT_EQ(disk.Stat("/final").ok(), n == 6);
    }
  }
}

TEST(FaultFileSystemTest, AllIsWrittenWhereACallTakesLess) {
  CrashFileSystem disk;
  FaultPlan plan;
  FaultFileSystem fs(&disk, &plan);
  auto file = fs.Open("/file", O_RDWR | O_CREAT, 0600);
  ASSERT_TRUE(file.ok());
  plan.StrikeAt(2, Fault::ShortWrite());
  EXPECT_EQ(WriteAll(*file.value, "0123456789"), 0);
  EXPECT_TRUE(plan.struck());
  plan.Reset();
  plan.StrikeAt(1, Fault::ShortWrite());
  EXPECT_EQ(WriteAllAt(*file.value, 5, "abcdefghij"), 0);
  EXPECT_TRUE(plan.struck());
  std::string bytes(20, '-');
  const auto read = ReadUpToAt(*file.value, 0, absl::MakeSpan(bytes));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(bytes.substr(0, read.value), "01234abcdefghij");
  EXPECT_EQ(ReadUpToAt(*file.value, 15, absl::MakeSpan(bytes)).value, 0u);
  plan.Reset();
  plan.StrikeAt(1, Fault::Error(ENOSPC));
  EXPECT_EQ(WriteAll(*file.value, "more"), ENOSPC);
}

TEST(FaultFileSystemTest, StrikesASyncOfTheWholeFileSystem) {
  CrashFileSystem disk;
  FaultPlan plan;
  FaultFileSystem fs(&disk, &plan);
  auto root = fs.Open("/", O_RDONLY | O_DIRECTORY, 0);
  ASSERT_TRUE(root.ok());
  plan.StrikeAt(2, Fault::Error(ENOTSUP));
  EXPECT_EQ(root.value->SyncFileSystem(), ENOTSUP);
  EXPECT_EQ(root.value->SyncFileSystem(), 0);
  EXPECT_THAT(Ops(plan),
              ElementsAre("open", "sync_file_system", "sync_file_system"));
  EXPECT_TRUE(IsChange(FileOp::kSyncFileSystem));
  EXPECT_EQ(disk.syncs(), 1);
}

TEST(FaultFileSystemTest, LosesAnswersOfWhatWasDone) {
  CrashFileSystem disk;
  FaultPlan plan;
  FaultFileSystem fs(&disk, &plan);
  plan.StrikeAt(5, Fault::LostAnswer(EIO));
  EXPECT_EQ(Publish(fs), EIO);
  EXPECT_TRUE(disk.Stat("/final").ok());
}

TEST(FaultFileSystemTest, CutsWritesShortAndNothingElse) {
  for (int64_t n = 1; n <= 6; ++n) {
    CrashFileSystem disk;
    FaultPlan plan;
    FaultFileSystem fs(&disk, &plan);
    plan.StrikeAt(n, Fault::ShortWrite());
    EXPECT_EQ(Publish(fs), n == 2 ? -1 : 0);
    EXPECT_EQ(plan.struck(), n == 2);
    if (n == 2) {
      EXPECT_EQ(disk.Stat("/tmp").value.size, 5u);
    }
  }
}

TEST(FaultFileSystemTest, StaysBrokenFromACallOn) {
  CrashFileSystem disk;
  FaultPlan plan;
  FaultFileSystem fs(&disk, &plan);
  plan.StrikeFrom(2, Fault::Error(ENOSPC));
  EXPECT_EQ(Publish(fs), ENOSPC);
  EXPECT_EQ(fs.Unlink("/tmp"), ENOSPC);
  plan.Reset();
  EXPECT_EQ(fs.Unlink("/tmp"), 0);
  EXPECT_EQ(plan.calls(), 1);
}

TEST(FaultFileSystemTest, CountsOnlyWhatTheFilterTakes) {
  CrashFileSystem disk;
  FaultPlan plan;
  FaultFileSystem fs(&disk, &plan);
  plan.SetFilter([](const FileCall& call) {
    return call.op == FileOp::kSync || call.op == FileOp::kSyncDirectory;
  });
  plan.StrikeAt(2, Fault::Error(EIO));
  EXPECT_EQ(Publish(fs), EIO);
  EXPECT_THAT(Ops(plan), ElementsAre("sync", "sync_directory"));
}

TEST(FaultFileSystemTest, OnePlanServesManyFileSystemsAndThreads) {
  CrashFileSystem disk;
  FaultPlan plan;
  FaultFileSystem first(&disk, &plan);
  ASSERT_EQ(first.MakeDirectory("/a", 0700), 0);
  auto beneath = first.Beneath("/a");
  ASSERT_TRUE(beneath.ok());
  plan.Reset();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      FaultFileSystem own(&disk, &plan);
      FileSystem& fs = i % 2 == 0 ? own : *beneath.value;
      for (int k = 0; k < 100; ++k) (void)fs.Stat(".");
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(plan.calls(), 400);
  plan.StrikeAt(401, Fault::Error(EIO));
  EXPECT_EQ(beneath.value->Stat(".").error, EIO);
}

// Runs Publish in a child that the plan kills; whether "final" is there then.
bool FinalAfterKill(int64_t n, Fault::Kind when) {
  std::string folder = ::testing::TempDir() + "/kill-XXXXXX";
  EXPECT_NE(mkdtemp(folder.data()), nullptr);
  const pid_t child = fork();
  if (child == 0) {
    FaultPlan plan;
    FaultFileSystem fs(FileSystem::Posix(), &plan);
    plan.StrikeAt(n, Fault::Kill(when));
    Publish(fs, folder);
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status)) << n;
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
  return access((folder + "/final").c_str(), F_OK) == 0;
}

TEST(FaultFileSystemTest, KillsTheProcessBeforeAndAfterEachCall) {
  for (int64_t n = 1; n <= 6; ++n) {
    EXPECT_EQ(FinalAfterKill(n, Fault::Kind::kBefore), n > 5) << n;
    EXPECT_EQ(FinalAfterKill(n, Fault::Kind::kAfter), n >= 5) << n;
  }
}

}  // namespace
}  // namespace sluice
