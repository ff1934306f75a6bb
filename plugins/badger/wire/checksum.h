#ifndef SLUICE_PLUGINS_BADGER_WIRE_CHECKSUM_H_
#define SLUICE_PLUGINS_BADGER_WIRE_CHECKSUM_H_

// The checksum message that closes each block and each table. Pure, any thread.

#include <cstdint>

#include "absl/strings/string_view.h"

namespace sluice {
namespace badger {

// Longer than any that Badger writes (6 to 8 bytes).
inline constexpr uint64_t kMaxChecksumBytes = 64;

enum class ChecksumKind : uint8_t { kDamaged, kUnknownAlgorithm, kCrc32c };

// Reads `message`; `crc` is set for kCrc32c. Badger's other algorithm,
// XXHash64, was never written by any release: kUnknownAlgorithm.
ChecksumKind ParseChecksum(absl::string_view message, uint32_t& crc);

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_WIRE_CHECKSUM_H_
