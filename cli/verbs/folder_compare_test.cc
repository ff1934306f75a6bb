#include "sluice/cli/verbs/folder_compare.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sluice::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class FolderCompareTest : public ::testing::Test {
 protected:
  FolderCompareTest() {
    std::string path = absl::StrCat(testing::TempDir(), "/compare-XXXXXX");
    root_ = mkdtemp(path.data());
    for (const char* side : {"/a", "/b"}) {
      mkdir(absl::StrCat(root_, side).c_str(), 0700);
      mkdir(absl::StrCat(root_, side, "/sub").c_str(), 0700);
      Write(absl::StrCat(side, "/sub/same"), std::string(700'000, 'x'));
      Write(absl::StrCat(side, "/empty"), "");
    }
  }

  void Write(const std::string& name, const std::string& content) const {
    std::ofstream(root_ + name) << content;
  }
  FolderComparison Compare() const {
    const auto result =
        CompareFolders(Context::Background(), root_ + "/a", root_ + "/b");
    EXPECT_TRUE(result.ok()) << result.status();
    return *result;
  }

  std::string root_;
};

TEST_F(FolderCompareTest, TheSameFilesAreTheSame) {
  const FolderComparison result = Compare();
  EXPECT_EQ(result.files, 2);
  EXPECT_EQ(result.bytes, 700'000);
  EXPECT_THAT(result.differences, IsEmpty());
}

TEST_F(FolderCompareTest, SeesOneByteOneMissingAndOneTooMany) {
  Write("/b/sub/same", std::string(699'999, 'x') + "y");
  Write("/a/only-a", "1");
  Write("/b/only-b", "1");
  EXPECT_THAT(Compare().differences,
              ElementsAre("only-a: missing", "sub/same: differs",
                          "only-b: not in the first"));
}

TEST_F(FolderCompareTest, SeesAFileThatWasCut) {
  Write("/b/sub/same", std::string(600'000, 'x'));
  EXPECT_THAT(Compare().differences, ElementsAre("sub/same: differs"));
}

TEST_F(FolderCompareTest, LooksAtNoSymlink) {
  ASSERT_EQ(symlink("empty", (root_ + "/a/link").c_str()), 0);
  EXPECT_THAT(Compare().differences, IsEmpty());
}

TEST_F(FolderCompareTest, AMissingFolderIsAnError) {
  EXPECT_FALSE(
      CompareFolders(Context::Background(), root_ + "/none", root_).ok());
}

TEST_F(FolderCompareTest, CountsFilesNoFurtherThanAsked) {
  EXPECT_TRUE(HasFiles(root_, 4));
  EXPECT_FALSE(HasFiles(root_, 5));
  EXPECT_FALSE(HasFiles(root_ + "/none", 1));
}

}  // namespace
}  // namespace sluice::cli
