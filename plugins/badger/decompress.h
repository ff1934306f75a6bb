#ifndef SLUICE_PLUGINS_BADGER_DECOMPRESS_H_
#define SLUICE_PLUGINS_BADGER_DECOMPRESS_H_

// The compressions of Badger's blocks.

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "sluice/plugins/badger/manifest.h"

namespace sluice {
namespace badger {

// A compressed block may claim any length. It is believed up to this, or up to
// eight times its stored length if that is more: Badger keeps values above
// 1 MiB out of tables, so a writer that does not must leave them uncompressed.
inline constexpr uint64_t kMaxInflatedBytes = uint64_t{64} << 20;

// Replaces `plain`. False where `stored` is not what `compression` makes, or is
// longer than the bound above. Thread-safe.
bool Decompress(Compression compression, absl::string_view stored,
                std::string& plain);

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_DECOMPRESS_H_
