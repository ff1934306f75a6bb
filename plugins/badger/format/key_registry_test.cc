#include "sluice/plugins/badger/format/key_registry.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/types/span.h"
#include "sluice/base/error.h"
#include "sluice/plugins/badger/testing/fuzz_bytes.h"
#include "sluice/plugins/badger/wire/pb_wire.h"

namespace sluice {
namespace badger {
namespace {

const std::string kMaster = "0123456789abcdef";
const std::string kIv(kIvBytes, 'v');

std::string Encrypted(std::string text) {
  AesKey::Create(kMaster)->Apply(kIv, absl::MakeSpan(text));
  return text;
}

std::string Header() { return kIv + Encrypted("Hello Badger"); }

std::string DataKey(uint64_t number, const std::string& plain) {
  std::string body;
  AppendPbVarint(1, number, body);
  AppendPbBytes(2, Encrypted(plain), body);
  AppendPbBytes(3, kIv, body);
  AppendPbVarint(4, 1700000000, body);
  return LengthAndCrc(body);
}

std::string WordOf(const std::string& file, const std::string& key) {
  return ErrorCodeOf(KeyRegistry::Parse(file, key).status());
}

TEST(KeyRegistryTest, DecryptsTheDataKeys) {
  const std::string data_key = "the data key 16B";
  const auto registry =
      KeyRegistry::Parse(Header() + DataKey(7, data_key), kMaster);
  ASSERT_TRUE(registry.ok()) << registry.status();
  const auto key = registry->Find(7);
  ASSERT_TRUE(key.ok()) << key.status();
  std::string text = "text";
  (*key)->Apply(kIv, absl::MakeSpan(text));
  AesKey::Create(data_key)->Apply(kIv, absl::MakeSpan(text));
  EXPECT_EQ(text, "text");
}

TEST(KeyRegistryTest, KnowsNoKeyButThoseThatItHolds) {
  const auto registry =
      KeyRegistry::Parse(Header() + DataKey(1, kMaster), kMaster);
  ASSERT_TRUE(registry.ok()) << registry.status();
  const auto none = registry->Find(0);
  ASSERT_TRUE(none.ok());
  EXPECT_EQ(*none, nullptr);
  EXPECT_EQ(ErrorCodeOf(registry->Find(2).status()), kSourceFailed);
}

TEST(KeyRegistryTest, RefusesAnotherKey) {
  const std::string plain = kIv + "Hello Badger";
  EXPECT_TRUE(KeyRegistry::Parse(plain, "").ok());
  EXPECT_EQ(WordOf(plain, kMaster), kSourceWrongKey);
  EXPECT_EQ(WordOf(Header(), ""), kSourceWrongKey);
  EXPECT_EQ(WordOf(Header(), "another key of 17"), kSourceConfigInvalid);
  EXPECT_EQ(WordOf(Header(), "fedcba9876543210"), kSourceWrongKey);
  EXPECT_NE(HintOf(KeyRegistry::Parse(Header(), "").status()), "");
}

TEST(KeyRegistryTest, RefusesDamage) {
  const std::string file = Header() + DataKey(1, kMaster);
  for (size_t size = 0; size < file.size(); ++size) {
    if (size == Header().size()) continue;  // whole, with no data key yet
    EXPECT_NE(WordOf(file.substr(0, size), kMaster), "") << size;
  }
  for (size_t i = kIvBytes; i < file.size(); ++i) {
    std::string flipped = file;
    flipped[i] ^= 1;
    EXPECT_NE(WordOf(flipped, kMaster), "") << i;
  }
  EXPECT_EQ(WordOf(file + DataKey(1, kMaster), kMaster), kSourceFailed);
  EXPECT_EQ(WordOf(Header() + DataKey(0, kMaster), kMaster), kSourceFailed);
  EXPECT_EQ(WordOf(Header() + DataKey(1, "short"), kMaster), kSourceFailed);
}

}  // namespace
}  // namespace badger
}  // namespace sluice
