#ifndef SLUICE_PLUGINS_BADGER_DECOMPRESS_H_
#define SLUICE_PLUGINS_BADGER_DECOMPRESS_H_

// The compressions of Badger's blocks.

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "sluice/plugins/badger/manifest.h"

namespace sluice {
namespace badger {

// The longest block that is believed: the longest value that Badger takes, 1
// GiB, and what is around it. What Badger writes into tables is 1 MiB at most.
inline constexpr uint64_t kMaxBlockBytes = (uint64_t{1} << 30) + (1 << 20);

// Replaces `plain`. False where `stored` is not what `compression` makes, or is
// longer than kMaxBlockBytes. Memory grows with what `stored` really gives, not
// with what it claims. Thread-safe.
bool Decompress(Compression compression, absl::string_view stored,
                std::string& plain);

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_DECOMPRESS_H_
