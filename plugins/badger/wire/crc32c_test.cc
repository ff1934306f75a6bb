#include "sluice/plugins/badger/wire/crc32c.h"

#include <gtest/gtest.h>

#include <string>

namespace sluice {
namespace badger {
namespace {

TEST(Crc32cTest, GivesThePublishedValues) {
  EXPECT_EQ(Crc32c(""), 0u);
  EXPECT_EQ(Crc32c("123456789"), 0xe3069283u);
  // RFC 3720, B.4.
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(Crc32c(std::string(32, '\xff')), 0x62a8ab43u);
}

TEST(Crc32cTest, DoesNotDependOnHowTheBytesAreCutOrWhoComputesIt) {
  std::string bytes;
  for (int i = 0; i < 1700; ++i)
    bytes.push_back(static_cast<char>(i * 37 + i / 7));
  const uint32_t whole = Crc32c(bytes);
  EXPECT_EQ(ExtendCrc32cByTable(0, bytes), whole);
  for (size_t cut = 0; cut <= bytes.size(); ++cut) {
    const absl::string_view all(bytes);
    EXPECT_EQ(ExtendCrc32c(Crc32c(all.substr(0, cut)), all.substr(cut)), whole);
    EXPECT_EQ(ExtendCrc32cByTable(ExtendCrc32cByTable(0, all.substr(0, cut)),
                                  all.substr(cut)),
              whole);
  }
}

}  // namespace
}  // namespace badger
}  // namespace sluice
