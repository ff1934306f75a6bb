#ifndef SLUICE_PLUGINS_BADGER_TESTING_FUZZ_BYTES_H_
#define SLUICE_PLUGINS_BADGER_TESTING_FUZZ_BYTES_H_

// For fuzz targets: what Badger puts around bytes, so that a mutation gets
// beyond the checksum.

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "sluice/plugins/badger/wire/crc32c.h"
#include "sluice/plugins/badger/wire/pb_wire.h"

namespace sluice {
namespace badger {

inline std::string BigEndian32(uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) {
    bytes.push_back(static_cast<char>(value >> shift));
  }
  return bytes;
}

// A record of MANIFEST or KEYREGISTRY.
inline std::string LengthAndCrc(absl::string_view body) {
  return BigEndian32(static_cast<uint32_t>(body.size())) +
         BigEndian32(Crc32c(body)) + std::string(body);
}

// `block` and what follows it.
inline std::string WithChecksum(absl::string_view block) {
  std::string checksum;
  AppendPbVarint(2, Crc32c(block), checksum);
  return std::string(block) + checksum +
         BigEndian32(static_cast<uint32_t>(checksum.size()));
}

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_TESTING_FUZZ_BYTES_H_
