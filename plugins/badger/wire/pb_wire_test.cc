#include "sluice/plugins/badger/wire/pb_wire.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"

namespace sluice {
namespace badger {
namespace {

bool IsMessage(const std::string& bytes) {
  PbReader reader(bytes);
  PbField field;
  while (reader.Next(field)) {
  }
  EXPECT_FALSE(reader.Next(field));
  return reader.ok();
}

TEST(PbWireTest, ReadsWhatProtobufWrites) {
  // Fields 1 = 150, 2 = "testing" (Protobuf's own examples), 3 = fixed32 1,
  // 4 = fixed64 2.
  const std::string bytes = absl::HexStringToBytes(
      "089601120774657374696e671d01000000210200000000000000");
  PbReader reader(bytes);
  PbField field;
  ASSERT_TRUE(reader.Next(field));
  EXPECT_TRUE(field.IsVarint(1));
  EXPECT_FALSE(field.IsVarint(2));
  EXPECT_FALSE(field.IsBytes(1));
  EXPECT_EQ(field.value, 150u);
  ASSERT_TRUE(reader.Next(field));
  EXPECT_TRUE(field.IsBytes(2));
  EXPECT_EQ(field.bytes, "testing");
  ASSERT_TRUE(reader.Next(field));
  EXPECT_EQ(field.number, 3u);
  EXPECT_EQ(field.value, 1u);
  ASSERT_TRUE(reader.Next(field));
  EXPECT_EQ(field.number, 4u);
  EXPECT_EQ(field.value, 2u);
  EXPECT_FALSE(reader.Next(field));
  EXPECT_TRUE(reader.ok());
}

TEST(PbWireTest, ReadsWhatItAppends) {
  for (const uint64_t value :
       {uint64_t{0}, uint64_t{127}, uint64_t{128}, UINT64_MAX}) {
    std::string bytes;
    AppendPbVarint(7, value, bytes);
    EXPECT_EQ(bytes.size(), 1 + VarintSize(value));
    AppendPbBytes(100000, "x", bytes);
    PbReader reader(bytes);
    PbField field;
    ASSERT_TRUE(reader.Next(field));
    EXPECT_TRUE(field.IsVarint(7));
    EXPECT_EQ(field.value, value);
    ASSERT_TRUE(reader.Next(field));
    EXPECT_TRUE(field.IsBytes(100000));
    EXPECT_EQ(field.bytes, "x");
  }
}

TEST(PbWireTest, RefusesWhatIsNoMessage) {
  EXPECT_TRUE(IsMessage(""));
  const std::vector<std::string> broken = {
      "08",                        // no value
      "0880",                      // a varint without its end
      "08ffffffffffffffffff02",    // more than 64 bits
      "08ffffffffffffffffffff01",  // more than ten bytes
      "120261",                    // shorter than it says
      "12ffffffffffffffffff01",    // longer than memory
      "00",                        // field 0
      "0b",                        // a group
      "0d0000",                    // a cut fixed32
      "09000000"};                 // a cut fixed64
  for (const std::string& hex : broken) {
    EXPECT_FALSE(IsMessage(absl::HexStringToBytes(hex))) << hex;
  }
}

}  // namespace
}  // namespace badger
}  // namespace sluice
