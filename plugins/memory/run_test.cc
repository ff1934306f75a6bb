// Whole runs: the plugin's table under the host, the executor, the archive over
// a store of objects in memory, and back.

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/clock.h"
#include "sluice/base/error.h"
#include "sluice/executor/executor.h"
#include "sluice/executor/testing/fake_destination.h"
#include "sluice/executor/testing/fake_job_store.h"
#include "sluice/plugins/host/plugin_host.h"
#include "sluice/plugins/memory/factory.h"
#include "sluice/plugins/sdk/testing/scratch_folder.h"

namespace sluice {
namespace {

class RunTest : public ::testing::Test {
 protected:
  RunTest()
      : host_({}),
        executor_(&jobs_, Clock::Real()),
        destination_(std::make_shared<FakeDestination>()) {
    EXPECT_TRUE(host_.RegisterStatic(&kMemoryPlugin).ok());
    repo_.set_id("repo");
  }

  BackupResult Backup(const std::string& uri, bool allow_empty = false) {
    auto source = host_.CreateSource(uri);
    EXPECT_TRUE(source.ok()) << source.status();
    auto info = (*source)->Describe(Context::Background());
    RunBackupOptions options;
    options.allow_empty = allow_empty;
    return executor_.RunBackup(Context::Background(), *source, destination_,
                               repo_, info.ok() ? info->store_id : "unknown",
                               "memory", options);
  }

  RestoreResult Restore(const BackupResult& backup, const std::string& uri) {
    auto target = host_.CreateSource(uri);
    EXPECT_TRUE(target.ok()) << target.status();
    return executor_.RunRestore(Context::Background(), *target, destination_,
                                repo_, backup.record->id(), {});
  }

  PluginHost host_;
  FakeJobStore jobs_;
  Executor executor_;
  std::shared_ptr<FakeDestination> destination_;
  BackupRepo repo_;
  ScratchFolder folder_;
};

TEST_F(RunTest, BringsBackAFolderWithWarningsForWhatItLeftOut) {
  folder_.Write("from/empty", "");
  folder_.Write("from/sub/caf\xe9", "not UTF-8");
  folder_.Write("from/sub/file", std::string(3000000, 'x'));
  std::filesystem::create_symlink("sub/file", folder_.Path("from/link"));
  const BackupResult backup = Backup("memory:?load=" + folder_.Path("from"));
  ASSERT_TRUE(backup.status.ok()) << backup.status;
  ASSERT_EQ(backup.job->warnings_size(), 1);
  EXPECT_TRUE(absl::StrContains(backup.job->warnings(0).ShortDebugString(),
                                "link: a symlink"));
  const RestoreResult restore =
      Restore(backup, "memory:?save=" + folder_.Path("to"));
  ASSERT_TRUE(restore.status.ok()) << restore.status;
  EXPECT_TRUE(FilesBelow(folder_.Path("to")) ==
              FilesBelow(folder_.Path("from")));
}

TEST_F(RunTest, AFolderThatIsNotThereFailsAndPublishesNothing) {
  const BackupResult backup = Backup("memory:?load=" + folder_.Path("absent"));
  EXPECT_EQ(ErrorCodeOf(backup.status), kSourceUnavailable);
  EXPECT_FALSE(backup.record.has_value());
  EXPECT_TRUE(destination_->archives().empty());
}

TEST_F(RunTest, AnEmptyFolderIsNoBackupUnlessThatIsAllowed) {
  std::filesystem::create_directory(folder_.Path("from"));
  const std::string uri = "memory:?load=" + folder_.Path("from");
  EXPECT_EQ(ErrorCodeOf(Backup(uri).status), kSourceEmpty);
  EXPECT_TRUE(destination_->archives().empty());
  const BackupResult allowed = Backup(uri, /*allow_empty=*/true);
  ASSERT_TRUE(allowed.status.ok()) << allowed.status;
  EXPECT_TRUE(
      Restore(allowed, "memory:?save=" + folder_.Path("to")).status.ok());
}

TEST_F(RunTest, ATargetThatIsNotEmptyIsRefusedAndStaysAsItIs) {
  folder_.Write("to/mine", "mine");
  const BackupResult backup = Backup("memory:?keys=3&value_bytes=10");
  ASSERT_TRUE(backup.status.ok()) << backup.status;
  EXPECT_EQ(
      ErrorCodeOf(Restore(backup, "memory:?save=" + folder_.Path("to")).status),
      kRestorePreconditionFailed);
  EXPECT_EQ(FilesBelow(folder_.Path("to")).size(), 1u);
}

// Any byte of the archive changed, the last one too: the folder stays empty.
TEST_F(RunTest, ADamagedArchiveLeavesTheTargetUntouched) {
  const BackupResult backup = Backup("memory:?keys=20&value_bytes=1000");
  ASSERT_TRUE(backup.status.ok()) << backup.status;
  FakeDestination::Archive archive = destination_->archives().front();
  const std::string whole = archive.payload;
  for (const size_t at : {size_t{0}, whole.size() / 2, whole.size() - 1}) {
    archive.payload = whole;
    archive.payload[at] ^= 1;
    destination_->Put(archive);
    EXPECT_EQ(ErrorCodeOf(
                  Restore(backup, "memory:?save=" + folder_.Path("to")).status),
              kArchiveDamaged)
        << at;
    EXPECT_FALSE(std::filesystem::exists(folder_.Path("to")));
  }
}

TEST_F(RunTest, APlainStoreIsATargetForTrials) {
  const BackupResult backup = Backup("memory:?keys=1000&value_bytes=100");
  ASSERT_TRUE(backup.status.ok()) << backup.status;
  EXPECT_EQ(backup.manifest->source_counts().at("keys"), 1000u);
  const RestoreResult restore = Restore(backup, "memory:");
  EXPECT_TRUE(restore.status.ok()) << restore.status;
}

}  // namespace
}  // namespace sluice
