#include "sluice/plugins/badger/image.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/file_system.h"
#include "sluice/plugins/badger/fixture.h"

namespace sluice {
namespace badger {
namespace {

class ImageFixtureTest : public ::testing::TestWithParam<std::string> {};

TEST_P(ImageFixtureTest, ListsWhatBadgerItselfLists) {
  const Fixture fixture(GetParam());
  const Listings expected = fixture.Expected();
  const auto actual = List(fixture.Options());
  ASSERT_TRUE(actual.ok()) << actual.status();
  EXPECT_FALSE(expected.live.empty());
  EXPECT_EQ(actual->live, expected.live);
  EXPECT_EQ(actual->versions, expected.versions);
  EXPECT_EQ(actual->dangling, 0u);
}

std::string TestName(const ::testing::TestParamInfo<std::string>& fixture) {
  std::string name = fixture.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(All, ImageFixtureTest,
                         ::testing::ValuesIn(FixtureNames()), TestName);

}  // namespace
}  // namespace badger
}  // namespace sluice
