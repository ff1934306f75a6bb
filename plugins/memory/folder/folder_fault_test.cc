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
#include "sluice/plugins/sdk/testing/fake_sink.h"
#include "sluice/plugins/sdk/testing/restore_faults.h"
#include "sluice/plugins/sdk/testing/scratch_folder.h"

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
    sdk::FakeSink sink;
    EXPECT_TRUE(MakeMemorySource(store)->Backup(sdk::Run(), {}, sink).ok());
    return new std::string(sink.payload);
  }();
  return *kPayload;
}

constexpr uint64_t kFewFiles = 16;

absl::Status Restore(FileSystem* files, const std::string& folder,
                     uint64_t few_files = kFewFiles) {
  sdk::FakePayload reader(Payload());
  sdk::FakeRestoreRequest request({&reader});
  return MakeFolderTarget(files, {folder, "", few_files})
      ->Restore(sdk::Run(), request);
}

absl::Status Load(FileSystem* files, const std::string& folder,
                  sdk::FakeSink& sink) {
  return MakeFolderSource(files, {folder, "id"})->Backup(sdk::Run(), {}, sink);
}

// Whole, nothing, or marked; and a restore into what is not whole brings it
// there.
void ExpectAllOrNothing(const std::string& folder, const std::string& after) {
  sdk::FakeSink sink;
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

std::map<FileOp, int> CountOps(const FaultPlan& plan) {
  std::map<FileOp, int> counts;
  for (const FileCall& call : plan.trace()) ++counts[call.op];
  return counts;
}

// With all of the three files synced by themselves; with one, and then the file
// system; with the file system only.
class RestoreFaultTest : public testing::TestWithParam<uint64_t> {
 protected:
  const sdk::FolderRestore restore_ = [](FileSystem* files,
                                         const std::string& folder) {
    return Restore(files, folder, GetParam());
  };
};

INSTANTIATE_TEST_SUITE_P(FewFiles, RestoreFaultTest,
                         testing::Values(kFewFiles, 1, 0));

TEST_P(RestoreFaultTest, ARestoreIsAllOrNothingWhicheverCallFails) {
  const sdk::FaultCounts counts =
      sdk::StrikeEachCall(restore_, 1, [](const sdk::StruckRestore& struck) {
        if (struck.status.ok()) {
          EXPECT_EQ(FilesBelow(struck.folder), Wanted()) << struck.after;
        } else {
          EXPECT_NE(struck.fault.kind, Fault::Kind::kShort)
              << struck.status << struck.after;
          ExpectAllOrNothing(struck.folder, struck.after);
        }
      });
  std::cout << counts.calls << " calls, " << counts.visited << " visited, "
            << counts.struck << " struck\n";
  EXPECT_GE(counts.struck, counts.calls * 3)
      << "a short write applies only to writes";
}

TEST_P(RestoreFaultTest, AFullDiskIsToldAsSuchAndLeavesNothing) {
  sdk::FillTheDisk(restore_, 7, [](const sdk::StruckRestore& struck) {
    EXPECT_EQ(ErrorCodeOf(struck.status), kSourceNoSpace) << struck.after;
    ExpectAllOrNothing(struck.folder, struck.after);
  });
}

TEST_P(RestoreFaultTest, ARestoreIsAllOrNothingWhereverTheProcessDies) {
  int unfinished = 0;
  const sdk::FaultCounts counts = sdk::KillAtEachCall(
      restore_, 1, [&unfinished](const sdk::StruckRestore& struck) {
        sdk::FakeSink sink;
        if (!Load(FileSystem::Posix(), struck.folder, sink).ok()) {
          ++unfinished;
        }
        ExpectAllOrNothing(struck.folder, struck.after);
      });
  std::cout << counts.struck << " kills, " << unfinished
            << " left it unfinished\n";
  EXPECT_GE(counts.struck, 2 * counts.calls - 2);
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
          sdk::FakeSink sink;
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
  sdk::FakeSink whole;
  ASSERT_TRUE(Load(&files, folder.path(), whole).ok());
  const int64_t calls = plan.calls();
  for (const int error : {EIO, EACCES, ENOENT, EMFILE}) {
    for (int64_t n = 1; n <= calls; ++n) {
      plan.Reset();
      plan.StrikeAt(n, Fault::Error(error));
      sdk::FakeSink sink;
      const absl::Status status = Load(&files, folder.path(), sink);
      if (!status.ok() || !sink.warnings.empty()) continue;
      EXPECT_EQ(sink.payload, whole.payload) << sdk::AfterCall(plan, n);
    }
  }
}

}  // namespace
}  // namespace sluice
