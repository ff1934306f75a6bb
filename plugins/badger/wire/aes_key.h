#ifndef SLUICE_PLUGINS_BADGER_WIRE_AES_KEY_H_
#define SLUICE_PLUGINS_BADGER_WIRE_AES_KEY_H_

// AES in counter mode, as Badger encrypts with it: a 16-byte IV is the first
// counter block, big-endian. There is no authentication: what was decrypted
// under a wrong key or IV is noise, which the checksums inside must find.
//
//   SLUICE_ASSIGN_OR_RETURN(AesKey key, AesKey::Create(bytes));
//   key.Apply(iv, text);  // encrypts; once more decrypts
//
// Any number of threads may use one key at once. It is wiped when it dies.

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace sluice {
namespace badger {

inline constexpr size_t kIvBytes = 16;

class AesKey {
 public:
  // `bytes`: 16, 24 or 32 of them, else invalid argument.
  static absl::StatusOr<AesKey> Create(absl::string_view bytes);

  AesKey(AesKey&& other) = default;
  AesKey& operator=(AesKey&& other) = default;
  ~AesKey();

  // `iv`: kIvBytes.
  void Apply(absl::string_view iv, absl::Span<char> text) const;

 private:
  explicit AesKey(absl::string_view bytes) : bytes_(bytes) {}

  std::string bytes_;
};

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_WIRE_AES_KEY_H_
