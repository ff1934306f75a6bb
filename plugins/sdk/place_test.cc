#include "sluice/plugins/sdk/place.h"

#include <string>

#include "gtest/gtest.h"

namespace sluice::sdk {
namespace {

TEST(PlaceTest, ObjectNamesAreSafeSegments) {
  for (const char* name : {"a", "a/b.bin", "01ARZ/payload.bin.0001", "..a",
                           "a-b_c", ".hidden", "a/..."})
    EXPECT_TRUE(IsObjectName(name)) << name;
  for (const char* name :
       {"", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "a/.", "a b", "a\\b",
        "a\n", "caf\xC3\xA9", ".sluice-tmp", "a/.sluice-x"})
    EXPECT_FALSE(IsObjectName(name)) << name;
  EXPECT_TRUE(IsObjectName(std::string(512, 'a')));
  EXPECT_FALSE(IsObjectName(std::string(513, 'a')));
  EXPECT_FALSE(IsObjectName(std::string("a\0b", 3)));
}

}  // namespace
}  // namespace sluice::sdk
