#include "sluice/plugins/postgres/backup/copy_line.h"

#include "gtest/gtest.h"

namespace sluice::postgres {
namespace {

TEST(CopyLineTest, ReadsTheValueOfALine) {
  EXPECT_EQ(ValueOfLine("block-7\n"), "block-7");
  EXPECT_EQ(ValueOfLine("block-7"), "block-7");
  EXPECT_EQ(ValueOfLine("\n"), "");
  EXPECT_EQ(ValueOfLine("a\\\\b\\tc\\nd\n"), "a\\b\tc\nd");
  EXPECT_EQ(ValueOfLine("\\b\\f\\r\\v\n"), "\b\f\r\v");
  EXPECT_EQ(ValueOfLine("\\N\n"), absl::nullopt);
  EXPECT_EQ(ValueOfLine("\\\\N\n"), "\\N");
  // What COPY never writes.
  EXPECT_EQ(ValueOfLine("a\\q"), "aq");
  EXPECT_EQ(ValueOfLine("a\\"), "a\\");
  EXPECT_EQ(ValueOfLine(""), "");
}

}  // namespace
}  // namespace sluice::postgres
