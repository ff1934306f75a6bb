#ifndef SLUICE_PLUGINS_POSTGRES_PAYLOAD_TAR_FORMAT_H_
#define SLUICE_PLUGINS_POSTGRES_PAYLOAD_TAR_FORMAT_H_

// The header block of a POSIX tar (IEEE Std 1003.1, pax), as far as a payload
// uses it: for its writer and its reader alike.

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"

namespace sluice {
namespace postgres {

inline constexpr size_t kTarBlockBytes = 512;
inline constexpr size_t kMaxTarNameBytes = 255;
// What eleven octal digits hold.
inline constexpr uint64_t kMaxTarOctalSize = (uint64_t{1} << 33) - 1;
inline constexpr uint64_t kMaxTarSize = uint64_t{1} << 62;

struct TarField {
  size_t offset;
  size_t size;
};

inline constexpr TarField kTarName{0, 100};
inline constexpr TarField kTarMode{100, 8};
inline constexpr TarField kTarUid{108, 8};
inline constexpr TarField kTarGid{116, 8};
inline constexpr TarField kTarSize{124, 12};
inline constexpr TarField kTarTime{136, 12};
inline constexpr TarField kTarChecksum{148, 8};
inline constexpr TarField kTarType{156, 1};
inline constexpr TarField kTarMagic{257, 8};
inline constexpr TarField kTarPrefix{345, 155};

// "ustar", a NUL, and version "00".
inline constexpr absl::string_view kTarMagicValue(
    "ustar\0"
    "00",
    8);
inline constexpr char kTarFile = '0';
inline constexpr char kTarPaxHeader = 'x';

// The sum of a header's bytes, the checksum's own read as spaces.
inline uint32_t TarChecksum(absl::string_view block) {
  uint32_t sum = 0;
  for (size_t i = 0; i < block.size(); ++i) {
    const bool own =
        i >= kTarChecksum.offset && i < kTarChecksum.offset + kTarChecksum.size;
    sum += own ? ' ' : static_cast<unsigned char>(block[i]);
  }
  return sum;
}

// Bytes that fill the last block of a member of `size`.
inline size_t TarPadding(uint64_t size) {
  return static_cast<size_t>((kTarBlockBytes - size % kTarBlockBytes) %
                             kTarBlockBytes);
}

}  // namespace postgres
}  // namespace sluice

#endif  // SLUICE_PLUGINS_POSTGRES_PAYLOAD_TAR_FORMAT_H_
