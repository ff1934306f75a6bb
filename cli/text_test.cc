#include "sluice/cli/text.h"

#include <cstdint>

#include "gtest/gtest.h"

namespace sluice::cli {
namespace {

TEST(TextTest, PrintableLeavesTextAloneAndShowsOtherBytes) {
  EXPECT_EQ(Printable("plain, \xC3\xA4, \xE2\x82\xAC, \xF0\x9F\x98\x80"),
            "plain, \xC3\xA4, \xE2\x82\xAC, \xF0\x9F\x98\x80");
  EXPECT_EQ(Printable("a\x1b[31mb\nc"), "a\\x1b[31mb\\x0ac");
  EXPECT_EQ(Printable("\xC2\x9B"), "\\xc2\\x9b");           // C1
  EXPECT_EQ(Printable("\xFF\xC0\xAF"), "\\xff\\xc0\\xaf");  // overlong
  EXPECT_EQ(Printable("\xED\xA0\x80"), "\\xed\\xa0\\x80");  // surrogate
  EXPECT_EQ(Printable("\xE2\x82"), "\\xe2\\x82");           // cut
}

TEST(TextTest, SizesArePowersOfAThousand) {
  EXPECT_EQ(SizeText(0), "0 B");
  EXPECT_EQ(SizeText(999), "999 B");
  EXPECT_EQ(SizeText(1500), "1.5 kB");
  EXPECT_EQ(SizeText(999999), "1.0 MB");
  EXPECT_EQ(SizeText(UINT64_MAX), "18.4 EB");
}

TEST(TextTest, DurationsAreRoundedToWhatPeopleRead) {
  EXPECT_EQ(DurationText(absl::Milliseconds(420)), "0.4 s");
  EXPECT_EQ(DurationText(absl::Seconds(12)), "12 s");
  EXPECT_EQ(DurationText(absl::Seconds(200)), "3 min 20 s");
  EXPECT_EQ(DurationText(absl::Minutes(125)), "2 h 5 min");
  EXPECT_EQ(DurationText(-absl::Seconds(1)), "0.0 s");
  EXPECT_NE(DurationText(absl::InfiniteDuration()), "");
}

TEST(TextTest, ATableAlignsItsColumnsAndEscapesItsCells) {
  Table table({"ID", "NAME"});
  table.Add({"1", "a\nb"});
  table.Add({"123", "c"});
  EXPECT_EQ(table.Text(), "ID   NAME\n1    a\\x0ab\n123  c\n");
}

}  // namespace
}  // namespace sluice::cli
