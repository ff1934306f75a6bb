#ifndef SLUICE_PLUGINS_BADGER_WIRE_CRC32C_H_
#define SLUICE_PLUGINS_BADGER_WIRE_CRC32C_H_

// CRC-32C (Castagnoli), the checksum of everything that Badger stores.
//
//   Crc32c("123456789") == 0xe3069283
//
//   uint32_t crc = 0;
//   for (absl::string_view piece : pieces) crc = ExtendCrc32c(crc, piece);
//
// Pure, any thread. Some GiB/s where the processor has SSE 4.2, else about one.

#include <cstdint>

#include "absl/strings/string_view.h"

namespace sluice {
namespace badger {

// The checksum of what `crc` is the checksum of, followed by `bytes`. 0 is that
// of nothing.
uint32_t ExtendCrc32c(uint32_t crc, absl::string_view bytes);

inline uint32_t Crc32c(absl::string_view bytes) {
  return ExtendCrc32c(0, bytes);
}

// What ExtendCrc32c does on a processor without the instruction.
uint32_t ExtendCrc32cByTable(uint32_t crc, absl::string_view bytes);

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_WIRE_CRC32C_H_
