// T15 for one place: small real file systems that are full, read-only, or over
// a quota.
// See base/testing/private_mounts.h for what it needs.

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/base/testing/private_mounts.h"
#include "sluice/destinations/local/local_object_store.h"
#include "sluice/plugins/sdk/place.h"
#include "sluice/plugins/sdk/run.h"

namespace sluice {
namespace {

using sdk::CommitMode;
using sdk::ObjectInfo;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
namespace fs = std::filesystem;

const sdk::Run kRun;

class LocalFullDiskTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    refusal_ = new std::string(EnterPrivateMounts());
  }

  void SetUp() override {
    if (!refusal_->empty() && MountsAreExcused()) {
      GTEST_SKIP() << *refusal_;
    }
    ASSERT_EQ(*refusal_, "")
        << "mounts are needed; SLUICE_TEST_NO_MOUNTS=1 does without this test";
    std::string pattern = ::testing::TempDir() + "/disk-XXXXXX";
    mount_ = mkdtemp(pattern.data());
  }

  void TearDown() override {
    if (!mount_.empty()) umount2(mount_.c_str(), MNT_DETACH);
  }

  void MountTmpfs(const std::string& options) {
    ASSERT_EQ(mount("none", mount_.c_str(), "tmpfs", 0, options.c_str()), 0)
        << std::generic_category().message(errno);
  }

  std::unique_ptr<LocalObjectStore> Store() {
    return std::make_unique<LocalObjectStore>(LocalOptions{mount_ + "/repo"});
  }

  static absl::Status Put(LocalObjectStore& store, absl::string_view name,
                          size_t size,
                          CommitMode mode = CommitMode::kIfAbsent) {
    auto writer = store.Begin(kRun, name, size);
    if (!writer.ok()) return writer.status();
    const std::string chunk(64 << 10, 'x');
    absl::Status status;
    for (size_t left = size; left > 0 && status.ok();) {
      const size_t now = std::min(left, chunk.size());
      status = (*writer)->Write(absl::string_view(chunk).substr(0, now));
      left -= now;
    }
    return status.ok() ? (*writer)->Commit(mode) : status;
  }

  std::vector<std::string> OnDisk() const {
    std::vector<std::string> all;
    for (const auto& entry :
         fs::recursive_directory_iterator(mount_ + "/repo")) {
      all.push_back(fs::relative(entry.path(), mount_ + "/repo").string());
    }
    std::sort(all.begin(), all.end());
    return all;
  }

  static std::string* refusal_;
  std::string mount_;
};

std::string* LocalFullDiskTest::refusal_ = nullptr;

TEST_F(LocalFullDiskTest, FailsCleanlyWhenTheDiskIsFullAndGoesOnAfterwards) {
  MountTmpfs("size=1m,mode=0755");
  auto store = Store();
  ASSERT_TRUE(store->Create(kRun).ok());
  ASSERT_TRUE(Put(*store, "a/kept", 400 << 10).ok());
  const absl::Status full = Put(*store, "b/payload.bin", 2 << 20);
  EXPECT_TRUE(absl::IsResourceExhausted(full)) << full;
  EXPECT_EQ(ErrorCodeOf(full), kDestinationNoSpace);
  // What filled the disk is gone, folder and all; what was there is whole.
  EXPECT_THAT(OnDisk(), ElementsAre("a", "a/kept"));
  EXPECT_EQ(store->Stat(kRun, "a/kept")->size, size_t{400 << 10});
  EXPECT_TRUE(Put(*store, "b/payload.bin", 400 << 10).ok());
}

TEST_F(LocalFullDiskTest, FailsCleanlyAtEachFillingOfTheDisk) {
  // From room for nothing to room for all, in pages: each step of the commit
  // meets the end of the disk once.
  int failed = 0;
  for (int pages = 2; pages <= 20; ++pages) {
    MountTmpfs(absl::StrCat("nr_blocks=", pages, ",mode=0755"));
    auto store = Store();
    absl::Status status = store->Create(kRun);
    if (status.ok()) status = Put(*store, "a/b/payload.bin", 40000);
    if (!status.ok()) {
      ++failed;
      EXPECT_EQ(ErrorCodeOf(status), kDestinationNoSpace) << pages << status;
      if (fs::exists(mount_ + "/repo")) {
        EXPECT_THAT(OnDisk(), IsEmpty());
      }
    }
    ASSERT_EQ(umount2(mount_.c_str(), 0), 0) << "a descriptor is still open";
  }
  EXPECT_GT(failed, 3);
  EXPECT_LT(failed, 19);
}

TEST_F(LocalFullDiskTest, FailsCleanlyWithoutInodes) {
  MountTmpfs("nr_inodes=4,mode=0755");  // the root, repo, a, and one file
  auto store = Store();
  ASSERT_TRUE(store->Create(kRun).ok());
  ASSERT_TRUE(Put(*store, "a/one", 10).ok());
  EXPECT_EQ(ErrorCodeOf(Put(*store, "a/two", 10)), kDestinationNoSpace);
  EXPECT_EQ(ErrorCodeOf(Put(*store, "b/two", 10)), kDestinationNoSpace);
  EXPECT_THAT(OnDisk(), ElementsAre("a", "a/one"));
}

TEST_F(LocalFullDiskTest, SaysThatAFileSystemIsReadOnlyAndStillReads) {
  MountTmpfs("size=1m,mode=0755");
  auto store = Store();
  ASSERT_TRUE(store->Create(kRun).ok());
  ASSERT_TRUE(Put(*store, "a/kept", 10).ok());
  ASSERT_EQ(
      mount(nullptr, mount_.c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr),
      0);
  EXPECT_EQ(ErrorCodeOf(Put(*store, "a/new", 10)), kDestinationReadOnly);
  EXPECT_EQ(ErrorCodeOf(Put(*store, "b/new", 10)), kDestinationReadOnly);
  EXPECT_EQ(ErrorCodeOf(store->Delete(kRun, "a/kept")), kDestinationReadOnly);
  EXPECT_EQ(ErrorCodeOf(store->Describe(kRun, true).status()),
            kDestinationReadOnly);
  EXPECT_TRUE(store->Describe(kRun, false).ok());
  EXPECT_TRUE(store->Open(kRun, "a/kept", 0).ok());
  EXPECT_EQ(store->Stat(kRun, "a/kept")->size, 10u);
}

TEST_F(LocalFullDiskTest, KeepsTheOldObjectWhenItsReplacementDoesNotFit) {
  MountTmpfs("size=1m,mode=0755");
  auto store = Store();
  ASSERT_TRUE(store->Create(kRun).ok());
  ASSERT_TRUE(Put(*store, "a/writer.json", 300 << 10).ok());
  EXPECT_EQ(ErrorCodeOf(
                Put(*store, "a/writer.json", 900 << 10, CommitMode::kReplace)),
            kDestinationNoSpace);
  EXPECT_EQ(store->Stat(kRun, "a/writer.json")->size, size_t{300 << 10});
}

TEST_F(LocalFullDiskTest, SaysThatAFileIsTooLarge) {
  MountTmpfs("size=4m,mode=0755");
  auto store = Store();
  ASSERT_TRUE(store->Create(kRun).ok());
  struct rlimit before;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  struct rlimit limit = before;
  limit.rlim_cur = 100 << 10;
  const auto old = signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
  const absl::Status status = Put(*store, "a/payload.bin", 1 << 20);
  setrlimit(RLIMIT_FSIZE, &before);
  signal(SIGXFSZ, old);
  EXPECT_EQ(ErrorCodeOf(status), kDestinationTooLarge) << status;
  EXPECT_THAT(OnDisk(), IsEmpty());
}

TEST_F(LocalFullDiskTest, NoticesThatTheDiskWasUnmounted) {
  MountTmpfs("size=1m,mode=0755");
  auto store = Store();
  ASSERT_TRUE(store->Create(kRun).ok());
  ASSERT_TRUE(Put(*store, "a/kept", 10).ok());
  ASSERT_EQ(umount2(mount_.c_str(), 0), 0) << "a store at rest holds no disk";
  EXPECT_EQ(ErrorCodeOf(Put(*store, "a/new", 10)), kDestinationNotFound);
  EXPECT_EQ(ErrorCodeOf(store->Stat(kRun, "a/kept").status()),
            kDestinationNotFound);
  EXPECT_THAT(fs::exists(mount_ + "/repo"), false)
      << "nothing is made below an empty mount point";
}

}  // namespace
}  // namespace sluice
