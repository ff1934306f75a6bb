// Each file operation of a load and of a restore fails in turn, or is the last
// before the process dies. Afterwards the folder is all or nothing, or says
// that it is unfinished and can be restored into again.

#include <errno.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sluice/base/error.h"
#include "sluice/base/file_system.h"
#include "sluice/base/testing/crash_file_system.h"
#include "sluice/base/testing/fault_file_system.h"
#include "sluice/plugins/memory/folder/folder_source.h"
#include "sluice/plugins/memory/folder/folder_target.h"
#include "sluice/plugins/memory/memory_source.h"
#include "sluice/plugins/memory/store/memory_store.h"
#include "sluice/plugins/memory/testing/fake_sink.h"
#include "sluice/plugins/memory/testing/scratch_folder.h"

namespace sluice {
namespace {

using Files = std::map<std::string, std::string>;

const Files& Wanted() {
  static const Files* const kWanted =
      new Files{{"a", "1"}, {"d/b", std::string(3000, 'x')}, {"z", ""}};
  return *kWanted;
}

const std::string& Payload() {
  static const std::string* const kPayload = [] {
    auto store = *MemoryStore::Create("");
    for (const auto& [key, value] : Wanted()) {
      EXPECT_TRUE(store->Put(key, value).ok());
    }
    FakeSink sink;
    EXPECT_TRUE(MakeMemorySource(store)->Backup(sdk::Run(), {}, sink).ok());
    return new std::string(sink.payload);
  }();
  return *kPayload;
}

constexpr uint64_t kFewFiles = 16;

// In memory where that can be: thousands of syncs, among them of the whole file
// system, are not to wait for the disk, nor for what others write to it.
std::string FastFolder() {
  const char* const memory = "/dev/shm";
  return access(memory, W_OK) == 0 ? memory : testing::TempDir();
}

absl::Status Restore(FileSystem* files, const std::string& folder,
                     uint64_t few_files = kFewFiles) {
  FakePayload reader(Payload());
  FakeRestoreRequest request({&reader});
  return MakeFolderTarget(files, {folder, "", few_files})
      ->Restore(sdk::Run(), request);
}

absl::Status Load(FileSystem* files, const std::string& folder,
                  FakeSink& sink) {
  return MakeFolderSource(files, {folder, "id"})->Backup(sdk::Run(), {}, sink);
}

// Whole, nothing, or marked; and a restore into what is not whole brings it
// there.
void ExpectAllOrNothing(const std::string& folder, const std::string& after) {
  FakeSink sink;
  const absl::Status loaded = Load(FileSystem::Posix(), folder, sink);
  if (loaded.ok() && sink.counts["keys"] > 0) {
    EXPECT_EQ(FilesBelow(folder), Wanted()) << after;
    return;
  }
  if (!loaded.ok()) {
    EXPECT_EQ(ErrorCodeOf(loaded), kSourceUnavailable) << after;
  }
  const auto info =
      MakeFolderTarget(FileSystem::Posix(), {folder, ""})->Describe(sdk::Run());
  ASSERT_TRUE(info.ok()) << info.status() << after;
  EXPECT_TRUE(info->empty) << after;
  const absl::Status again = Restore(FileSystem::Posix(), folder);
  EXPECT_TRUE(again.ok()) << again << after;
  EXPECT_EQ(FilesBelow(folder), Wanted()) << after;
}

std::string Describe(const FaultPlan& plan, int64_t number) {
  for (const FileCall& call : plan.trace()) {
    if (call.number != number) continue;
    return " after call " + std::to_string(number) + " " +
           std::string(FileOpName(call.op)) + " " + call.path;
  }
  return " after call " + std::to_string(number);
}

std::map<FileOp, int> CountOps(const FaultPlan& plan) {
  std::map<FileOp, int> counts;
  for (const FileCall& call : plan.trace()) ++counts[call.op];
  return counts;
}

// With all of the three files synced by themselves; with one, and then the file
// system; with the file system only.
class RestoreFaultTest : public testing::TestWithParam<uint64_t> {
 protected:
  int64_t CountCallsOfRestore() {
    ScratchFolder folder(FastFolder());
    FaultPlan plan;
    FaultFileSystem files(FileSystem::Posix(), &plan);
    EXPECT_TRUE(Restore(&files, folder.Path("to"), GetParam()).ok());
    return plan.calls();
  }
};

INSTANTIATE_TEST_SUITE_P(FewFiles, RestoreFaultTest,
                         testing::Values(kFewFiles, 1, 0));

TEST_P(RestoreFaultTest, ARestoreIsAllOrNothingWhicheverCallFails) {
  const int64_t calls = CountCallsOfRestore();
  const std::vector<Fault> faults = {Fault::Error(EIO), Fault::Error(ENOSPC),
                                     Fault::LostAnswer(EIO),
                                     Fault::ShortWrite()};
  int64_t struck = 0;
  for (const Fault& fault : faults) {
    for (int64_t n = 1; n <= calls; ++n) {
      ScratchFolder folder(FastFolder());
      FaultPlan plan;
      plan.StrikeAt(n, fault);
      FaultFileSystem files(FileSystem::Posix(), &plan);
      const absl::Status status =
          Restore(&files, folder.Path("to"), GetParam());
      struck += plan.struck() ? 1 : 0;
      const std::string after = Describe(plan, n);
      if (status.ok()) {
        EXPECT_EQ(FilesBelow(folder.Path("to")), Wanted()) << after;
      } else {
        EXPECT_NE(fault.kind, Fault::Kind::kShort) << status << after;
        ExpectAllOrNothing(folder.Path("to"), after);
      }
    }
  }
  std::cout << calls << " calls, " << faults.size() << " faults, " << struck
            << " struck\n";
  EXPECT_GE(struck, calls * 3) << "a short write applies only to writes";
}

TEST_P(RestoreFaultTest, AFullDiskIsToldAsSuchAndLeavesNothing) {
  const int64_t calls = CountCallsOfRestore();
  for (int64_t n = 1; n <= calls; n += 7) {
    ScratchFolder folder(FastFolder());
    FaultPlan plan;
    plan.SetFilter([](const FileCall& call) {
      return call.op == FileOp::kWriteAt || call.op == FileOp::kMakeDirectory ||
             call.op == FileOp::kOpen;
    });
    plan.StrikeFrom(n, Fault::Error(ENOSPC));
    FaultFileSystem files(FileSystem::Posix(), &plan);
    const absl::Status status = Restore(&files, folder.Path("to"), GetParam());
    if (!plan.struck()) continue;
    EXPECT_EQ(ErrorCodeOf(status), kSourceNoSpace) << Describe(plan, n);
    ExpectAllOrNothing(folder.Path("to"), Describe(plan, n));
  }
}

TEST_P(RestoreFaultTest, ARestoreIsAllOrNothingWhereverTheProcessDies) {
  const int64_t calls = CountCallsOfRestore();
  int unfinished = 0;
  int64_t killed = 0;
  for (const Fault::Kind when : {Fault::Kind::kBefore, Fault::Kind::kAfter}) {
    for (int64_t n = 1; n <= calls; ++n) {
      ScratchFolder folder(FastFolder());
      std::filesystem::create_directory(folder.Path("to"));
      const pid_t child = fork();
      if (child == 0) {
        FaultPlan plan;
        plan.StrikeAt(n, Fault::Kill(when));
        FaultFileSystem files(FileSystem::Posix(), &plan);
        Restore(&files, folder.Path("to"), GetParam()).IgnoreError();
        _exit(0);
      }
      int state = 0;
      ASSERT_EQ(waitpid(child, &state, 0), child);
      killed += WIFSIGNALED(state) ? 1 : 0;
      FakeSink sink;
      if (!Load(FileSystem::Posix(), folder.Path("to"), sink).ok()) {
        ++unfinished;
      }
      ExpectAllOrNothing(folder.Path("to"), " killed at " + std::to_string(n));
    }
  }
  std::cout << killed << " kills, " << unfinished << " left it unfinished\n";
  EXPECT_GE(killed, 2 * calls - 2);
  EXPECT_GT(unfinished, 10);
}

TEST(FolderFaultTest, FewFilesAreSyncedWithoutDisturbingOthers) {
  ScratchFolder folder;
  FaultPlan plan;
  FaultFileSystem files(FileSystem::Posix(), &plan);
  ASSERT_TRUE(Restore(&files, folder.Path("to"), Wanted().size()).ok());
  const auto ops = CountOps(plan);
  EXPECT_EQ(ops.count(FileOp::kSyncFileSystem), 0u);
  EXPECT_EQ(ops.at(FileOp::kSync), 4) << "three files and the list of names";
}

TEST(FolderFaultTest, ManyFilesAreSyncedAtOnceBeforeAnythingIsVisible) {
  CrashFileSystem disk;
  FaultPlan plan;
  FaultFileSystem files(&disk, &plan);
  ASSERT_TRUE(Restore(&files, "/to", 1).ok());
  const auto ops = CountOps(plan);
  EXPECT_EQ(ops.at(FileOp::kSyncFileSystem), 2) << "to try, and at the end";
  EXPECT_EQ(ops.at(FileOp::kSync), 2) << "the first file and the list";
  int64_t opened = 0;
  int64_t synced = 0;
  for (const FileCall& call : plan.trace()) {
    if (call.op == FileOp::kOpen && call.path == ".") opened = call.number;
    if (call.op == FileOp::kSyncFileSystem) synced = call.number;
    if (call.op == FileOp::kWriteAt) {
      EXPECT_GT(opened, 0) << "its losses would not be told";
    }
    if (call.op == FileOp::kRenameNoReplace) {
      EXPECT_GT(call.number, synced);
    }
  }
}

TEST(FolderFaultTest, ManyFilesAreSyncedEachWhereThereIsNoOtherWay) {
  CrashFileSystem disk;
  FaultPlan plan;
  FaultPlan cannot;
  cannot.SetFilter(
      [](const FileCall& call) { return call.op == FileOp::kSyncFileSystem; });
  cannot.StrikeFrom(1, Fault::Error(ENOTSUP));
  FaultFileSystem without(&disk, &cannot);
  FaultFileSystem files(&without, &plan);
  ASSERT_TRUE(Restore(&files, "/to", 1).ok());
  const auto ops = CountOps(plan);
  EXPECT_EQ(ops.at(FileOp::kSyncFileSystem), 1) << "asked once";
  EXPECT_EQ(ops.at(FileOp::kSync), 4);
}

TEST(FolderFaultTest, ARestoreIsAllOrNothingAfterAPowerCut) {
  for (const uint64_t few_files : {kFewFiles, uint64_t{1}, uint64_t{0}}) {
    CrashFileSystem disk;
    ASSERT_EQ(disk.MakeDirectory("/to", 0700), 0);
    disk.Settle();
    ASSERT_TRUE(Restore(&disk, "/to", few_files).ok());
    disk.Mark("restored");
    int wrong = 0;
    const CrashStateCount count =
        disk.ForEachCrash({}, [&](const CrashedDisk& crashed) {
          const auto left = crashed.Mount();
          FakeSink sink;
          const absl::Status loaded = Load(left.get(), "/to", sink);
          if (loaded.ok() && sink.payload == Payload()) return true;
          // Nothing, or marked, and never after the promise.
          const bool allowed = crashed.marks() == 0 &&
                               (!loaded.ok() || sink.counts["keys"] == 0) &&
                               Restore(left.get(), "/to", few_files).ok();
          if (!allowed && ++wrong <= 3) ADD_FAILURE() << crashed.text();
          return true;
        });
    std::cout << few_files << " few files: " << disk.syncs() << " syncs, "
              << count.states << " states, " << wrong << " wrong\n";
    EXPECT_FALSE(count.stopped);
    EXPECT_GT(count.states, 50u);
  }
}

TEST(FolderFaultTest, ALostWriteFailsARestoreOfManyFiles) {
  for (const int64_t n : {1, 2}) {
    CrashFileSystem disk;
    ASSERT_EQ(disk.MakeDirectory("/to", 0700), 0);
    FaultPlan plan;
    plan.SetFilter([](const FileCall& call) {
      return call.op == FileOp::kSyncFileSystem;
    });
    plan.StrikeAt(n, Fault::Error(EIO));
    FaultFileSystem files(&disk, &plan);
    const absl::Status status = Restore(&files, "/to", 1);
    EXPECT_EQ(ErrorCodeOf(status), kSourceFailed) << status;
    EXPECT_TRUE(disk.List("/to").value.empty());
  }
}

TEST(FolderFaultTest, ALoadNeverPassesForWholeThatIsNot) {
  ScratchFolder folder;
  for (const auto& [key, value] : Wanted()) folder.Write(key, value);
  FaultPlan plan;
  FaultFileSystem files(FileSystem::Posix(), &plan);
  FakeSink whole;
  ASSERT_TRUE(Load(&files, folder.path(), whole).ok());
  const int64_t calls = plan.calls();
  for (const int error : {EIO, EACCES, ENOENT, EMFILE}) {
    for (int64_t n = 1; n <= calls; ++n) {
      plan.Reset();
      plan.StrikeAt(n, Fault::Error(error));
      FakeSink sink;
      const absl::Status status = Load(&files, folder.path(), sink);
      if (!status.ok() || !sink.warnings.empty()) continue;
      EXPECT_EQ(sink.payload, whole.payload) << Describe(plan, n);
    }
  }
}

}  // namespace
}  // namespace sluice
