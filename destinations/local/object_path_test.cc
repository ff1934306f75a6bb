#include "sluice/destinations/local/object_path.h"

#include <set>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "gtest/gtest.h"

namespace sluice {
namespace {

TEST(ObjectPathTest, TakesNamesOfObjectsAndNoOthers) {
  for (const std::string name :
       {"a", "a/b", "a/b/c.0001", "..a", "a..", ".hidden", "-", "A_b-c.d",
        ".sluic-", "sluice-repo.json"}) {
    EXPECT_TRUE(CheckObjectName(name).ok()) << name;
  }
  for (const std::string name :
       {"", ".", "..", "/", "/a", "a/", "a//b", "../victim", "a/../b", "a/..",
        "a/./b", "a b", "a\n", "\xff", ".sluice-x", "a/.sluice-x", "a*", "a:b",
        "a\\b"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(CheckObjectName(name))) << name;
  }
  EXPECT_FALSE(CheckObjectName(std::string("a\0b", 3)).ok());
  EXPECT_TRUE(CheckObjectName(std::string(215, 'n')).ok());
  EXPECT_FALSE(CheckObjectName(std::string(216, 'n')).ok());
  EXPECT_FALSE(CheckObjectName(std::string(200, 'n') + "/" +
                               std::string(200, 'n') + "/" +
                               std::string(111, 'n'))
                   .ok());
}

TEST(ObjectPathTest, TakesPrefixesThatSomeNameBeginsWith) {
  for (const std::string prefix :
       {"", "a", "a/", "a/b", ".", "..", ".sluice"}) {
    EXPECT_TRUE(IsObjectPrefix(prefix)) << prefix;
  }
  for (const std::string prefix : {"/", "../", "a/../", "a//", "a b", "./a"}) {
    EXPECT_FALSE(IsObjectPrefix(prefix)) << prefix;
  }
}

TEST(ObjectPathTest, TemporaryNamesLieBesideTheObjectAndSayForWhatTheyAre) {
  std::set<std::string> all;
  for (const std::string name : {"a", "a/b", "a/b/c-0-1.bin"}) {
    const std::string temporary = NewTemporary(name);
    EXPECT_EQ(FolderOf(temporary), FolderOf(name));
    EXPECT_TRUE(absl::StartsWith(LastSegment(temporary), ".sluice-"));
    EXPECT_EQ(TargetOfTemporary(LastSegment(temporary)), LastSegment(name));
    EXPECT_FALSE(CheckObjectName(temporary).ok());
    all.insert(NewTemporary(name));
    all.insert(NewTemporary(name));
  }
  EXPECT_EQ(all.size(), 6u);
  EXPECT_LE(NewTemporary(std::string(kMaxNamePartBytes, 'n')).size(), 255u);
}

TEST(ObjectPathTest, TakesNothingElseForATemporaryFile) {
  for (const std::string name :
       {"a", ".sluice-", ".sluice-x", ".sluice-0123456789abcdef",
        ".sluice-0123456789abcdef-", ".sluice-0123456789abcdef-1",
        ".sluice-0123456789abcdef-1-", ".sluice-0123456789abcdef--a",
        ".sluice-0123456789abcdeg-1-a", ".sluice-0123456789abcdef-1-..",
        ".sluice-0123456789abcdef-1-a/b", "x.sluice-0123456789abcdef-1-a"}) {
    EXPECT_EQ(TargetOfTemporary(name), "") << name;
  }
  EXPECT_EQ(TargetOfTemporary(".sluice-0123456789abcdef-1-a"), "a");
}

}  // namespace
}  // namespace sluice
