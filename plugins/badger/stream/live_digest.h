#ifndef SLUICE_PLUGINS_BADGER_STREAM_LIVE_DIGEST_H_
#define SLUICE_PLUGINS_BADGER_STREAM_LIVE_DIGEST_H_

// What a store holds, in a few words: how many keys are alive, and digests of
// what an application sees of them, which do not depend on any order. A backup
// records them; a restored chain must reach them.
//
//   LiveDigest digest(now);
//   for (const StreamEntry& entry : in order of CompareEntries) {
//     digest.Add(entry);
//   }
//   digest.totals();
//
// A key is alive if its newest version is no tombstone and has not expired at
// `now`: give the same time on both sides. An application sees of it the newest
// version and, where that was written by a merge operator, all that is merged:
// the versions below, down to the first that was not, or that says that earlier
// ones are to be discarded.
//
// Sums modulo 2^64 of the halves of an XXH3-128 for each version: against
// mistakes, not against forgers. One thread. Cost: some tens of nanoseconds a
// version and XXH3 of its value.

#include <xxhash.h>

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "sluice/plugins/badger/sort/stream_entry.h"

namespace sluice {
namespace badger {

// Of all that there is to an entry: key, version, value, expiry, user meta and
// kMetaMeaning.
XXH128_hash_t HashOf(const StreamEntry& entry);
// The low half of that.
inline uint64_t FingerprintOf(const StreamEntry& entry) {
  return entry.has_fingerprint ? entry.fingerprint : HashOf(entry).low64;
}

// Whether what is merged into a live `entry` goes on below it.
inline bool MergesBelow(const StreamEntry& entry) {
  return (entry.meta & kMetaMergeEntry) != 0 &&
         (entry.meta & kMetaDiscardEarlier) == 0;
}

struct LiveTotals {
  uint64_t keys = 0;
  // Of keys and newest versions alone, as archives before the content digest
  // have it. 32 hex digits, both; empty: not known.
  std::string digest;
  std::string content;

  // By the content where both know theirs.
  bool Equals(const LiveTotals& other) const {
    if (content.empty() || other.content.empty()) {
      return keys == other.keys && digest == other.digest;
    }
    return keys == other.keys && content == other.content;
  }
};

class LiveDigest {
 public:
  // `now` in seconds since 1970.
  explicit LiveDigest(uint64_t now) : now_(now) {}

  void Add(const StreamEntry& entry);
  // The same; the entry has its fingerprint afterwards, if that was needed.
  void AddAndKeep(StreamEntry& entry);
  LiveTotals totals() const;

 private:
  struct Sum {
    void Add(const XXH128_hash_t& hash);
    std::string Hex() const;
    uint64_t low = 0;
    uint64_t high = 0;
  };

  const uint64_t now_;
  bool begun_ = false;
  std::string last_key_;
  bool goes_on_ = false;  // versions below are merged into the last key's
  uint64_t keys_ = 0;
  Sum newest_;
  Sum content_;
};

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_STREAM_LIVE_DIGEST_H_
