#include "sluice/plugins/badger/wire/aes_key.h"

#include <openssl/cipher.h>
#include <openssl/mem.h>

#include <algorithm>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"

namespace sluice {
namespace badger {
namespace {

// EVP_EncryptUpdate takes an int.
constexpr size_t kMaxPiece = size_t{1} << 30;

const EVP_CIPHER* CipherOf(size_t key_bytes) {
  switch (key_bytes) {
    case 16:
      return EVP_aes_128_ctr();
    case 24:
      return EVP_aes_192_ctr();
    case 32:
      return EVP_aes_256_ctr();
    default:
      return nullptr;
  }
}

const uint8_t* Unsigned(const char* bytes) {
  return reinterpret_cast<const uint8_t*>(bytes);
}

}  // namespace

absl::StatusOr<AesKey> AesKey::Create(absl::string_view bytes) {
  if (CipherOf(bytes.size()) == nullptr) {
    return MakeError(absl::StatusCode::kInvalidArgument, kSourceConfigInvalid,
                     absl::StrCat("an encryption key of ", bytes.size(),
                                  " bytes; 16, 24 or 32 are needed"));
  }
  return AesKey(bytes);
}

AesKey::~AesKey() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }

void AesKey::Apply(absl::string_view iv, absl::Span<char> text) const {
  EVP_CIPHER_CTX context;
  EVP_CIPHER_CTX_init(&context);
  // None of these can fail: the key has its cipher's length.
  EVP_EncryptInit_ex(&context, CipherOf(bytes_.size()), nullptr,
                     Unsigned(bytes_.data()), Unsigned(iv.data()));
  while (!text.empty()) {
    const size_t size = std::min(text.size(), kMaxPiece);
    uint8_t* piece = reinterpret_cast<uint8_t*>(text.data());
    int written = 0;
    EVP_EncryptUpdate(&context, piece, &written, piece, static_cast<int>(size));
    text.remove_prefix(size);
  }
  EVP_CIPHER_CTX_cleanup(&context);
}

}  // namespace badger
}  // namespace sluice
