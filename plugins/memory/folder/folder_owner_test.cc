// Who owns what root restores. Outside of Bazel's sandbox, in which there is
// one user only.

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "sluice/base/file_system.h"
#include "sluice/plugins/memory/folder/folder_target.h"
#include "sluice/plugins/memory/memory_source.h"
#include "sluice/plugins/memory/store/memory_store.h"
#include "sluice/plugins/sdk/testing/fake_sink.h"
#include "sluice/plugins/sdk/testing/scratch_folder.h"

namespace sluice {
namespace {

constexpr uid_t kUser = 61234;
constexpr gid_t kGroup = 61235;

TEST(FolderOwnerTest, FilesAndFoldersBelongToTheOwnerOfTheTarget) {
  if (geteuid() != 0) GTEST_SKIP() << "only root gives files away";
  auto store = *MemoryStore::Create("");
  ASSERT_TRUE(store->Put("a/b/file", "1").ok());
  ASSERT_TRUE(store->Put("file", "2").ok());
  sdk::FakeSink sink;
  ASSERT_TRUE(MakeMemorySource(store)->Backup(sdk::Run(), {}, sink).ok());
  ScratchFolder to;
  ASSERT_EQ(chown(to.path().c_str(), kUser, kGroup), 0);
  sdk::FakePayload payload(sink.payload, 70000);
  sdk::FakeRestoreRequest request({&payload});
  const absl::Status restored =
      MakeFolderTarget(FileSystem::Posix(), {to.path(), ""})
          ->Restore(sdk::Run(), request);
  ASSERT_TRUE(restored.ok()) << restored;
  int files = 0;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(to.path())) {
    struct stat info;
    ASSERT_EQ(lstat(entry.path().c_str(), &info), 0);
    EXPECT_EQ(info.st_uid, kUser) << entry.path();
    EXPECT_EQ(info.st_gid, kGroup) << entry.path();
    ++files;
  }
  EXPECT_EQ(files, 4);
}

}  // namespace
}  // namespace sluice
