#include "sluice/service/settings/machine.h"

#include <string>

#include "gtest/gtest.h"
#include "sluice/base/error.h"
#include "sluice/catalog/catalog_error.h"
#include "sluice/service/testing/test_house.h"

namespace sluice::service {
namespace {

class MachineTest : public ::testing::Test {
 protected:
  std::string Claim(const std::string& machine) {
    return ErrorCodeOf(ClaimMachine(context_, catalog_, machine));
  }
  std::string Check(const std::string& machine) {
    return ErrorCodeOf(CheckMachine(context_, catalog_, machine));
  }
  std::string Installation() {
    return *InstallationId(context_, catalog_, *Clock::Real());
  }

  TestHouse house_;
  const Context& context_ = house_.context();
  Catalog& catalog_ = house_.catalog();
};

TEST_F(MachineTest, TheFirstToClaimACatalogHasItUntilItIsTakenOver) {
  EXPECT_EQ(Check("b"), "");  // nobody's yet, and a look takes nothing
  EXPECT_EQ(Claim("a"), "");
  EXPECT_EQ(Claim("a"), "");
  EXPECT_EQ(Claim("b"), kCatalogCloned);
  EXPECT_EQ(Check("b"), kCatalogCloned);
  ASSERT_TRUE(TakeOverCatalog(context_, catalog_, "b", *Clock::Real()).ok());
  EXPECT_EQ(Claim("b"), "");
  EXPECT_EQ(Claim("a"), kCatalogCloned);
}

TEST_F(MachineTest, WhatIsTakenOverHasAnotherIdInReposAndWhatIsOursKeepsIt) {
  ASSERT_EQ(Claim("a"), "");
  const std::string first = Installation();
  EXPECT_EQ(Installation(), first);
  ASSERT_TRUE(TakeOverCatalog(context_, catalog_, "a", *Clock::Real()).ok());
  EXPECT_EQ(Installation(), first);
  ASSERT_TRUE(TakeOverCatalog(context_, catalog_, "b", *Clock::Real()).ok());
  EXPECT_NE(Installation(), first);
}

// A container without an id gets none from its host's name, and one that loses
// the id it had is another machine: better asked once than two at work.
TEST_F(MachineTest, WithoutAnIdItIsUnknownWhichIsANameToo) {
  EXPECT_EQ(MachineOf("said"), "said");
  EXPECT_FALSE(MachineOf("").empty());
  EXPECT_EQ(Claim("unknown"), "");
  EXPECT_EQ(Claim("unknown"), "");
  EXPECT_EQ(Claim("a"), kCatalogCloned);
}

}  // namespace
}  // namespace sluice::service
