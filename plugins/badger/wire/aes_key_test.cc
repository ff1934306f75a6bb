#include "sluice/plugins/badger/wire/aes_key.h"

#include <gtest/gtest.h>

#include "absl/strings/escaping.h"
#include "sluice/base/error.h"

namespace sluice {
namespace badger {
namespace {

// NIST SP 800-38A, F.5: one counter and one text for the three key lengths.
TEST(AesKeyTest, GivesThePublishedValues) {
  const std::string iv =
      absl::HexStringToBytes("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");
  const std::string plain = absl::HexStringToBytes(
      "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51");
  const struct {
    const char* key;
    const char* text;
  } vectors[] = {
      {"2b7e151628aed2a6abf7158809cf4f3c",
       "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff"},
      {"8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
       "1abc932417521ca24f2b0459fe7e6e0b090339ec0aa6faefd5ccc2c6f4ce8e94"},
      {"603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
       "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5"}};
  for (const auto& vector : vectors) {
    auto key = AesKey::Create(absl::HexStringToBytes(vector.key));
    ASSERT_TRUE(key.ok());
    std::string text = plain;
    key->Apply(iv, absl::MakeSpan(text));
    EXPECT_EQ(absl::BytesToHexString(text), vector.text);
    key->Apply(iv, absl::MakeSpan(text));
    EXPECT_EQ(text, plain);
  }
}

TEST(AesKeyTest, RefusesOtherLengths) {
  for (const size_t size : {0, 15, 17, 33, 64}) {
    const absl::Status status = AesKey::Create(std::string(size, 'k')).status();
    EXPECT_EQ(ErrorCodeOf(status), kSourceConfigInvalid) << size;
  }
}

}  // namespace
}  // namespace badger
}  // namespace sluice
