#include "sluice/plugins/badger/live_digest.h"

#include <xxhash.h>

#include "absl/strings/str_cat.h"

namespace sluice {
namespace badger {

void LiveDigest::Add(const StreamEntry& entry) {
  if (begun_ && entry.key == last_key_) return;  // an older version
  begun_ = true;
  last_key_.assign(entry.key.data(), entry.key.size());
  const bool expired = entry.expires_at != 0 && entry.expires_at <= now_;
  if (entry.deleted() || expired) return;
  const XXH128_hash_t hash =
      XXH3_128bits_withSeed(entry.key.data(), entry.key.size(), entry.version);
  ++keys_;
  low_ += hash.low64;
  high_ += hash.high64;
}

LiveTotals LiveDigest::totals() const {
  return {keys_, absl::StrCat(absl::Hex(high_, absl::kZeroPad16),
                              absl::Hex(low_, absl::kZeroPad16))};
}

}  // namespace badger
}  // namespace sluice
