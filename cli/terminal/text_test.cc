#include "sluice/cli/terminal/text.h"

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

// What turns the direction of writing, is not seen, or ends a line makes a
// reader see other text than there is.
TEST(TextTest, PrintableShowsMarksOfDirectionAndWhatIsNotSeen) {
  const struct {
    const char* text;
    const char* shown;
  } kMarks[] = {
      {"\xE2\x80\xAE", "\\xe2\\x80\\xae"},           // U+202E, right to left
      {"\xE2\x81\xA6", "\\xe2\\x81\\xa6"},           // U+2066, isolate
      {"\xE2\x80\x8F", "\\xe2\\x80\\x8f"},           // U+200F, mark
      {"\xD8\x9C", "\\xd8\\x9c"},                    // U+061C, Arabic mark
      {"\xE2\x80\xA8", "\\xe2\\x80\\xa8"},           // U+2028, a line's end
      {"\xE2\x80\x8B", "\\xe2\\x80\\x8b"},           // U+200B, no width
      {"\xEF\xBB\xBF", "\\xef\\xbb\\xbf"},           // U+FEFF
      {"\xF3\xA0\x81\x81", "\\xf3\\xa0\\x81\\x81"},  // U+E0041, a tag
      {"\xC2\x85", "\\xc2\\x85"},                    // U+0085, a line's end
  };
  for (const auto& mark : kMarks) {
    EXPECT_EQ(Printable(mark.text), mark.shown);
    EXPECT_EQ(Printable(Printable(mark.text)), mark.shown);
    EXPECT_EQ(PrintableLines(mark.text), mark.shown);
  }
  // Words need their joiners.
  EXPECT_EQ(Printable("\xE2\x80\x8C\xE2\x80\x8D"), "\xE2\x80\x8C\xE2\x80\x8D");
}

TEST(TextTest, LinesKeepTheirEndsAndTabs) {
  EXPECT_EQ(PrintableLines("a\tb\n\x1b[2Jc\r\n\n"), "a\tb\n\\x1b[2Jc\\x0d\n\n");
  EXPECT_EQ(PrintableLines(""), "");
}

TEST(TextTest, JsonSaysTheSameWithoutWhatATerminalWouldObey) {
  EXPECT_EQ(SafeJson("{\"a\":\"\xE2\x80\xAE \xC2\x9B \x7F \xC3\xA4\"}"),
            "{\"a\":\"\\u202e \\u009b \\u007f \xC3\xA4\"}");
  EXPECT_EQ(SafeJson("\"\xF3\xA0\x81\x81\""), "\"\\udb40\\udc41\"");
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
