#include "sluice/plugins/badger/image/store_id.h"

#include <errno.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/file_system.h"
#include "sluice/base/testing/fault_file_system.h"
#include "sluice/plugins/badger/image/image.h"
#include "sluice/plugins/badger/testing/fixture.h"

namespace sluice {
namespace badger {
namespace {

class StoreIdTest : public testing::Test {
 protected:
  StoreIdTest() {
    std::string root = testing::TempDir() + "/id-XXXXXX";
    root_ = mkdtemp(root.data()) == nullptr ? "" : root;
    folder_ = std::move(FileSystem::Posix()->Beneath(root_).value);
  }
  ~StoreIdTest() override {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }

  // What the tool says; its exit status must be 0.
  std::string Badger(const std::string& arguments) const {
    const std::string said = root_ + "/said";
    EXPECT_EQ(system(absl::StrCat("badger ", arguments, " --dir ", root_,
                                  "/db > ", said, " 2>&1")
                         .c_str()),
              0)
        << ReadBytes(said);
    return ReadBytes(said);
  }

  std::string root_;
  std::unique_ptr<FileSystem> folder_;
};

TEST_F(StoreIdTest, StaysAsItWasWritten) {
  EXPECT_EQ(*ReadStoreId(*folder_), "");
  ASSERT_TRUE(KeepStoreId(*folder_, "first").ok());
  ASSERT_TRUE(KeepStoreId(*folder_, "second").ok());
  EXPECT_EQ(*ReadStoreId(*folder_), "first");
}

TEST_F(StoreIdTest, AFileThatHoldsNoIdIsAnError) {
  for (const std::string contents : {"", "\n", "two\nlines\n", "a/b"}) {
    WriteBytes(root_ + "/" + kStoreIdFile, contents);
    EXPECT_EQ(ErrorCodeOf(ReadStoreId(*folder_).status()), kSourceConfigInvalid)
        << contents;
  }
}

TEST_F(StoreIdTest, EachCallThatFailsLeavesNoFileOrAWholeOne) {
  FaultPlan plan;
  FaultFileSystem files(FileSystem::Posix(), &plan);
  auto folder = files.Beneath(root_);
  ASSERT_TRUE(folder.ok());
  plan.Reset();
  ASSERT_TRUE(KeepStoreId(*folder.value, "id").ok());
  const int64_t calls = plan.calls();
  EXPECT_GT(calls, 5);
  for (int64_t n = 1; n <= calls; ++n) {
    for (const Fault& fault : {Fault::Error(EIO), Fault::ShortWrite()}) {
      std::filesystem::remove(root_ + "/" + kStoreIdFile);
      plan.Reset();
      plan.StrikeAt(n, fault);
      KeepStoreId(*folder.value, "id").IgnoreError();
      const auto id = ReadStoreId(*folder_);
      ASSERT_TRUE(id.ok()) << n << ": " << id.status();
      EXPECT_TRUE(*id == "id" || *id == "") << n;
    }
  }
}

// It is opened, written and compacted with the file in it. (`badger info`
// lists every name that is not Badger's as an extra file.)
TEST_F(StoreIdTest, BadgerPassesTheFileOver) {
  ImageOptions options;
  options.folder = root_ + "/db";
  Badger("benchmark write -m 0.01 -v 100");
  const auto before = List(options);
  ASSERT_TRUE(before.ok()) << before.status();
  WriteBytes(options.folder + "/" + kStoreIdFile, "the-id\n");
  Badger("flatten");
  EXPECT_EQ(List(options)->versions, before->versions);
  Badger("benchmark write -m 0.01 -v 100");
  EXPECT_EQ(List(options)->live.size(), before->live.size() + 10000);
  EXPECT_EQ(ReadBytes(options.folder + "/" + kStoreIdFile), "the-id\n");
  const std::string info = Badger("info --read-only");
  EXPECT_TRUE(absl::StrContains(info, "0 missing files.")) << info;
}

}  // namespace
}  // namespace badger
}  // namespace sluice
