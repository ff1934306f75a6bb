#include "sluice/destinations/archive/format/sha256.h"

#include <openssl/rand.h>
#include <openssl/sha.h>

#include <algorithm>
#include <cstdint>

#include "absl/strings/escaping.h"

namespace sluice {

struct Sha256::State {
  SHA256_CTX context;
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  SHA256_Init(&state_->context);
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::Update(absl::string_view bytes) {
  SHA256_Update(&state_->context, bytes.data(), bytes.size());
}

std::string Sha256::Finish() {
  uint8_t digest[kSha256Bytes];
  SHA256_Final(digest, &state_->context);
  SHA256_Init(&state_->context);
  return std::string(reinterpret_cast<char*>(digest), sizeof(digest));
}

std::string Sha256Of(absl::string_view bytes) {
  Sha256 hash;
  hash.Update(bytes);
  return hash.Finish();
}

std::string ToHex(absl::string_view bytes) {
  return absl::BytesToHexString(bytes);
}

bool IsSha256Hex(absl::string_view text) {
  return text.size() == 2 * kSha256Bytes &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

std::string Sha256FromHex(absl::string_view hex) {
  return absl::HexStringToBytes(hex);
}

std::string RandomHex128() {
  uint8_t bytes[16];
  RAND_bytes(bytes, sizeof(bytes));
  return ToHex(
      absl::string_view(reinterpret_cast<char*>(bytes), sizeof(bytes)));
}

}  // namespace sluice
