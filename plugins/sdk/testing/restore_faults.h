#ifndef SLUICE_PLUGINS_SDK_TESTING_RESTORE_FAULTS_H_
#define SLUICE_PLUGINS_SDK_TESTING_RESTORE_FAULTS_H_

// A restore into a folder, each of whose file operations fails in turn, or is
// the last before the process dies. Every try has a folder of its own. For
// tests.
//
//   const FaultCounts counts = StrikeEachCall(
//       [](FileSystem* files, const std::string& folder) {
//         return Restore(files, folder); },
//       /*step=*/1, [](const StruckRestore& struck) {
//         ExpectAllOrNothing(struck.folder, struck.after); });

#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sluice/base/file_system.h"
#include "sluice/base/testing/fault_file_system.h"
#include "sluice/plugins/sdk/testing/scratch_folder.h"

namespace sluice::sdk {

using FolderRestore =
    std::function<absl::Status(FileSystem* files, const std::string& folder)>;

struct StruckRestore {
  Fault fault;
  std::string folder;
  absl::Status status;  // of the restore
  std::string after;    // " after call 7 write /x", for messages
};

struct FaultCounts {
  int64_t calls = 0;    // of a restore that nothing strikes
  int64_t visited = 0;  // restores
  int64_t struck = 0;   // those that a fault struck, or that a kill ended
};

inline std::string AfterCall(const FaultPlan& plan, int64_t number) {
  for (const FileCall& call : plan.trace()) {
    if (call.number != number) continue;
    return absl::StrCat(" after call ", number, " ", FileOpName(call.op), " ",
                        call.path);
  }
  return absl::StrCat(" after call ", number);
}

inline int64_t CallsOfRestore(const FolderRestore& restore) {
  ScratchFolder folder(FastFolder());
  FaultPlan plan;
  FaultFileSystem files(FileSystem::Posix(), &plan);
  EXPECT_TRUE(restore(&files, folder.Path("to")).ok());
  return plan.calls();
}

// One try with each fault at each `step`-th call.
inline FaultCounts StrikeEachCall(
    const FolderRestore& restore, int64_t step,
    const std::function<void(const StruckRestore&)>& look) {
  FaultCounts counts{CallsOfRestore(restore)};
  for (const Fault& fault : {Fault::Error(EIO), Fault::Error(ENOSPC),
                             Fault::LostAnswer(EIO), Fault::ShortWrite()}) {
    for (int64_t n = 1; n <= counts.calls; n += step) {
      ScratchFolder folder(FastFolder());
      FaultPlan plan;
      plan.StrikeAt(n, fault);
      FaultFileSystem files(FileSystem::Posix(), &plan);
      const absl::Status status = restore(&files, folder.Path("to"));
      ++counts.visited;
      counts.struck += plan.struck() ? 1 : 0;
      look({fault, folder.Path("to"), status, AfterCall(plan, n)});
    }
  }
  return counts;
}

// One try with a disk that is full from each `step`-th call on of those that
// take room. Looks at those that it struck.
inline FaultCounts FillTheDisk(
    const FolderRestore& restore, int64_t step,
    const std::function<void(const StruckRestore&)>& look) {
  FaultCounts counts{CallsOfRestore(restore)};
  for (int64_t n = 1; n <= counts.calls; n += step) {
    ScratchFolder folder(FastFolder());
    FaultPlan plan;
    plan.SetFilter([](const FileCall& call) {
      return call.op == FileOp::kWriteAt || call.op == FileOp::kMakeDirectory ||
             (call.op == FileOp::kOpen && call.path != ".");
    });
    plan.StrikeFrom(n, Fault::Error(ENOSPC));
    FaultFileSystem files(FileSystem::Posix(), &plan);
    const absl::Status status = restore(&files, folder.Path("to"));
    ++counts.visited;
    if (!plan.struck()) continue;
    ++counts.struck;
    look({Fault::Error(ENOSPC), folder.Path("to"), status, AfterCall(plan, n)});
  }
  return counts;
}

// One try whose process dies before, and one whose dies after each `step`-th
// call. The folder is there.
inline FaultCounts KillAtEachCall(
    const FolderRestore& restore, int64_t step,
    const std::function<void(const StruckRestore&)>& look) {
  FaultCounts counts{CallsOfRestore(restore)};
  for (const Fault::Kind when : {Fault::Kind::kBefore, Fault::Kind::kAfter}) {
    for (int64_t n = 1; n <= counts.calls; n += step) {
      ScratchFolder folder(FastFolder());
      std::filesystem::create_directory(folder.Path("to"));
      const pid_t child = fork();
      if (child == 0) {
        FaultPlan plan;
        plan.StrikeAt(n, Fault::Kill(when));
        FaultFileSystem files(FileSystem::Posix(), &plan);
        restore(&files, folder.Path("to")).IgnoreError();
        _exit(0);
      }
      int state = 0;
      EXPECT_EQ(waitpid(child, &state, 0), child);
      ++counts.visited;
      counts.struck += WIFSIGNALED(state) ? 1 : 0;
      look({Fault::Kill(when), folder.Path("to"), absl::OkStatus(),
            absl::StrCat(" killed at ", n)});
    }
  }
  return counts;
}

}  // namespace sluice::sdk

#endif  // SLUICE_PLUGINS_SDK_TESTING_RESTORE_FAULTS_H_
