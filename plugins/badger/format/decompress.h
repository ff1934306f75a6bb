#ifndef SLUICE_PLUGINS_BADGER_FORMAT_DECOMPRESS_H_
#define SLUICE_PLUGINS_BADGER_FORMAT_DECOMPRESS_H_

// The compressions of Badger's blocks.

#include <algorithm>
#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "sluice/plugins/badger/format/manifest.h"

namespace sluice {
namespace badger {

// The longest block that is believed: the longest value that Badger takes, 1
// GiB, and what is around it. What Badger writes into tables is 1 MiB at most.
inline constexpr uint64_t kMaxBlockBytes = (uint64_t{1} << 30) + (1 << 20);

// What `stored_bytes` of a compressed block may become, at most: so many bytes,
// or so many times what is stored. Badger takes no value into a table that is
// longer than 1 MiB, and no text that is worth keeping shrinks by more.
inline constexpr uint64_t kShortBlockBytes = uint64_t{4} << 20;
inline constexpr uint64_t kMaxCompressionRatio = 64;
inline uint64_t MaxPlainBytes(uint64_t stored_bytes) {
  return std::min(
      std::max(kShortBlockBytes, kMaxCompressionRatio * stored_bytes),
      kMaxBlockBytes);
}

// Replaces `plain`. False where `stored` is not what `compression` makes, or
// becomes longer than MaxPlainBytes, which is also all the memory that it
// takes. Thread-safe.
bool Decompress(Compression compression, absl::string_view stored,
                std::string& plain);

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_FORMAT_DECOMPRESS_H_
