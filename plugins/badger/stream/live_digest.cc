#include "sluice/plugins/badger/stream/live_digest.h"

#include "absl/strings/str_cat.h"

namespace sluice {
namespace badger {

XXH128_hash_t HashOf(const StreamEntry& entry) {
  const XXH128_hash_t key = XXH3_128bits(entry.key.data(), entry.key.size());
  const XXH128_hash_t value =
      XXH3_128bits(entry.value.data(), entry.value.size());
  const uint64_t meaning = uint64_t{entry.meta} & kMetaMeaning;
  const uint64_t parts[] = {key.low64,
                            key.high64,
                            value.low64,
                            value.high64,
                            entry.version,
                            entry.expires_at,
                            entry.user_meta | meaning << 8};
  return XXH3_128bits(parts, sizeof(parts));
}

void LiveDigest::Sum::Add(const XXH128_hash_t& hash) {
  low += hash.low64;
  high += hash.high64;
}

std::string LiveDigest::Sum::Hex() const {
  return absl::StrCat(absl::Hex(high, absl::kZeroPad16),
                      absl::Hex(low, absl::kZeroPad16));
}

void LiveDigest::Add(const StreamEntry& entry) {
  StreamEntry copy = entry;
  AddAndKeep(copy);
}

void LiveDigest::AddAndKeep(StreamEntry& entry) {
  const bool is_newest = !begun_ || entry.key != last_key_;
  if (!is_newest && !goes_on_) return;
  if (is_newest) {
    begun_ = true;
    last_key_.assign(entry.key.data(), entry.key.size());
  }
  const bool expired = entry.expires_at != 0 && entry.expires_at <= now_;
  goes_on_ = !entry.deleted() && !expired && MergesBelow(entry);
  if (entry.deleted() || expired) return;
  const XXH128_hash_t hash = HashOf(entry);
  entry.has_fingerprint = true;
  entry.fingerprint = hash.low64;
  content_.Add(hash);
  if (!is_newest) return;
  ++keys_;
  newest_.Add(
      XXH3_128bits_withSeed(entry.key.data(), entry.key.size(), entry.version));
}

LiveTotals LiveDigest::totals() const {
  return {keys_, newest_.Hex(), content_.Hex()};
}

}  // namespace badger
}  // namespace sluice
