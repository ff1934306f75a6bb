// Each file operation of a restore fails in turn, or is the last before the
// process dies or the power goes. Afterwards the folder is whole, or a restore
// brings it there; and no Badger ever sees a MANIFEST without all its tables.

#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "sluice/base/error.h"
#include "sluice/base/file_system.h"
#include "sluice/base/testing/crash_file_system.h"
#include "sluice/base/testing/environment.h"
#include "sluice/base/testing/fault_file_system.h"
#include "sluice/plugins/badger/image/image.h"
#include "sluice/plugins/badger/image/version_reader.h"
#include "sluice/plugins/badger/restore/restore.h"
#include "sluice/plugins/badger/restore/restore_publish.h"
#include "sluice/plugins/badger/testing/fake_payload.h"
#include "sluice/plugins/sdk/testing/restore_faults.h"
#include "sluice/plugins/sdk/testing/scratch_folder.h"

namespace sluice {
namespace badger {
namespace {

using Contents = std::vector<std::string>;

// In any order: a merge of runs in two tiers. Ascending: tables at once.
struct Case {
  bool ascending;
  DiskFormat format;
};

const std::vector<OwnedEntry>& Ascending() {
  static const std::vector<OwnedEntry>* const kEntries =
      new std::vector<OwnedEntry>{
          {"a", "1", 5},
          {"a", "0", 2},
          {"b", "", 7, 0, 0, kMetaDelete},
          {"c", std::string(500, 'x'), 3, 4102444800, 9},
          {"d", "last", 4},
      };
  return *kEntries;
}

std::string StreamFor(const Case& made) {
  std::vector<OwnedEntry> entries = Ascending();
  if (!made.ascending) entries = {entries.rbegin(), entries.rend()};
  return StreamOf(entries);
}

absl::Status Restore(FileSystem* files, const std::string& folder,
                     const Case& made) {
  RestoreOptions options;
  options.stager.memory_bytes = 1;  // a run an entry
  options.stager.fan_in = 2;
  options.stager.directory.table.format = made.format;
  options.stager.directory.table_bytes = 1;  // a table a key
  options.stager.directory.table.block_bytes = 1;
  FakePayload payload(StreamFor(made));
  sdk::Payload* const chain[] = {&payload};
  return RestoreDirectory(files, folder, options, sdk::Run(), chain).status();
}

absl::StatusOr<Contents> ReadImage(FileSystem* files,
                                   const std::string& folder) {
  ImageOptions options;
  options.folder = folder;
  auto image = Image::Open(*files, options);
  if (!image.ok()) return image.status();
  auto versions = (*image)->ReadVersions();
  if (!versions.ok()) return versions.status();
  Contents contents;
  absl::Status status;
  std::string value;
  while (status.ok() && (*versions)->Valid()) {
    status = (*versions)->ReadValue(value);
    contents.push_back(absl::StrCat((*versions)->key(), " ",
                                    (*versions)->version(), " ", value));
    if (status.ok()) status = (*versions)->Next();
  }
  if (!status.ok()) return status;
  return contents;
}

const Contents& Wanted() {
  static const Contents* const kWanted = [] {
    auto* contents = new Contents;
    for (const OwnedEntry& entry : Ascending()) {
      contents->push_back(
          absl::StrCat(entry.key, " ", entry.version, " ", entry.value));
    }
    return contents;
  }();
  return *kWanted;
}

bool HasManifest(FileSystem* files, const std::string& folder) {
  return files->Stat(folder + "/MANIFEST").ok();
}

// No MANIFEST, or one with all that it names.
bool ManifestIsWhole(FileSystem* files) {
  if (!HasManifest(files, "/db")) return true;
  const auto contents = ReadImage(files, "/db");
  return contents.ok() && *contents == Wanted();
}

// Whole, or nothing that Badger would see; and what is not yet settled, a
// restore settles.
void ExpectAllOrNothing(const std::string& folder, const Case& made,
                        const std::string& after) {
  FileSystem* const files = FileSystem::Posix();
  if (HasManifest(files, folder)) {
    const auto contents = ReadImage(files, folder);
    ASSERT_TRUE(contents.ok()) << contents.status() << after;
    EXPECT_EQ(*contents, Wanted()) << after;
    const auto staging = files->List(folder + "/" + kStagingFolder);
    if (staging.value.empty()) return;
  }
  const auto empty = IsEmptyTarget(files, folder);
  ASSERT_TRUE(empty.ok()) << empty.status() << after;
  EXPECT_TRUE(*empty) << after;
  const absl::Status again = Restore(files, folder, made);
  EXPECT_TRUE(again.ok()) << again << after;
  const auto contents = ReadImage(files, folder);
  ASSERT_TRUE(contents.ok()) << contents.status() << after;
  EXPECT_EQ(*contents, Wanted()) << after;
  EXPECT_FALSE(files->Stat(folder + "/" + kStagingFolder).ok()) << after;
}

class RestoreFaultTest : public testing::TestWithParam<Case> {
 protected:
  const sdk::FolderRestore restore_ = [](FileSystem* files,
                                         const std::string& folder) {
    return Restore(files, folder, GetParam());
  };
};

INSTANTIATE_TEST_SUITE_P(All, RestoreFaultTest,
                         testing::Values(Case{true, DiskFormat::kBadger4},
                                         Case{false, DiskFormat::kBadger4},
                                         Case{true, DiskFormat::kBadger2}),
                         [](const testing::TestParamInfo<Case>& made) {
                           return absl::StrCat(
                               made.param.ascending ? "Ascending" : "AnyOrder",
                               static_cast<int>(made.param.format));
                         });

TEST_P(RestoreFaultTest, ARestoreIsAllOrNothingWhicheverCallFails) {
  const sdk::FaultCounts counts = sdk::StrikeEachCall(
      restore_, FaultStride(), [](const sdk::StruckRestore& struck) {
        if (struck.status.ok()) {
          const auto contents = ReadImage(FileSystem::Posix(), struck.folder);
          ASSERT_TRUE(contents.ok()) << contents.status() << struck.after;
          EXPECT_EQ(*contents, Wanted()) << struck.after;
        } else {
          EXPECT_NE(struck.fault.kind, Fault::Kind::kShort)
              << struck.status << struck.after;
          EXPECT_FALSE(HasManifest(FileSystem::Posix(), struck.folder))
              << struck.status << struck.after;
          ExpectAllOrNothing(struck.folder, GetParam(), struck.after);
        }
      });
  std::cout << counts.calls << " calls, " << counts.visited << " visited, "
            << counts.struck << " struck\n";
  EXPECT_GE(counts.struck * 4, counts.visited * 3)
      << "a short write applies only to writes";
}

TEST_P(RestoreFaultTest, AFullDiskIsToldAsSuchAndLeavesNothing) {
  const sdk::FaultCounts counts =
      sdk::FillTheDisk(restore_, 3 * FaultStride(), [](const auto& struck) {
        EXPECT_EQ(ErrorCodeOf(struck.status), kSourceNoSpace) << struck.after;
        ExpectAllOrNothing(struck.folder, GetParam(), struck.after);
      });
  EXPECT_GT(counts.struck, 0);
}

TEST_P(RestoreFaultTest, ARestoreIsAllOrNothingWhereverTheProcessDies) {
  int whole = 0;
  int marked = 0;
  const sdk::FaultCounts counts = sdk::KillAtEachCall(
      restore_, FaultStride(), [&](const sdk::StruckRestore& struck) {
        whole += HasManifest(FileSystem::Posix(), struck.folder) ? 1 : 0;
        marked += std::filesystem::exists(struck.folder + "/" + kStagingFolder)
                      ? 1
                      : 0;
        ExpectAllOrNothing(struck.folder, GetParam(), struck.after);
      });
  std::cout << counts.struck << " kills, " << marked << " left it marked, "
            << whole << " whole\n";
  EXPECT_GE(counts.struck, counts.visited - 4);
  EXPECT_GT(marked, whole);
}

TEST_P(RestoreFaultTest, ARestoreIsAllOrNothingAfterAPowerCut) {
  CrashFileSystem disk;
  ASSERT_EQ(disk.MakeDirectory("/db", 0700), 0);
  disk.Settle();
  ASSERT_TRUE(Restore(&disk, "/db", GetParam()).ok());
  disk.Mark("restored");
  int wrong = 0;
  const CrashStateCount count =
      disk.ForEachCrash({}, [&](const CrashedDisk& crashed) {
        const auto left = crashed.Mount();
        bool right = ManifestIsWhole(left.get());
        if (crashed.marks() > 0) {
          right =
              right && HasManifest(left.get(), "/db") &&
              left->List(std::string("/db/") + kStagingFolder).value.empty();
        } else if (!HasManifest(left.get(), "/db")) {
          // Nothing, or marked.
          right = Restore(left.get(), "/db", GetParam()).ok();
        }
        if (!right && ++wrong <= 3) ADD_FAILURE() << crashed.text();
        return true;
      });
  std::cout << disk.syncs() << " syncs, " << count.states << " states, "
            << wrong << " wrong\n";
  EXPECT_EQ(wrong, 0);
  EXPECT_FALSE(count.stopped);
  EXPECT_GT(count.states, 50u);
}

TEST_P(RestoreFaultTest, ARestoreThatIsTakenBackIsSoAfterAPowerCutToo) {
  CrashFileSystem disk;
  ASSERT_EQ(disk.MakeDirectory("/db", 0700), 0);
  disk.Settle();
  // The last call before all is done.
  FaultPlan plan;
  plan.SetFilter([](const FileCall& call) {
    return call.op == FileOp::kRemoveDirectory && call.path == kStagingFolder;
  });
  plan.StrikeAt(1, Fault::Error(EIO));
  FaultFileSystem files(&disk, &plan);
  EXPECT_EQ(ErrorCodeOf(Restore(&files, "/db", GetParam())), kSourceFailed);
  ASSERT_TRUE(plan.struck());
  disk.Mark("taken back");
  int wrong = 0;
  const CrashStateCount count =
      disk.ForEachCrash({}, [&](const CrashedDisk& crashed) {
        const auto left = crashed.Mount();
        const bool right =
            ManifestIsWhole(left.get()) &&
            (crashed.marks() == 0 || !HasManifest(left.get(), "/db"));
        if (!right && ++wrong <= 3) ADD_FAILURE() << crashed.text();
        return true;
      });
  std::cout << count.states << " states, " << wrong << " wrong\n";
  EXPECT_EQ(wrong, 0);
  EXPECT_FALSE(count.stopped);
}

TEST(RestoreRemainsTest, WhatBadgerHasOpenedIsNoRemains) {
  // A restore that was killed once MANIFEST was there, before its mark went.
  ScratchFolder folder(FastFolder());
  std::filesystem::create_directory(folder.Path("db"));
  const pid_t child = fork();
  if (child == 0) {
    FaultPlan plan;
    plan.SetFilter([](const FileCall& call) { return call.to == "MANIFEST"; });
    plan.StrikeAt(1, Fault::Kill(Fault::Kind::kAfter));
    FaultFileSystem files(FileSystem::Posix(), &plan);
    Restore(&files, folder.Path("db"), {true, DiskFormat::kBadger4})
        .IgnoreError();
    _exit(0);
  }
  int state = 0;
  ASSERT_EQ(waitpid(child, &state, 0), child);
  ASSERT_TRUE(WIFSIGNALED(state));
  ASSERT_TRUE(HasManifest(FileSystem::Posix(), folder.Path("db")));
  EXPECT_TRUE(*IsEmptyTarget(FileSystem::Posix(), folder.Path("db")));
  // Badger makes this one whenever it opens a directory to write.
  const auto made = FileSystem::Posix()->Open(
      folder.Path("db") + "/KEYREGISTRY", O_WRONLY | O_CREAT, 0600);
  ASSERT_TRUE(made.ok());
  EXPECT_FALSE(*IsEmptyTarget(FileSystem::Posix(), folder.Path("db")));
  EXPECT_EQ(ErrorCodeOf(Restore(FileSystem::Posix(), folder.Path("db"),
                                {true, DiskFormat::kBadger4})),
            kRestorePreconditionFailed);
  EXPECT_TRUE(HasManifest(FileSystem::Posix(), folder.Path("db")));
}

}  // namespace
}  // namespace badger
}  // namespace sluice
