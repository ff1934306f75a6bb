#ifndef SLUICE_PLUGINS_MEMORY_PAYLOAD_PAYLOAD_FORMAT_H_
#define SLUICE_PLUGINS_MEMORY_PAYLOAD_PAYLOAD_FORMAT_H_

// The numbers of docs/format/memory-payload.md, which says what they mean.

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"

namespace sluice {
namespace memory_internal {

inline constexpr absl::string_view kPayloadMagic = "SLMEMORY";
inline constexpr uint32_t kPayloadVersion = 1;
inline constexpr size_t kPayloadHeaderBytes = 16;
inline constexpr uint32_t kMaxPieceBytes = 16 << 20;
inline constexpr size_t kPieceHeaderBytes = 5;
inline constexpr size_t kEndCountsBytes = 24;

enum class Record : char {
  kKey = 'K',
  kPayloadId = 'I',
  kPiece = 'V',
  kEndOfEntry = '.',
  kEnd = 'E',
};

// What the last record counts.
struct PayloadTotals {
  uint64_t keys = 0;
  uint64_t value_bytes = 0;
  uint64_t payload_ids = 0;
};

}  // namespace memory_internal
}  // namespace sluice

#endif  // SLUICE_PLUGINS_MEMORY_PAYLOAD_PAYLOAD_FORMAT_H_
