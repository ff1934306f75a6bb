// Who owns what root restores. Outside of Bazel's sandbox, in which there is
// one user only.

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <system_error>

#include "sluice/base/file_system.h"
#include "sluice/plugins/badger/image/store_id.h"
#include "sluice/plugins/badger/restore/restore.h"
#include "sluice/plugins/badger/testing/fake_payload.h"
#include "sluice/plugins/sdk/run.h"

namespace sluice {
namespace badger {
namespace {

constexpr uid_t kUser = 61234;
constexpr gid_t kGroup = 61235;

class RestoreOwnerTest : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "only root gives files away";
    std::string root = testing::TempDir() + "/owner-XXXXXX";
    root_ = mkdtemp(root.data()) == nullptr ? "" : root;
  }
  void TearDown() override {
    std::error_code ignored;
    if (!root_.empty()) std::filesystem::remove_all(root_, ignored);
  }

  void Restore(const std::string& folder) const {
    OwnedEntry entry;
    entry.key = "k";
    entry.value = "long enough for a value log";
    entry.version = 1;
    FakePayload payload(StreamOf({entry}));
    sdk::Payload* const chain[] = {&payload};
    RestoreOptions options;
    options.companions[kStoreIdFile] = "id\n";
    options.stager.directory.value_threshold = 10;
    const auto totals = RestoreDirectory(FileSystem::Posix(), folder, options,
                                         sdk::Run(), chain);
    ASSERT_TRUE(totals.ok()) << totals.status();
  }
  // Files in `folder`, each of which must belong to `user` and `group`.
  static int FilesOf(const std::string& folder, uid_t user, gid_t group) {
    int files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
      struct stat info;
      EXPECT_EQ(lstat(entry.path().c_str(), &info), 0);
      EXPECT_EQ(info.st_uid, user) << entry.path();
      EXPECT_EQ(info.st_gid, group) << entry.path();
      ++files;
    }
    return files;
  }

  std::string root_;
};

TEST_F(RestoreOwnerTest, FilesBelongToTheOwnerOfTheFolder) {
  std::filesystem::create_directory(root_ + "/db");
  ASSERT_EQ(chown((root_ + "/db").c_str(), kUser, kGroup), 0);
  Restore(root_ + "/db");
  // A table, two value logs, MANIFEST and the store's id.
  EXPECT_EQ(FilesOf(root_ + "/db", kUser, kGroup), 5);
}

TEST_F(RestoreOwnerTest, AFolderThatIsMadeIsOurs) {
  ASSERT_EQ(chown(root_.c_str(), kUser, kGroup), 0);
  Restore(root_ + "/db");
  EXPECT_EQ(FilesOf(root_, 0, 0), 1);
  EXPECT_EQ(FilesOf(root_ + "/db", 0, 0), 5);
}

TEST_F(RestoreOwnerTest, TheStoreIdBelongsToTheOwnerOfTheDatabase) {
  std::filesystem::create_directory(root_ + "/db");
  ASSERT_EQ(chown((root_ + "/db").c_str(), kUser, kGroup), 0);
  const auto folder = FileSystem::Posix()->Beneath(root_ + "/db");
  ASSERT_TRUE(folder.ok());
  ASSERT_TRUE(KeepStoreId(*folder.value, "the-store").ok());
  EXPECT_EQ(FilesOf(root_ + "/db", kUser, kGroup), 1);
}

}  // namespace
}  // namespace badger
}  // namespace sluice
