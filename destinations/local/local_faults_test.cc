// T1 for one place: each call to the file system fails in turn, with each
// fault, and the object is then either whole or not there, the error has its
// word, and a second try succeeds.

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/base/file_system.h"
#include "sluice/base/testing/crash_file_system.h"
#include "sluice/base/testing/fault_file_system.h"
#include "sluice/destinations/local/local_object_store.h"
#include "sluice/plugins/sdk/place.h"
#include "sluice/plugins/sdk/run.h"

namespace sluice {
namespace {

using sdk::CommitMode;
using sdk::ObjectInfo;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

const sdk::Run kRun;

std::unique_ptr<LocalObjectStore> StoreOver(FileSystem* fs,
                                            const std::string& path = "/repo") {
  LocalOptions options;
  options.path = path;
  options.file_system = fs;
  return std::make_unique<LocalObjectStore>(options);
}

absl::Status Put(LocalObjectStore& store, absl::string_view name,
                 absl::string_view content, CommitMode mode) {
  auto writer = store.Begin(kRun, name, 0);
  if (!writer.ok()) return writer.status();
  // Two writes, so that one can fail after the other.
  absl::Status status = (*writer)->Write(content.substr(0, content.size() / 2));
  if (status.ok()) {
    status = (*writer)->Write(content.substr(content.size() / 2));
  }
  if (status.ok()) return (*writer)->Commit(mode);
  (void)(*writer)->Abort();
  return status;
}

// The object's content; "none"; or the error.
std::string Get(LocalObjectStore& store, absl::string_view name) {
  auto reader = store.Open(kRun, name, 0);
  if (absl::IsNotFound(reader.status())) return "none";
  if (!reader.ok()) return reader.status().ToString();
  std::string content;
  char buffer[64];
  while (true) {
    const absl::StatusOr<size_t> got = (*reader)->Read(absl::MakeSpan(buffer));
    if (!got.ok()) return got.status().ToString();
    if (*got == 0) return content;
    content.append(buffer, *got);
  }
}

// A repo in memory, of which each call to the file system can be struck.
struct FaultyRepo {
  FaultyRepo() { EXPECT_TRUE(store->Create(kRun).ok()); }

  CrashFileSystem disk;
  FaultPlan plan;
  FaultFileSystem fs{&disk, &plan};
  const std::unique_ptr<LocalObjectStore> store = StoreOver(&fs);
};

std::vector<std::string> Leftovers(LocalObjectStore& store) {
  std::vector<std::string> names;
  EXPECT_TRUE(store
                  .ListUncommitted(kRun, "",
                                   [&](const ObjectInfo& object) {
                                     names.push_back(object.upload);
                                     return absl::OkStatus();
                                   })
                  .ok());
  return names;
}

struct Injected {
  std::string name;
  Fault fault;
  std::set<std::string> words;  // that the error may have
};

std::vector<Injected> AllFaults() {
  const std::string io(kDestinationIoError);
  const std::string space(kDestinationNoSpace);
  return {
      {"EIO", Fault::Error(EIO), {io}},
      {"ENOSPC", Fault::Error(ENOSPC), {space}},
      {"EDQUOT", Fault::Error(EDQUOT), {space}},
      {"short write", Fault::ShortWrite(), {}},
      {"lost answer", Fault::LostAnswer(EIO), {io}},
      {"EROFS", Fault::Error(EROFS), {std::string(kDestinationReadOnly)}},
      {"EACCES",
       Fault::Error(EACCES),
       {std::string(kDestinationPermissionDenied)}},
      {"ESTALE", Fault::Error(ESTALE), {io}},
      {"EFBIG", Fault::Error(EFBIG), {std::string(kDestinationTooLarge)}},
  };
}

// One thing that is done to a place, from a state to a state.
struct Verb {
  std::string name;
  std::string before;  // what a/b/c holds
  std::string after;
  std::function<absl::Status(LocalObjectStore&)> run;
};

std::vector<Verb> AllVerbs() {
  return {
      {"put if absent", "none", "new content",
       [](LocalObjectStore& store) {
         return Put(store, "a/b/c", "new content", CommitMode::kIfAbsent);
       }},
      {"replace", "old", "new content",
       [](LocalObjectStore& store) {
         return Put(store, "a/b/c", "new content", CommitMode::kReplace);
       }},
      {"delete", "old", "none",
       [](LocalObjectStore& store) { return store.Delete(kRun, "a/b/c"); }},
      {"abort", "none", "none",
       [](LocalObjectStore& store) -> absl::Status {
         auto writer = store.Begin(kRun, "a/b/c", 0);
         if (!writer.ok()) return writer.status();
         const absl::Status written = (*writer)->Write("x");
         const absl::Status aborted = (*writer)->Abort();
         return written.ok() ? aborted : written;
       }},
      {"create", "none", "none",
       [](LocalObjectStore& store) { return store.Create(kRun); }},
      {"probe", "old", "old",
       [](LocalObjectStore& store) {
         return store.Describe(kRun, true).status();
       }},
      {"read", "old", "old",
       [](LocalObjectStore& store) -> absl::Status {
         auto reader = store.Open(kRun, "a/b/c", 1);
         if (!reader.ok()) return reader.status();
         char buffer[8];
         return (*reader)->Read(absl::MakeSpan(buffer)).status();
       }},
      {"list", "old", "old",
       [](LocalObjectStore& store) {
         int count = 0;
         const absl::Status status =
             store.List(kRun, "", [&](const ObjectInfo&) {
               ++count;
               return absl::OkStatus();
             });
         EXPECT_TRUE(!status.ok() || count == 1);
         return status;
       }},
  };
}

void Prepare(CrashFileSystem& disk, const Verb& verb) {
  auto store = StoreOver(&disk);
  if (verb.name != "create") {
    ASSERT_TRUE(store->Create(kRun).ok());
  }
  if (verb.before != "none") {
    ASSERT_TRUE(Put(*store, "a/b/c", verb.before, CommitMode::kReplace).ok());
  }
}

// Checks what a struck run left; returns what happened, for the table.
std::string CheckOutcome(const Verb& verb, const Injected& injected,
                         const absl::Status& status, CrashFileSystem& disk) {
  auto fresh = StoreOver(&disk);  // another process
  if (verb.name == "create") {
    EXPECT_TRUE(status.ok() || injected.words.count(ErrorCodeOf(status)) > 0)
        << status;
    EXPECT_TRUE(fresh->Create(kRun).ok());
    return status.ok() ? "survived" : "failed cleanly";
  }
  const std::string content = Get(*fresh, "a/b/c");
  EXPECT_TRUE(content == verb.before || content == verb.after) << content;
  if (status.ok()) {
    EXPECT_EQ(content, verb.after) << "success that is none";
  } else {
    EXPECT_TRUE(injected.words.count(ErrorCodeOf(status)) > 0) << status;
    // An unknown outcome may only be said as UNKNOWN.
    EXPECT_TRUE(content == verb.before || absl::IsUnknown(status)) << status;
  }
  // Temporary files are left only where removing them was what failed.
  const std::vector<std::string> leftovers = Leftovers(*fresh);
  EXPECT_LE(leftovers.size(), 1u);
  for (const std::string& upload : leftovers) {
    EXPECT_TRUE(fresh->AbortUncommitted(kRun, upload).ok()) << upload;
  }
  EXPECT_THAT(Leftovers(*fresh), IsEmpty());
  EXPECT_EQ(Get(*fresh, "a/b/c"), content);
  EXPECT_TRUE(Put(*fresh, "a/b/c", "again", CommitMode::kReplace).ok());
  EXPECT_EQ(Get(*fresh, "a/b/c"), "again");
  if (absl::IsUnknown(status)) return "unknown";
  return status.ok() ? "survived" : "failed cleanly";
}

TEST(LocalFaultsTest, EachCallOfEachVerbFailsInTurnWithEachFault) {
  size_t visited = 0;
  size_t enumerated = 0;
  for (const Verb& verb : AllVerbs()) {
    int64_t calls = 0;
    {
      CrashFileSystem disk;
      Prepare(disk, verb);
      FaultPlan plan;
      FaultFileSystem fs(&disk, &plan);
      ASSERT_TRUE(verb.run(*StoreOver(&fs)).ok()) << verb.name;
      calls = plan.calls();
    }
    std::map<std::string, int> outcomes;
    for (int64_t n = 1; n <= calls; ++n) {
      for (const Injected& injected : AllFaults()) {
        SCOPED_TRACE(verb.name + ", call " + std::to_string(n) + ", " +
                     injected.name);
        CrashFileSystem disk;
        Prepare(disk, verb);
        FaultPlan plan;
        FaultFileSystem fs(&disk, &plan);
        plan.StrikeAt(n, injected.fault);
        ++enumerated;
        auto store = StoreOver(&fs);
        const absl::Status status = verb.run(*store);
        EXPECT_GE(plan.calls(), n);
        EXPECT_TRUE(plan.struck() || injected.name == "short write");
        ++visited;
        ++outcomes[CheckOutcome(verb, injected, status, disk)];
      }
    }
    std::printf("%-14s %2lld calls x %zu faults:", verb.name.c_str(),
                static_cast<long long>(calls), AllFaults().size());
    for (const auto& [outcome, count] : outcomes) {
      std::printf("  %d %s", count, outcome.c_str());
    }
    std::printf("\n");
  }
  std::printf("faults visited %zu of %zu\n", visited, enumerated);
  EXPECT_EQ(visited, enumerated);
  EXPECT_GE(visited, 500u);
}

TEST(LocalFaultsTest, ADiskThatStaysFullLeavesTheObjectUnpublished) {
  const Verb verb = AllVerbs()[0];
  int64_t calls = 0;
  {
    CrashFileSystem disk;
    Prepare(disk, verb);
    FaultPlan plan;
    FaultFileSystem fs(&disk, &plan);
    ASSERT_TRUE(verb.run(*StoreOver(&fs)).ok());
    calls = plan.calls();
  }
  for (int64_t n = 1; n <= calls; ++n) {
    CrashFileSystem disk;
    Prepare(disk, verb);
    FaultPlan plan;
    FaultFileSystem fs(&disk, &plan);
    plan.StrikeFrom(n, Fault::Error(ENOSPC));
    const absl::Status status = verb.run(*StoreOver(&fs));
    EXPECT_EQ(ErrorCodeOf(status), kDestinationNoSpace) << n << status;
    const std::string content = Get(*StoreOver(&disk), "a/b/c");
    EXPECT_TRUE(content == "none" || absl::IsUnknown(status)) << n;
  }
}

// A file system that lacks renameat2's flag.
Fault NoFlag() { return Fault::Error(EINVAL); }
void OnRenames(FaultPlan& plan, Fault fault) {
  plan.SetFilter(
      [](const FileCall& call) { return call.op == FileOp::kRenameNoReplace; });
  plan.StrikeFrom(1, std::move(fault));
}

TEST(LocalFaultsTest, PublishesByLinkWhereRenameCannotRefuse) {
  FaultyRepo repo;
  OnRenames(repo.plan, NoFlag());
  EXPECT_TRUE(Put(*repo.store, "a/b", "first", CommitMode::kIfAbsent).ok());
  EXPECT_TRUE(absl::IsAlreadyExists(
      Put(*repo.store, "a/b", "second", CommitMode::kIfAbsent)));
  EXPECT_EQ(Get(*repo.store, "a/b"), "first");
  EXPECT_THAT(Leftovers(*repo.store), IsEmpty());
  EXPECT_EQ(repo.disk.Stat("/repo/a/b").value.links, 1u);
  const auto info = repo.store->Describe(kRun, true);
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_TRUE(info->conditional_commit);
}

TEST(LocalFaultsTest, RefusesToPublishWhereNothingRefuses) {
  FaultyRepo repo;
  repo.plan.SetFilter([](const FileCall& call) {
    return call.op == FileOp::kRenameNoReplace || call.op == FileOp::kLink;
  });
  repo.plan.StrikeFrom(1, Fault::Error(EOPNOTSUPP));
  EXPECT_EQ(ErrorCodeOf(Put(*repo.store, "a", "x", CommitMode::kIfAbsent)),
            kDestinationUnsupported);
  EXPECT_TRUE(Put(*repo.store, "a", "x", CommitMode::kReplace).ok());
  const auto info = repo.store->Describe(kRun, true);
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_FALSE(info->conditional_commit);
  EXPECT_THAT(Leftovers(*repo.store), IsEmpty());
}

TEST(LocalFaultsTest, BelievesItsOwnRenameWhoseAnswerWasLost) {
  for (const int error : {EEXIST, ENOENT, EIO, ETIMEDOUT}) {
    for (const bool by_link : {false, true}) {
      FaultyRepo repo;
      repo.plan.SetFilter([](const FileCall& call) {
        return call.op == FileOp::kRenameNoReplace || call.op == FileOp::kLink;
      });
      if (by_link) repo.plan.StrikeAt(1, NoFlag());
      repo.plan.StrikeAt(by_link ? 2 : 1, Fault::LostAnswer(error));
      EXPECT_TRUE(Put(*repo.store, "a/b", "mine", CommitMode::kIfAbsent).ok());
      EXPECT_TRUE(repo.plan.struck());
      EXPECT_EQ(Get(*repo.store, "a/b"), "mine");
      EXPECT_THAT(Leftovers(*repo.store), IsEmpty());
    }
  }
}

TEST(LocalFaultsTest, BelievesItsOwnUnlinkWhoseAnswerWasLost) {
  for (const int error : {EIO, ETIMEDOUT}) {
    FaultyRepo repo;
    ASSERT_TRUE(Put(*repo.store, "a/b", "mine", CommitMode::kIfAbsent).ok());
    repo.plan.SetFilter(
        [](const FileCall& call) { return call.op == FileOp::kUnlink; });
    repo.plan.StrikeAt(1, Fault::LostAnswer(error));
    EXPECT_EQ(repo.store->Delete(kRun, "a/b"), absl::OkStatus());
    EXPECT_TRUE(repo.plan.struck());
    EXPECT_EQ(Get(*repo.store, "a/b"), "none");
  }
}

TEST(LocalFaultsTest, NeverTakesAnothersObjectForItsOwn) {
  FaultyRepo repo;
  ASSERT_TRUE(Put(*repo.store, "a/b", "same size", CommitMode::kIfAbsent).ok());
  OnRenames(repo.plan, NoFlag());
  EXPECT_TRUE(absl::IsAlreadyExists(
      Put(*repo.store, "a/b", "SAME SIZE", CommitMode::kIfAbsent)));
  EXPECT_EQ(Get(*repo.store, "a/b"), "same size");
}

FaultPlan& FolderSyncsFail(FaultPlan& plan, int error) {
  plan.SetFilter(
      [](const FileCall& call) { return call.op == FileOp::kSyncDirectory; });
  plan.StrikeFrom(1, Fault::Error(error));
  return plan;
}

TEST(LocalFaultsTest, RefusesAFileSystemThatCannotSyncFoldersUnlessAllowed) {
  CrashFileSystem disk;
  FaultPlan plan;
  FaultFileSystem fs(&disk, &plan);
  ASSERT_TRUE(StoreOver(&disk)->Create(kRun).ok());
  FolderSyncsFail(plan, EINVAL);
  auto strict = StoreOver(&fs);
  const absl::Status refused = Put(*strict, "a/b", "x", CommitMode::kIfAbsent);
  EXPECT_EQ(ErrorCodeOf(refused), kDestinationUnsupported) << refused;
  EXPECT_EQ(ErrorCodeOf(Put(*strict, "top", "x", CommitMode::kIfAbsent)),
            kDestinationUnsupported);
  EXPECT_EQ(ErrorCodeOf(strict->Describe(kRun, true).status()),
            kDestinationUnsupported);
  EXPECT_EQ(Get(*strict, "a/b"), "none");
  EXPECT_EQ(Get(*strict, "top"), "none");

  LocalOptions options;
  options.path = "/repo";
  options.file_system = &fs;
  options.allow_unsynced = true;
  LocalObjectStore lax(options);
  EXPECT_TRUE(Put(lax, "a/b", "x", CommitMode::kIfAbsent).ok());
  EXPECT_FALSE(lax.Describe(kRun, true)->durable_commit);
  EXPECT_FALSE(lax.Describe(kRun, false)->durable_commit);
  EXPECT_TRUE(lax.Delete(kRun, "a/b").ok());
  EXPECT_THAT(Leftovers(lax), IsEmpty());
  // An error is no lack.
  plan.Reset();
  FolderSyncsFail(plan, EIO);
  EXPECT_EQ(ErrorCodeOf(Put(lax, "a/c", "x", CommitMode::kIfAbsent)),
            kDestinationIoError);
}

TEST(LocalFaultsTest, IsUnsureOfAPublishWhoseFolderWasNotSynced) {
  FaultyRepo repo;
  auto writer = repo.store->Begin(kRun, "a/b", 0);
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE((*writer)->Write("content").ok());
  FolderSyncsFail(repo.plan, EIO);
  EXPECT_TRUE(absl::IsUnknown((*writer)->Commit(CommitMode::kIfAbsent)));
  // To read it back would be to vouch for it.
  EXPECT_EQ(ErrorCodeOf(repo.store->Open(kRun, "a/b", 0).status()),
            kDestinationIoError);
  EXPECT_EQ(ErrorCodeOf(repo.store->Stat(kRun, "a/b").status()),
            kDestinationIoError);
  repo.plan.Reset();  // the disk is well again
  EXPECT_EQ(Get(*repo.store, "a/b"), "content");
  repo.disk.Mark("read back after the unsure commit");
  repo.disk.ForEachCrash({}, [&](const CrashedDisk& crashed) {
    if (crashed.marks() == 0) return true;
    auto mounted = crashed.Mount();
    EXPECT_EQ(Get(*StoreOver(mounted.get()), "a/b"), "content")
        << crashed.text();
    return true;
  });
}

TEST(LocalFaultsTest, NeverSyncsAFileAgainWhoseSyncFailed) {
  FaultyRepo repo;
  repo.plan.SetFilter(
      [](const FileCall& call) { return call.op == FileOp::kSync; });
  repo.plan.StrikeAt(1, Fault::Error(EIO));
  auto writer = repo.store->Begin(kRun, "a/b", 0);
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE((*writer)->Write("content").ok());
  EXPECT_EQ(ErrorCodeOf((*writer)->Commit(CommitMode::kIfAbsent)),
            kDestinationIoError);
  EXPECT_FALSE((*writer)->Commit(CommitMode::kIfAbsent).ok());
  EXPECT_EQ(repo.plan.calls(), 1);
  EXPECT_EQ(Get(*repo.store, "a/b"), "none");
  EXPECT_THAT(Leftovers(*repo.store), IsEmpty());
}

TEST(LocalFaultsTest, PublishesNothingWhenOnlyTheCloseSaysThatThereWasNoRoom) {
  for (const Fault& fault : {Fault::Error(ENOSPC), Fault::LostAnswer(EDQUOT)}) {
    FaultyRepo repo;
    repo.plan.SetFilter(
        [](const FileCall& call) { return call.op == FileOp::kClose; });
    repo.plan.StrikeAt(1, fault);
    EXPECT_EQ(ErrorCodeOf(Put(*repo.store, "a/b", "x", CommitMode::kIfAbsent)),
              kDestinationNoSpace);
    EXPECT_EQ(Get(*repo.store, "a/b"), "none");
    EXPECT_THAT(Leftovers(*repo.store), IsEmpty());
  }
}

TEST(LocalFaultsTest, BeginsAnewWhereASweepTookTheFolderInBetween) {
  FaultyRepo repo;
  repo.plan.SetFilter(
      [](const FileCall& call) { return call.op == FileOp::kOpen; });
  repo.plan.StrikeAt(1, Fault::Call(Fault::Kind::kBefore, [&](const FileCall&) {
                       EXPECT_EQ(repo.disk.RemoveDirectory("/repo/a"), 0);
                     }));
  EXPECT_TRUE(Put(*repo.store, "a/b", "x", CommitMode::kIfAbsent).ok());
  EXPECT_TRUE(repo.plan.struck());
  EXPECT_EQ(Get(*repo.store, "a/b"), "x");
}

std::vector<std::string> Names(LocalObjectStore& store,
                               absl::string_view prefix) {
  std::vector<std::string> names;
  EXPECT_EQ(store.List(kRun, prefix,
                       [&](const ObjectInfo& object) {
                         names.push_back(object.name);
                         return absl::OkStatus();
                       }),
            absl::OkStatus());
  return names;
}

TEST(LocalFaultsTest, AFolderThatCannotBeReadHidesNoOther) {
  for (const int error : {EACCES, EPERM, EIO}) {
    FaultyRepo repo;
    for (const char* name : {"a/x", "b/x", "b/y", "c/x"}) {
      ASSERT_TRUE(Put(*repo.store, name, "x", CommitMode::kIfAbsent).ok());
    }
    for (const FileOp op : {FileOp::kList, FileOp::kStat}) {
      repo.plan.SetFilter([op](const FileCall& call) {
        return call.op == op && call.path.substr(0, 1) == "b";
      });
      repo.plan.StrikeFrom(1, Fault::Error(error));
      EXPECT_THAT(Names(*repo.store, ""), ElementsAre("a/x", "b/-", "c/x"));
      EXPECT_THAT(Leftovers(*repo.store), IsEmpty());
      // Who asks for that very folder hears why.
      EXPECT_FALSE(
          repo.store
              ->List(kRun, "b/",
                     [](const ObjectInfo&) { return absl::OkStatus(); })
              .ok());
      repo.plan.Reset();
    }
  }
}

TEST(LocalFaultsTest, WhatIsTooDeepOrTooLongForAnObjectIsNotEntered) {
  FaultyRepo repo;
  ASSERT_TRUE(Put(*repo.store, "z/x", "x", CommitMode::kIfAbsent).ok());
  std::string deep = "/repo";
  for (int i = 0; i < 1000; ++i) {
    deep += "/d";
    ASSERT_EQ(repo.disk.MakeDirectory(deep, 0700), 0);
  }
  std::string wide = "/repo";
  for (int i = 0; i < 3; ++i) {
    wide += "/" + std::string(200, 'w');
    ASSERT_EQ(repo.disk.MakeDirectory(wide, 0700), 0);
    ASSERT_TRUE(repo.disk
                    .Open(wide + "/" + std::string(100, 'f'),
                          O_WRONLY | O_CREAT | O_EXCL, 0600)
                    .ok());
  }
  repo.plan.SetFilter(
      [](const FileCall& call) { return call.op == FileOp::kList; });
  const std::vector<std::string> names = Names(*repo.store, "");
  EXPECT_EQ(names.back(), "z/x");
  EXPECT_EQ(names.size(), 3u);  // and those of 301 and of 502 bytes
  for (const std::string& name : names) EXPECT_TRUE(sdk::IsObjectName(name));
  EXPECT_LT(repo.plan.calls(), 270);
}

TEST(LocalFaultsTest, SyncsNoMoreThanItMust) {
  CrashFileSystem disk;
  auto store = StoreOver(&disk);
  ASSERT_TRUE(store->Create(kRun).ok());
  disk.Settle();
  ASSERT_TRUE(Put(*store, "a/one", "x", CommitMode::kIfAbsent).ok());
  EXPECT_EQ(disk.syncs(), 3) << "parent of the new folder, file, folder";
  ASSERT_TRUE(Put(*store, "a/two", "x", CommitMode::kIfAbsent).ok());
  EXPECT_EQ(disk.syncs(), 5) << "file, folder";
  ASSERT_TRUE(store->Delete(kRun, "a/one").ok());
  EXPECT_EQ(disk.syncs(), 6) << "folder";
  ASSERT_TRUE(store->Delete(kRun, "a/two").ok());
  EXPECT_EQ(disk.syncs(), 7) << "the parent of the removed folder";
}

// ---- T2: the process dies before and after each call

std::string RealFolder() {
  std::string folder = ::testing::TempDir() + "/kill-XXXXXX";
  EXPECT_NE(mkdtemp(folder.data()), nullptr);
  return folder;
}

int64_t CallsOf(const Verb& verb, const std::string& folder) {
  FaultPlan plan;
  FaultFileSystem fs(FileSystem::Posix(), &plan);
  EXPECT_TRUE(verb.run(*StoreOver(&fs, folder)).ok());
  return plan.calls();
}

void PrepareReal(const Verb& verb, const std::string& folder) {
  if (verb.before == "none") return;
  EXPECT_TRUE(Put(*StoreOver(FileSystem::Posix(), folder), "a/b/c", verb.before,
                  CommitMode::kReplace)
                  .ok());
}

void KillInChild(const Verb& verb, const std::string& folder, int64_t n,
                 Fault::Kind when) {
  const pid_t child = fork();
  if (child == 0) {
    FaultPlan plan;
    FaultFileSystem fs(FileSystem::Posix(), &plan);
    plan.StrikeAt(n, Fault::Kill(when));
    (void)verb.run(*StoreOver(&fs, folder));
    _exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status)) << "call " << n << " was not reached";
}

TEST(LocalFaultsTest, SurvivesAKillBeforeAndAfterEachCall) {
  int kills = 0;
  for (const Verb& verb : AllVerbs()) {
    if (verb.name == "create" || verb.name == "read" || verb.name == "list") {
      continue;  // change nothing that a kill could leave half done
    }
    const std::string first = RealFolder();
    PrepareReal(verb, first);
    const int64_t calls = CallsOf(verb, first);
    for (int64_t n = 1; n <= calls; ++n) {
      for (const Fault::Kind when :
           {Fault::Kind::kBefore, Fault::Kind::kAfter}) {
        SCOPED_TRACE(verb.name + ", kill at call " + std::to_string(n));
        const std::string folder = RealFolder();
        PrepareReal(verb, folder);
        KillInChild(verb, folder, n, when);
        ++kills;
        auto store = StoreOver(FileSystem::Posix(), folder);
        const std::string content = Get(*store, "a/b/c");
        EXPECT_TRUE(content == verb.before || content == verb.after) << content;
        for (const std::string& upload : Leftovers(*store)) {
          EXPECT_TRUE(store->AbortUncommitted(kRun, upload).ok()) << upload;
        }
        EXPECT_THAT(Leftovers(*store), IsEmpty());
        EXPECT_EQ(Get(*store, "a/b/c"), content);
        if (content == "none") {
          EXPECT_EQ(FileSystem::Posix()->List(folder).value.size(), 0u)
              << "a file or folder of ours that nothing finds";
        }
      }
    }
  }
  std::printf("kills survived: %d\n", kills);
  EXPECT_GE(kills, 60);
}

}  // namespace
}  // namespace sluice
