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
#include "sluice/base/fault_file_system.h"
#include "sluice/base/file_system.h"
#include "sluice/plugins/memory/fake_sink.h"
#include "sluice/plugins/memory/folder_source.h"
#include "sluice/plugins/memory/folder_target.h"
#include "sluice/plugins/memory/memory_source.h"
#include "sluice/plugins/memory/memory_store.h"
#include "sluice/plugins/memory/scratch_folder.h"

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

absl::Status Restore(FileSystem* files, const std::string& folder) {
  FakePayload reader(Payload());
  FakeRestoreRequest request({&reader});
  return MakeFolderTarget(files, {folder, ""})->Restore(sdk::Run(), request);
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

int64_t CountCallsOfRestore() {
  ScratchFolder folder;
  FaultPlan plan;
  FaultFileSystem files(FileSystem::Posix(), &plan);
  EXPECT_TRUE(Restore(&files, folder.Path("to")).ok());
  return plan.calls();
}

TEST(FolderFaultTest, ARestoreIsAllOrNothingWhicheverCallFails) {
  const int64_t calls = CountCallsOfRestore();
  const std::vector<Fault> faults = {Fault::Error(EIO), Fault::Error(ENOSPC),
                                     Fault::LostAnswer(EIO),
                                     Fault::ShortWrite(), Fault::Error(EINTR)};
  int64_t struck = 0;
  for (const Fault& fault : faults) {
    for (int64_t n = 1; n <= calls; ++n) {
      ScratchFolder folder;
      FaultPlan plan;
      plan.StrikeAt(n, fault);
      FaultFileSystem files(FileSystem::Posix(), &plan);
      const absl::Status status = Restore(&files, folder.Path("to"));
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
  EXPECT_GE(struck, calls * 4) << "a short write applies only to writes";
}

TEST(FolderFaultTest, AFullDiskIsToldAsSuchAndLeavesNothing) {
  const int64_t calls = CountCallsOfRestore();
  for (int64_t n = 1; n <= calls; n += 7) {
    ScratchFolder folder;
    FaultPlan plan;
    plan.SetFilter([](const FileCall& call) {
      return call.op == FileOp::kWriteAt || call.op == FileOp::kMakeDirectory ||
             call.op == FileOp::kOpen;
    });
    plan.StrikeFrom(n, Fault::Error(ENOSPC));
    FaultFileSystem files(FileSystem::Posix(), &plan);
    const absl::Status status = Restore(&files, folder.Path("to"));
    if (!plan.struck()) continue;
    EXPECT_EQ(ErrorCodeOf(status), kSourceNoSpace) << Describe(plan, n);
    ExpectAllOrNothing(folder.Path("to"), Describe(plan, n));
  }
}

TEST(FolderFaultTest, ARestoreIsAllOrNothingWhereverTheProcessDies) {
  const int64_t calls = CountCallsOfRestore();
  int unfinished = 0;
  int64_t killed = 0;
  for (const Fault::Kind when : {Fault::Kind::kBefore, Fault::Kind::kAfter}) {
    for (int64_t n = 1; n <= calls; ++n) {
      ScratchFolder folder;
      std::filesystem::create_directory(folder.Path("to"));
      const pid_t child = fork();
      if (child == 0) {
        FaultPlan plan;
        plan.StrikeAt(n, Fault::Kill(when));
        FaultFileSystem files(FileSystem::Posix(), &plan);
        Restore(&files, folder.Path("to")).IgnoreError();
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

TEST(FolderFaultTest, ALoadNeverPassesForWholeThatIsNot) {
  ScratchFolder folder;
  for (const auto& [key, value] : Wanted()) folder.Write(key, value);
  FaultPlan plan;
  FaultFileSystem files(FileSystem::Posix(), &plan);
  FakeSink whole;
  ASSERT_TRUE(Load(&files, folder.path(), whole).ok());
  const int64_t calls = plan.calls();
  for (const int error : {EIO, EACCES, ENOENT, EMFILE, EINTR}) {
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
