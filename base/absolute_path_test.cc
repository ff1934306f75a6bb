#include "sluice/base/absolute_path.h"

#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "sluice/base/error.h"

namespace sluice {
namespace {

class AbsolutePathTest : public ::testing::Test {
 protected:
  AbsolutePathTest() {
    std::string made = ::testing::TempDir() + "/pathXXXXXX";
    EXPECT_NE(mkdtemp(made.data()), nullptr);
    folder_ = std::filesystem::canonical(made).string();
    EXPECT_EQ(chdir(folder_.c_str()), 0);
  }
  ~AbsolutePathTest() override {
    EXPECT_EQ(chdir("/"), 0);
    std::filesystem::remove_all(folder_);
  }

  static std::string Of(absl::string_view path) {
    const auto absolute = AbsolutePath(path);
    return absolute.ok() ? *absolute : ErrorCodeOf(absolute.status());
  }

  std::string folder_;
};

TEST_F(AbsolutePathTest, HasOneNameForOneFolder) {
  const std::string st = folder_ + "/st";
  for (const std::string& typed :
       {std::string("st"), std::string("./st/"), st, st + "/", st + "//.",
        st + "/x/..", "//" + st,
        "../" + folder_.substr(folder_.rfind('/')) + "/st"}) {
    EXPECT_EQ(Of(typed), st) << typed;
  }
  EXPECT_EQ(Of("/"), "/");
  EXPECT_EQ(Of("/.."), "/");
  EXPECT_EQ(Of("."), folder_);
}

TEST_F(AbsolutePathTest, ASymlinkKeepsItsNameUnlessItIsLeft) {
  std::filesystem::create_directories("deep/er/folder");
  std::filesystem::create_directory_symlink("deep/er/folder", "link");
  EXPECT_EQ(Of("link"), folder_ + "/link");
  EXPECT_EQ(Of("link/x"), folder_ + "/link/x");
  EXPECT_EQ(Of("link/../y"), folder_ + "/deep/er/y");
  EXPECT_EQ(Of("deep/../y"), folder_ + "/y");
}

TEST_F(AbsolutePathTest, ATildeIsHome) {
  setenv("HOME", "/home/me", 1);
  EXPECT_EQ(Of("~"), "/home/me");
  EXPECT_EQ(Of("~/st"), "/home/me/st");
  EXPECT_EQ(Of("./~"), folder_ + "/~");
  EXPECT_EQ(Of("~you/st"), "invalid_argument");
  unsetenv("HOME");
  EXPECT_EQ(Of("~/st"), "invalid_argument");
}

TEST_F(AbsolutePathTest, RefusesWhatLeadsNowhere) {
  EXPECT_EQ(Of(""), "invalid_argument");
  EXPECT_EQ(Of(absl::string_view("a\0b", 3)), "invalid_argument");
  std::filesystem::remove_all(folder_);
  EXPECT_EQ(Of("st"), "invalid_argument");
  EXPECT_EQ(Of("/st"), "/st");
}

TEST(IsWithinTest, KnowsAFolderFromItsNeighbour) {
  EXPECT_TRUE(IsWithin("/a/b", "/a"));
  EXPECT_TRUE(IsWithin("/a", "/a"));
  EXPECT_TRUE(IsWithin("/a", "/"));
  EXPECT_FALSE(IsWithin("/ab", "/a"));
  EXPECT_FALSE(IsWithin("/a", "/a/b"));
}

}  // namespace
}  // namespace sluice
