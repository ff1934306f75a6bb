#include "sluice/base/text/suggest.h"

#include <string>

#include "gtest/gtest.h"

namespace sluice {
namespace {

TEST(SuggestTest, ATypingErrorFindsItsWord) {
  EXPECT_EQ(DidYouMean("laod", {"save", "load"}), "did you mean \"load\"?");
  EXPECT_EQ(DidYouMean("memry", {"badger", "memory"}),
            "did you mean \"memory\"?");
  EXPECT_EQ(DidYouMean("store", {"store_id", "keys"}),
            "did you mean \"store_id\"?");
}

TEST(SuggestTest, WhatIsFarOffFindsNothing) {
  EXPECT_EQ(DidYouMean("colour", {"load", "save"}), "");
  EXPECT_EQ(DidYouMean("", {"load"}), "");
  EXPECT_EQ(DidYouMean("load", {}), "");
  EXPECT_EQ(DidYouMean(std::string(1000, 'a'), {"load"}), "");
}

}  // namespace
}  // namespace sluice
