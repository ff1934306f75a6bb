#ifndef SLUICE_PLUGINS_MEMORY_SYNTHETIC_SOURCE_H_
#define SLUICE_PLUGINS_MEMORY_SYNTHETIC_SOURCE_H_

// A store that is made up while it is read:
// memory:?keys=N&value_bytes=M&seed=S.
//
// For trying things out and for measuring: no memory beyond 256 KiB and one
// chunk of the sink, and values at the speed of memcpy. The same options give
// the same bytes for ever. Key i is "key-" and i with 16 digits. A value is a
// block of 256 KiB of random bytes, repeated, of which each 4,096 bytes begin
// with two little-endian u64: i, and the offset xor the seed; so no page of it
// is like another.

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "sluice/plugins/sdk/source.h"

namespace sluice {

struct SyntheticOptions {
  uint64_t keys = 0;  // at most 10^16
  uint64_t value_bytes = 0;
  uint64_t seed = 0;
  std::string store_id;  // empty: made of the numbers above
};

// source_config_invalid where there are too many keys, or bytes beyond 2^63.
absl::StatusOr<std::unique_ptr<sdk::Source>> MakeSyntheticSource(
    SyntheticOptions options);

}  // namespace sluice

#endif  // SLUICE_PLUGINS_MEMORY_SYNTHETIC_SOURCE_H_
