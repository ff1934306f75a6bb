#include "sluice/base/staged_files.h"

#include <errno.h>
#include <fcntl.h>

#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/base/file_system.h"
#include "sluice/base/testing/crash_file_system.h"
#include "sluice/base/testing/fault_file_system.h"

namespace sluice {
namespace {

// A target of one staged file, over calls that can be made to fail.
class StagedFilesTest : public ::testing::Test {
 protected:
  StagedFilesTest() {
    EXPECT_TRUE(MakeFolder(files_, "/staged").ok());
    EXPECT_TRUE(MakeFolder(files_, "/staged/a").ok());
    Write("/staged/a/b", "content");
    plan_.Reset();
  }

  void Write(const std::string& path, const std::string& content) {
    auto file = files_.Open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    ASSERT_TRUE(file.ok()) << path;
    EXPECT_EQ(file.value->Write(content).value, content.size());
    EXPECT_EQ(file.value->Close(), 0);
  }

  // Each operation by itself, on what the constructor left.
  absl::Status Sync() { return SyncFolder(files_, "/staged"); }
  absl::Status Move() { return MoveTo(files_, "/staged/a", "/a"); }
  absl::Status Make() { return MakeFolder(files_, "/new"); }
  absl::Status Read() { return ReadWholeFile(files_, "/staged/a/b").status(); }
  absl::Status Remove() { return RemoveTree(files_, "/staged"); }

  bool Exists(const std::string& path) { return disk_.Stat(path).ok(); }

  CrashFileSystem disk_;
  FaultPlan plan_;
  FaultFileSystem files_{&disk_, &plan_};
};

TEST_F(StagedFilesTest, DoWhatTheySay) {
  EXPECT_TRUE(Sync().ok());
  EXPECT_EQ(*ReadWholeFile(files_, "/staged/a/b"), "content");
  EXPECT_EQ(ReadWholeFile(files_, "/staged/c").status().code(),
            absl::StatusCode::kNotFound);
  EXPECT_TRUE(Move().ok());
  EXPECT_TRUE(Exists("/a/b"));
  EXPECT_FALSE(MoveTo(files_, "/staged", "/a").ok());
  EXPECT_TRUE(Remove().ok());
  EXPECT_TRUE(RemoveTree(files_, "/a").ok());
  EXPECT_FALSE(Exists("/staged"));
  EXPECT_FALSE(Exists("/a"));
  EXPECT_TRUE(Remove().ok());  // it is gone
}

TEST_F(StagedFilesTest, RenameWhereNoNameCanBeKeptFree) {
  plan_.StrikeAt(1, Fault::Error(EINVAL));
  EXPECT_TRUE(Move().ok());
  EXPECT_TRUE(Exists("/a/b"));
}

TEST_F(StagedFilesTest, TellWhyAndWhere) {
  plan_.StrikeAt(1, Fault::Error(ENOSPC));
  const absl::Status full = Make();
  EXPECT_EQ(ErrorCodeOf(full), kSourceNoSpace);
  EXPECT_EQ(full.message(), "make folder /new: No space left on device");
  plan_.Reset();
  plan_.StrikeAt(1, Fault::Error(EACCES));
  EXPECT_EQ(ErrorCodeOf(Move()), kSourcePermissionDenied);
  plan_.Reset();
  plan_.StrikeAt(1, Fault::Error(EROFS));
  EXPECT_EQ(ErrorCodeOf(Move()), kSourceReadOnly);
  plan_.Reset();
  plan_.StrikeAt(1, Fault::Error(EIO));
  EXPECT_EQ(ErrorCodeOf(Sync()), kSourceFailed);
  EXPECT_EQ(TargetError("sync", "a\nb", EIO).message(),
            "sync a\\nb: Input/output error");
}

TEST_F(StagedFilesTest, RemoveNothingMoreAfterAnError) {
  plan_.StrikeFrom(1, Fault::Error(EIO));
  EXPECT_EQ(ErrorCodeOf(Remove()), kSourceFailed);
  EXPECT_TRUE(Exists("/staged/a/b"));
}

TEST_F(StagedFilesTest, AListNamesNothingUnlessItIsWhole) {
  using Names = std::vector<std::string>;
  const auto target = files_.Beneath("/staged");
  ASSERT_TRUE(target.ok());
  ASSERT_TRUE(MakeFolder(*target.value, kStagingFolder).ok());
  EXPECT_EQ(*ReadPublishing(*target.value, '\n'), Names());
  ASSERT_TRUE(WritePublishing(*target.value, '\n', {"b", "a"}).ok());
  EXPECT_EQ(*ReadPublishing(*target.value, '\n'), (Names{"a", "b"}));
  ASSERT_TRUE(RemoveStaging(*target.value).ok());
  EXPECT_FALSE(Exists("/staged/.sluice-restore"));
  ASSERT_TRUE(MakeFolder(*target.value, kStagingFolder).ok());
  Write("/staged/.sluice-restore/publishing", "a\nb\n");
  EXPECT_EQ(*ReadPublishing(*target.value, '\n'), Names());
}

}  // namespace
}  // namespace sluice
