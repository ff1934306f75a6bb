#include "sluice/base/folder_lock.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"

namespace sluice {
namespace {

class FolderLockTest : public ::testing::Test {
 protected:
  FolderLockTest() {
    const char* tmp = std::getenv("TEST_TMPDIR");
    folder_ = absl::StrCat(tmp == nullptr ? "/tmp" : tmp, "/lockXXXXXX");
    EXPECT_NE(mkdtemp(folder_.data()), nullptr);
  }
  ~FolderLockTest() override { std::filesystem::remove_all(folder_); }

  std::string folder_;
};

TEST_F(FolderLockTest, IsHeldByOneAtATime) {
  auto first = FolderLock::Take(folder_);
  ASSERT_TRUE(first.ok()) << first.status();
  const absl::Status second = FolderLock::Take(folder_).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(second)) << second;
  EXPECT_EQ(ErrorCodeOf(second), kSourceUnavailable);
  first->reset();
  EXPECT_TRUE(FolderLock::Take(folder_).ok());
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST_F(FolderLockTest, ARestoreIsToldWhatToDo) {
  const auto first = FolderLock::Take(folder_);
  const absl::Status second = FolderLock::TakeForRestore(folder_).status();
  EXPECT_EQ(ErrorCodeOf(second), kRestorePreconditionFailed);
  EXPECT_FALSE(HintOf(second).empty());
}

TEST_F(FolderLockTest, EndsWithItsProcess) {
  const pid_t child = fork();
  if (child == 0) _exit(FolderLock::Take(folder_).ok() ? 0 : 1);
  int status = -1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  EXPECT_TRUE(FolderLock::Take(folder_).ok());
}

TEST_F(FolderLockTest, TellsAFolderThatIsNotThere) {
  const absl::Status status =
      FolderLock::Take(absl::StrCat(folder_, "/absent")).status();
  EXPECT_TRUE(absl::IsNotFound(status)) << status;
  EXPECT_TRUE(absl::StrContains(status.message(), "/absent"));
}

}  // namespace
}  // namespace sluice
