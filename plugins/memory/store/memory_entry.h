#ifndef SLUICE_PLUGINS_MEMORY_STORE_MEMORY_ENTRY_H_
#define SLUICE_PLUGINS_MEMORY_STORE_MEMORY_ENTRY_H_

// What a memory store holds, and the limits that the store, its payload and its
// sources share.
//
// Example:
//
//   IsValidPayloadId("block-9");     // true
//
// Values and pure functions, any thread; an entry borrows from the snapshot
// that showed it. Nothing fails.

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace sluice {

// A key has 0 to 65,535 bytes, any bytes; a value any number.
inline constexpr size_t kMaxMemoryKeyBytes = 65535;
// A payload id names a block elsewhere that the entry refers to: 1 to 1,024
// bytes, no control bytes.
inline constexpr size_t kMaxRefBytes = 1024;

// One entry, borrowed from the snapshot that showed it.
struct MemoryEntry {
  absl::string_view key;
  absl::string_view value;
  absl::Span<const std::string> payload_ids;  // ascending, distinct
};

struct MemoryStoreStats {
  uint64_t keys = 0;
  uint64_t key_bytes = 0;
  uint64_t value_bytes = 0;
};

// True for an id of a block as above.
bool IsValidPayloadId(absl::string_view id);

}  // namespace sluice

#endif  // SLUICE_PLUGINS_MEMORY_STORE_MEMORY_ENTRY_H_
