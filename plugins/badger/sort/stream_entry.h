#ifndef SLUICE_PLUGINS_BADGER_SORT_STREAM_ENTRY_H_
#define SLUICE_PLUGINS_BADGER_SORT_STREAM_ENTRY_H_

// One version of one key, as a backup stream holds it and as a restore writes
// it. Views: they live as long as whoever gave the entry says.

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "sluice/plugins/badger/format/entry.h"

namespace sluice {
namespace badger {

// Of a user's key: Badger takes no longer one.
inline constexpr size_t kMaxStreamKeyBytes = 65000;
// Badger's own bound is the size of a value log file, 1 GiB by default.
inline constexpr size_t kMaxStreamValueBytes = size_t{1} << 30;

struct StreamEntry {
  absl::string_view key;
  absl::string_view value;  // the value itself, never a pointer
  uint64_t version = 0;
  uint64_t expires_at = 0;  // seconds since 1970; 0: never
  uint8_t user_meta = 0;
  uint8_t meta = 0;  // of kMetaMeaning
  // Its fingerprint (live_digest.h), where who gives it has computed that. Void
  // once anything else of it is changed.
  bool has_fingerprint = false;
  uint64_t fingerprint = 0;

  bool deleted() const { return (meta & kMetaDelete) != 0; }
};

// The order of keys ascending, and of a key's versions from the newest on:
// below 0, 0 or above 0.
inline int CompareEntries(const StreamEntry& a, const StreamEntry& b) {
  if (const int order = a.key.compare(b.key); order != 0) return order;
  if (a.version == b.version) return 0;
  return a.version > b.version ? -1 : 1;
}

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_SORT_STREAM_ENTRY_H_
