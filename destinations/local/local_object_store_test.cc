// The place in a real folder of the machine.

#include "sluice/destinations/local/local_object_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/base/file_system.h"
#include "sluice/plugins/sdk/place.h"
#include "sluice/plugins/sdk/run.h"

namespace sluice {
namespace {

using sdk::CommitMode;
using sdk::ObjectInfo;

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
namespace fs = std::filesystem;

class LocalObjectStoreTest : public ::testing::Test {
 protected:
  LocalObjectStoreTest() {
    std::string pattern = ::testing::TempDir() + "/local-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    root_ = folder_ + "/repo";
    fs::create_directory(root_);
    store_ = std::make_unique<LocalObjectStore>(LocalOptions{root_});
  }

  absl::Status Put(absl::string_view name, absl::string_view content,
                   CommitMode mode = CommitMode::kIfAbsent) {
    auto writer = store_->Begin(run_, name, 0);
    if (!writer.ok()) return writer.status();
    const absl::Status written = (*writer)->Write(content);
    return written.ok() ? (*writer)->Commit(mode) : written;
  }

  std::string Get(absl::string_view name, uint64_t offset = 0) {
    auto reader = store_->Open(run_, name, offset);
    if (!reader.ok()) return reader.status().ToString();
    std::string content;
    char buffer[7];
    while (true) {
      const absl::StatusOr<size_t> got =
          (*reader)->Read(absl::MakeSpan(buffer));
      if (!got.ok()) return got.status().ToString();
      if (*got == 0) return content;
      content.append(buffer, *got);
    }
  }

  std::vector<std::string> Names(absl::string_view prefix) {
    std::vector<std::string> names;
    EXPECT_TRUE(store_
                    ->List(run_, prefix,
                           [&](const ObjectInfo& object) {
                             names.push_back(object.name);
                             return absl::OkStatus();
                           })
                    .ok());
    return names;
  }

  std::vector<ObjectInfo> Uncommitted(absl::string_view prefix) {
    std::vector<ObjectInfo> all;
    EXPECT_TRUE(store_
                    ->ListUncommitted(run_, prefix,
                                      [&](const ObjectInfo& object) {
                                        all.push_back(object);
                                        return absl::OkStatus();
                                      })
                    .ok());
    return all;
  }

  // All that lies below the folder, folders with a slash.
  std::vector<std::string> OnDisk() const {
    std::vector<std::string> all;
    for (const auto& entry : fs::recursive_directory_iterator(root_)) {
      all.push_back(fs::relative(entry.path(), root_).string() +
                    (entry.is_directory() ? "/" : ""));
    }
    std::sort(all.begin(), all.end());
    return all;
  }

  mode_t ModeOf(const std::string& name) const {
    struct stat st = {};
    EXPECT_EQ(lstat((root_ + "/" + name).c_str(), &st), 0) << name;
    return st.st_mode & 07777;
  }

  const sdk::Run run_;
  std::string folder_;
  std::string root_;
  std::unique_ptr<LocalObjectStore> store_;
};

TEST_F(LocalObjectStoreTest, GivesBackWhatWasCommitted) {
  ASSERT_TRUE(Put("a/b/payload.bin", "hello, world").ok());
  EXPECT_EQ(Get("a/b/payload.bin"), "hello, world");
  EXPECT_EQ(Get("a/b/payload.bin", 7), "world");
  EXPECT_EQ(Get("a/b/payload.bin", 12), "");
  const auto object = store_->Stat(run_, "a/b/payload.bin");
  ASSERT_TRUE(object.ok());
  EXPECT_EQ(object->size, 12u);
  EXPECT_EQ(object->name, "a/b/payload.bin");
  EXPECT_THAT(OnDisk(), ElementsAre("a/", "a/b/", "a/b/payload.bin"));
}

TEST_F(LocalObjectStoreTest, ShowsNothingBeforeTheCommit) {
  auto writer = store_->Begin(run_, "a/b", 0);
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE((*writer)->Write("half").ok());
  EXPECT_TRUE(absl::IsNotFound(store_->Stat(run_, "a/b").status()));
  EXPECT_TRUE(absl::IsNotFound(store_->Open(run_, "a/b", 0).status()));
  EXPECT_THAT(Names(""), IsEmpty());
  const std::vector<ObjectInfo> uncommitted = Uncommitted("a/");
  ASSERT_EQ(uncommitted.size(), 1u);
  EXPECT_EQ(uncommitted[0].name, "a/b");
  EXPECT_EQ(uncommitted[0].size, 4u);
  EXPECT_THAT(uncommitted[0].upload, StartsWith("a/.sluice-"));
  EXPECT_THAT(Uncommitted("b"), IsEmpty());
}

TEST_F(LocalObjectStoreTest, LeavesNothingOfAnAbortedOrDroppedWriter) {
  auto aborted = store_->Begin(run_, "a/b/c", 0);
  ASSERT_TRUE(aborted.ok());
  ASSERT_TRUE((*aborted)->Write("x").ok());
  EXPECT_TRUE((*aborted)->Abort().ok());
  EXPECT_TRUE((*aborted)->Abort().ok());
  EXPECT_THAT(OnDisk(), IsEmpty());
  ASSERT_TRUE(store_->Begin(run_, "a/b/c", 0).ok());
  EXPECT_THAT(OnDisk(), IsEmpty());
}

TEST_F(LocalObjectStoreTest, ReplacesOnlyWhenAskedTo) {
  ASSERT_TRUE(Put("a", "first").ok());
  const absl::Status taken = Put("a", "second");
  EXPECT_TRUE(absl::IsAlreadyExists(taken)) << taken;
  EXPECT_EQ(ErrorCodeOf(taken), kDestinationPathConflict);
  EXPECT_EQ(Get("a"), "first");
  EXPECT_TRUE(Put("a", "third", CommitMode::kReplace).ok());
  EXPECT_EQ(Get("a"), "third");
  EXPECT_THAT(OnDisk(), ElementsAre("a"));
}

TEST_F(LocalObjectStoreTest, RefusesWritesAndCommitsAfterTheEnd) {
  auto writer = store_->Begin(run_, "a", 0);
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE((*writer)->Commit(CommitMode::kIfAbsent).ok());
  EXPECT_FALSE((*writer)->Write("x").ok());
  EXPECT_FALSE((*writer)->Commit(CommitMode::kReplace).ok());
  EXPECT_TRUE((*writer)->Abort().ok());
  EXPECT_EQ(Get("a"), "");
}

TEST_F(LocalObjectStoreTest, ListsInTheOrderOfWholeNames) {
  // '-' and '.' come before '/', letters after it.
  const std::vector<std::string> names = {
      "a-b", "a.b", "a/b", "a/b.c", "a/b0", "a0", "aa", "b/c/d", "b/c0/d"};
  for (auto name = names.rbegin(); name != names.rend(); ++name) {
    ASSERT_TRUE(Put(*name, "x").ok());
  }
  EXPECT_EQ(Names(""), names);
  EXPECT_THAT(Names("a/"), ElementsAre("a/b", "a/b.c", "a/b0"));
  EXPECT_THAT(Names("a/b"), ElementsAre("a/b", "a/b.c", "a/b0"));
  EXPECT_THAT(Names("a/b."), ElementsAre("a/b.c"));
  EXPECT_THAT(Names("b/c"), ElementsAre("b/c/d", "b/c0/d"));
  EXPECT_THAT(Names("b/c/d/"), IsEmpty());
  EXPECT_THAT(Names("none/"), IsEmpty());
  EXPECT_THAT(Names("../"), IsEmpty());
  EXPECT_THAT(Names("/"), IsEmpty());
}

TEST_F(LocalObjectStoreTest, PassesTheCallbacksErrorOn) {
  ASSERT_TRUE(Put("a", "x").ok());
  ASSERT_TRUE(Put("b", "x").ok());
  int calls = 0;
  const absl::Status status =
      store_->List(run_, "", [&](const ObjectInfo&) -> absl::Status {
        ++calls;
        return absl::DataLossError("enough");
      });
  EXPECT_EQ(status, absl::DataLossError("enough"));
  EXPECT_EQ(calls, 1);
}

TEST_F(LocalObjectStoreTest, DeletesTheObjectAndTheFoldersThatItLeavesEmpty) {
  ASSERT_TRUE(Put("a/b/c", "x").ok());
  ASSERT_TRUE(Put("a/d", "x").ok());
  EXPECT_TRUE(store_->Delete(run_, "a/b/c").ok());
  EXPECT_THAT(OnDisk(), ElementsAre("a/", "a/d"));
  EXPECT_TRUE(absl::IsNotFound(store_->Delete(run_, "a/b/c")));
  EXPECT_TRUE(store_->Delete(run_, "a/d").ok());
  EXPECT_THAT(OnDisk(), IsEmpty());
  EXPECT_TRUE(fs::exists(root_));
  EXPECT_TRUE(Put("a/b/c", "again").ok());
  EXPECT_EQ(Get("a/b/c"), "again");
}

TEST_F(LocalObjectStoreTest, RefusesNamesThatAreNone) {
  std::ofstream(folder_ + "/victim") << "precious";
  for (const std::string name : {"", ".", "..", "../victim", "a/../../victim",
                                 "/etc/passwd", "a//b", ".sluice-x", "a b"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(store_->Delete(run_, name))) << name;
    EXPECT_TRUE(absl::IsInvalidArgument(store_->Stat(run_, name).status()));
    EXPECT_TRUE(absl::IsInvalidArgument(store_->Open(run_, name, 0).status()));
    EXPECT_TRUE(absl::IsInvalidArgument(store_->Begin(run_, name, 0).status()));
  }
  for (const std::string upload :
       {"", "/", "a", "a/b", "../victim", "..", "../", "a/../",
        "../.sluice-0123456789abcdef-1-a"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(store_->AbortUncommitted(run_, upload)))
        << upload;
  }
  EXPECT_TRUE(fs::exists(folder_ + "/victim"));
}

TEST_F(LocalObjectStoreTest, NeverFollowsASymlinkOutOfTheFolder) {
  fs::create_directory(folder_ + "/outside");
  std::ofstream(folder_ + "/outside/victim") << "precious";
  fs::create_symlink("../outside", root_ + "/link");
  fs::create_symlink("../outside/victim", root_ + "/file");

  EXPECT_EQ(ErrorCodeOf(Put("link/new", "x")), kDestinationPathConflict);
  EXPECT_EQ(ErrorCodeOf(store_->Delete(run_, "link/victim")),
            kDestinationPathConflict);
  EXPECT_EQ(ErrorCodeOf(store_->Open(run_, "link/victim", 0).status()),
            kDestinationPathConflict);
  EXPECT_EQ(ErrorCodeOf(store_->Open(run_, "file", 0).status()),
            kDestinationPathConflict);
  EXPECT_EQ(ErrorCodeOf(store_->Stat(run_, "file").status()),
            kDestinationPathConflict);
  EXPECT_THAT(Names(""), IsEmpty());
  EXPECT_THAT(Uncommitted(""), IsEmpty());
  // The link itself may be replaced: what it points to stays.
  EXPECT_TRUE(absl::IsAlreadyExists(Put("file", "x")));
  EXPECT_TRUE(Put("file", "x", CommitMode::kReplace).ok());
  EXPECT_EQ(Get("file"), "x");

  std::ostringstream victim;
  victim << std::ifstream(folder_ + "/outside/victim").rdbuf();
  EXPECT_EQ(victim.str(), "precious");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_ + "/outside"), {}), 1);
}

TEST_F(LocalObjectStoreTest, IsNotHeldUpByAFifo) {
  ASSERT_EQ(mkfifo((root_ + "/manifest.json").c_str(), 0600), 0);
  EXPECT_EQ(ErrorCodeOf(store_->Open(run_, "manifest.json", 0).status()),
            kDestinationPathConflict);
  EXPECT_THAT(Names(""), IsEmpty());
}

TEST_F(LocalObjectStoreTest, PassesOverWhatIsNotOurs) {
  fs::create_directory(root_ + "/lost+found");
  ASSERT_EQ(chmod((root_ + "/lost+found").c_str(), 0), 0);
  std::ofstream(root_ + "/my notes.txt") << "x";
  std::ofstream(root_ + "/.sluice-keep") << "x";
  ASSERT_TRUE(Put("a/b", "x").ok());
  EXPECT_THAT(Names(""), ElementsAre("a/b"));
  EXPECT_THAT(Uncommitted(""), IsEmpty());
}

TEST_F(LocalObjectStoreTest, CreatesWithTightModesAndChangesNoOther) {
  ASSERT_EQ(chmod(root_.c_str(), 0755), 0);
  fs::create_directory(root_ + "/theirs");
  ASSERT_EQ(chmod((root_ + "/theirs").c_str(), 0755), 0);
  for (const mode_t mask : {0000, 0022, 0277}) {
    const std::string name = "a" + std::to_string(mask);
    const mode_t before = umask(mask);
    const absl::Status status = Put(name + "/b/c", "x");
    const absl::Status theirs = Put("theirs/" + name, "x");
    umask(before);
    ASSERT_TRUE(status.ok()) << status;
    ASSERT_TRUE(theirs.ok()) << theirs;
    EXPECT_EQ(ModeOf(name), 0700u);
    EXPECT_EQ(ModeOf(name + "/b"), 0700u);
    EXPECT_EQ(ModeOf(name + "/b/c"), 0600u);
    EXPECT_EQ(ModeOf("theirs/" + name), 0600u);
  }
  ASSERT_TRUE(store_->Create(run_).ok());
  EXPECT_EQ(ModeOf("theirs"), 0755u);
  EXPECT_EQ(ModeOf("."), 0755u);
}

TEST_F(LocalObjectStoreTest, CreatesThePlaceWithAllThatIsAboveIt) {
  const std::string path = folder_ + "/x/y/z";
  LocalObjectStore store({path + "///"});
  auto info = store.Describe(run_, false);
  ASSERT_TRUE(info.ok());
  EXPECT_FALSE(info->exists);
  ASSERT_TRUE(store.Create(run_).ok());
  ASSERT_TRUE(store.Create(run_).ok());
  struct stat st = {};
  ASSERT_EQ(stat(path.c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 07777, 0700u);
  info = store.Describe(run_, true);
  ASSERT_TRUE(info.ok());
  EXPECT_TRUE(info->exists);
}

TEST_F(LocalObjectStoreTest, TellsAMissingPlaceFromAMissingObject) {
  LocalObjectStore store({folder_ + "/unmounted"});
  std::vector<absl::Status> all = {
      store.Begin(run_, "a", 0).status(),
      store.Open(run_, "a", 0).status(),
      store.Stat(run_, "a").status(),
      store.Delete(run_, "a"),
      store.AbortUncommitted(run_, ".sluice-0123456789abcdef-1-a"),
      store.List(run_, "", [](const ObjectInfo&) { return absl::OkStatus(); }),
      store.ListUncommitted(
          run_, "", [](const ObjectInfo&) { return absl::OkStatus(); })};
  for (const absl::Status& status : all) {
    EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
    EXPECT_EQ(ErrorCodeOf(status), kDestinationNotFound);
    EXPECT_THAT(HintOf(status), HasSubstr("mounted"));
  }
  EXPECT_FALSE(fs::exists(folder_ + "/unmounted"));
}

TEST_F(LocalObjectStoreTest, RefusesAFileForAPlace) {
  std::ofstream(folder_ + "/file") << "x";
  LocalObjectStore store({folder_ + "/file"});
  EXPECT_EQ(ErrorCodeOf(store.Describe(run_, false).status()),
            kDestinationPathConflict);
  EXPECT_EQ(ErrorCodeOf(store.Create(run_)), kDestinationPathConflict);
}

TEST_F(LocalObjectStoreTest, ProbesAndLeavesNothingBehind) {
  const auto info = store_->Describe(run_, true);
  ASSERT_TRUE(info.ok()) << info.status();
  EXPECT_TRUE(info->exists);
  EXPECT_TRUE(info->conditional_commit);
  EXPECT_TRUE(info->durable_commit);
  EXPECT_LT(absl::AbsDuration(info->now - absl::Now()), absl::Minutes(1));
  EXPECT_THAT(OnDisk(), IsEmpty());
}

TEST_F(LocalObjectStoreTest, AbortsWhatAnotherProcessLeft) {
  fs::create_directories(root_ + "/a/b");
  fs::create_directories(root_ + "/c/empty");
  std::ofstream(root_ + "/a/b/.sluice-0123456789abcdef-42-payload.bin") << "x";
  ASSERT_TRUE(Put("a/kept", "x").ok());
  std::vector<std::string> names;
  for (const ObjectInfo& object : Uncommitted("")) {
    names.push_back(object.name);
    EXPECT_TRUE(store_->AbortUncommitted(run_, object.upload).ok());
    EXPECT_TRUE(
        absl::IsNotFound(store_->AbortUncommitted(run_, object.upload)));
  }
  EXPECT_THAT(names, ElementsAre("a/b/payload.bin", "c/empty/-"));
  EXPECT_THAT(OnDisk(), ElementsAre("a/", "a/kept"));
}

TEST_F(LocalObjectStoreTest, NeverRemovesAFolderThatIsInUse) {
  fs::create_directories(root_ + "/a");
  const std::vector<ObjectInfo> uncommitted = Uncommitted("");
  ASSERT_EQ(uncommitted.size(), 1u);
  ASSERT_TRUE(Put("a/b", "x").ok());
  EXPECT_TRUE(
      absl::IsNotFound(store_->AbortUncommitted(run_, uncommitted[0].upload)));
  EXPECT_EQ(Get("a/b"), "x");
}

TEST_F(LocalObjectStoreTest, PublishesNothingThatWasSweptMeanwhile) {
  auto writer = store_->Begin(run_, "a/b", 0);
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE((*writer)->Write("x").ok());
  for (const ObjectInfo& object : Uncommitted("")) {
    ASSERT_TRUE(store_->AbortUncommitted(run_, object.upload).ok());
  }
  const absl::Status status = (*writer)->Commit(CommitMode::kIfAbsent);
  EXPECT_TRUE(absl::IsAborted(status)) << status;
  EXPECT_EQ(ErrorCodeOf(status), kPublishFenced);
  EXPECT_THAT(OnDisk(), IsEmpty());
}

TEST_F(LocalObjectStoreTest, LetsExactlyOneOfManyWinAName) {
  constexpr int kWriters = 8;
  for (int round = 0; round < 25; ++round) {
    const std::string name = "r" + std::to_string(round) + "/manifest.json";
    std::atomic<int> ready = 0;
    std::atomic<int> won = 0;
    std::atomic<int> lost = 0;
    std::string winner;
    std::vector<std::thread> threads;
    for (int i = 0; i < kWriters; ++i) {
      threads.emplace_back([&, i] {
        // One store each, as processes have.
        LocalObjectStore store({root_});
        auto writer = store.Begin(run_, name, 0);
        ASSERT_TRUE(writer.ok()) << writer.status();
        ASSERT_TRUE((*writer)->Write("writer " + std::to_string(i)).ok());
        ++ready;
        while (ready < kWriters) std::this_thread::yield();
        const absl::Status status = (*writer)->Commit(CommitMode::kIfAbsent);
        if (status.ok()) {
          ++won;
          winner = "writer " + std::to_string(i);
        } else if (absl::IsAlreadyExists(status)) {
          ++lost;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(won, 1);
    EXPECT_EQ(lost, kWriters - 1);
    EXPECT_EQ(Get(name), winner);
  }
  EXPECT_THAT(Uncommitted(""), IsEmpty());
}

TEST_F(LocalObjectStoreTest, BeginsWhileOthersEmptyTheFolder) {
  std::atomic<bool> done = false;
  std::thread deleter([&] {
    LocalObjectStore store({root_});
    while (!done) {
      (void)store.Delete(run_, "a/b/c");
      (void)store.ListUncommitted(
          run_, "", [&](const ObjectInfo& object) -> absl::Status {
            if (object.upload.back() == '/') {
              (void)store.AbortUncommitted(run_, object.upload);
            }
            return absl::OkStatus();
          });
    }
  });
  for (int i = 0; i < 200; ++i) {
    const absl::Status status = Put("a/b/c", "x", CommitMode::kReplace);
    EXPECT_TRUE(status.ok()) << status;
  }
  done = true;
  deleter.join();
}

TEST_F(LocalObjectStoreTest, StopsBetweenTwoWritesOnceCancelled) {
  uint32_t cancelled = 0;
  sluice_run table = {};
  table.struct_size = sizeof(table);
  table.self = &cancelled;
  table.cancelled = [](void* self) { return *static_cast<uint32_t*>(self); };
  const sdk::Run run(&table);
  auto writer = store_->Begin(run, "a", 0);
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE((*writer)->Write("x").ok());
  cancelled = 1;
  EXPECT_TRUE(absl::IsCancelled((*writer)->Write("y")));
  EXPECT_TRUE((*writer)->Abort().ok());
  EXPECT_TRUE(absl::IsCancelled(store_->Begin(run, "a", 0).status()));
  EXPECT_TRUE(absl::IsCancelled(store_->Stat(run, "a").status()));
  EXPECT_TRUE(absl::IsCancelled(store_->Delete(run, "a")));
  EXPECT_THAT(OnDisk(), IsEmpty());
}

TEST_F(LocalObjectStoreTest, LeavesNoDescriptorOpen) {
  const auto open = [] {
    return std::distance(fs::directory_iterator("/proc/self/fd"), {});
  };
  const auto before = open();
  ASSERT_TRUE(Put("a/b", "x").ok());
  EXPECT_FALSE(Put("a/b", "x").ok());
  EXPECT_EQ(Get("a/b"), "x");
  EXPECT_THAT(Names(""), ElementsAre("a/b"));
  EXPECT_TRUE(store_->Describe(run_, true).ok());
  EXPECT_TRUE(store_->Delete(run_, "a/b").ok());
  EXPECT_EQ(open(), before);
}

}  // namespace
}  // namespace sluice
