#include <thread>

#include "gtest/gtest.h"

namespace sluice {
namespace {

// The rule of this test says one_thread.
TEST(OneThreadDeathTest, ATestThatIsSaidToHaveOneEndsWhenItStartsAnother) {
  EXPECT_DEATH(std::thread([] {}).join(), "take `one_thread = True` out");
}

}  // namespace
}  // namespace sluice
