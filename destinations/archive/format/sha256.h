#ifndef SLUICE_DESTINATIONS_ARCHIVE_FORMAT_SHA256_H_
#define SLUICE_DESTINATIONS_ARCHIVE_FORMAT_SHA256_H_

// SHA-256 and the hex in which digests are stored.
//
//   Sha256 hash; hash.Update("abc"); std::string digest = hash.Finish();
//   ToHex(digest) == "ba7816bf..."

#include <memory>
#include <string>

#include "absl/strings/string_view.h"

namespace sluice {

inline constexpr size_t kSha256Bytes = 32;

// One thread at a time.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void Update(absl::string_view bytes);
  // The digest, 32 bytes; the object is ready for the next message.
  std::string Finish();

 private:
  struct State;  // keeps BoringSSL out of headers
  std::unique_ptr<State> state_;
};

// The digest of `bytes`, 32 bytes.
std::string Sha256Of(absl::string_view bytes);
// Lower case.
std::string ToHex(absl::string_view bytes);
// 64 lower-case hex digits.
bool IsSha256Hex(absl::string_view text);
// The 32 bytes of `hex`, which must be IsSha256Hex.
std::string Sha256FromHex(absl::string_view hex);
// 32 random hex digits from the system's generator.
std::string RandomHex128();

}  // namespace sluice

#endif  // SLUICE_DESTINATIONS_ARCHIVE_FORMAT_SHA256_H_
