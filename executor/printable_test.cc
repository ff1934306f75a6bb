#include "sluice/executor/printable.h"

#include <string>

#include "gtest/gtest.h"
#include "sluice/base/text/utf8.h"

namespace sluice {
namespace {

TEST(PrintableTest, KnowsUtf8FromWhatOnlyLooksLikeIt) {
  for (const absl::string_view text :
       {"", "plain", "caf\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
        "\xf4\x8f\xbf\xbf", "\xed\x9f\xbf"}) {
    EXPECT_TRUE(IsUtf8(text)) << text;
  }
  for (const absl::string_view text :
       {"caf\xe9", "\x80", "\xc3", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80",
        "\xf0\x80\x80\xaf", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80",
        "\xe2\x82", "\xff"}) {
    EXPECT_FALSE(IsUtf8(text));
  }
}

TEST(PrintableTest, LeavesTextAndEscapesTheRest) {
  EXPECT_EQ(Printable("two\nlines\tof caf\xc3\xa9", 100),
            "two\nlines\tof caf\xc3\xa9");
  EXPECT_EQ(Printable("caf\xe9\x1b[31m", 100), "caf\\xe9\\x1b[31m");
  EXPECT_EQ(Printable(absl::string_view("a\0b", 3), 100), "a\\x00b");
}

TEST(PrintableTest, CutsBetweenCharactersAndSaysSo) {
  EXPECT_EQ(Printable("12345678", 8), "12345678");
  EXPECT_EQ(Printable("123456789", 8), "12345...");
  for (size_t bytes = 8; bytes < 40; ++bytes) {
    const std::string cut = Printable(
        "\xe2\x82\xac\xe2\x82\xac\xff\xff\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac"
        "\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac",
        bytes);
    EXPECT_LE(cut.size(), bytes);
    EXPECT_TRUE(IsUtf8(cut)) << bytes;
  }
}

}  // namespace
}  // namespace sluice
