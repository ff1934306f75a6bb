#ifndef SLUICE_PLUGINS_BADGER_SORT_ENTRY_RECORD_H_
#define SLUICE_PLUGINS_BADGER_SORT_ENTRY_RECORD_H_

// How an entry lies in memory and in a scratch file while it waits for its
// place: a head of kRecordHeadBytes in the machine's own byte order, the key,
// the value. No format of anything that is kept. Pure, any thread.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

#include "absl/strings/string_view.h"
#include "sluice/plugins/badger/format/entry.h"
#include "sluice/plugins/badger/format/entry_source.h"
#include "sluice/plugins/badger/sort/stream_entry.h"

namespace sluice {
namespace badger {

struct RecordHead {
  uint64_t version;
  uint64_t expires_at;
  uint32_t value_bytes;
  uint16_t key_bytes;
  uint8_t user_meta;
  uint8_t meta;
};
inline constexpr size_t kRecordHeadBytes = sizeof(RecordHead);
static_assert(kRecordHeadBytes == 24, "no padding: it goes into a file");

inline size_t RecordSize(const StreamEntry& entry) {
  return kRecordHeadBytes + entry.key.size() + entry.value.size();
}

inline void AppendRecord(const StreamEntry& entry, std::string& out) {
  const RecordHead head = {entry.version,
                           entry.expires_at,
                           static_cast<uint32_t>(entry.value.size()),
                           static_cast<uint16_t>(entry.key.size()),
                           entry.user_meta,
                           entry.meta};
  out.append(reinterpret_cast<const char*>(&head), kRecordHeadBytes);
  out.append(entry.key.data(), entry.key.size());
  out.append(entry.value.data(), entry.value.size());
}

// The record at the front of `bytes`; false where it is not all there.
inline bool ParseRecord(absl::string_view bytes, StreamEntry& entry) {
  if (bytes.size() < kRecordHeadBytes) return false;
  RecordHead head;
  std::memcpy(&head, bytes.data(), kRecordHeadBytes);
  bytes.remove_prefix(kRecordHeadBytes);
  if (bytes.size() < size_t{head.key_bytes} + head.value_bytes) return false;
  entry.key = bytes.substr(0, head.key_bytes);
  entry.value = bytes.substr(head.key_bytes, head.value_bytes);
  entry.version = head.version;
  entry.expires_at = head.expires_at;
  entry.user_meta = head.user_meta;
  entry.meta = head.meta;
  return true;
}

// `entry`, whose value is no pointer, as a source of entries shows it.
inline StoredValue StoredValueOf(const StreamEntry& entry) {
  StoredValue value;
  value.meta = entry.meta;
  value.user_meta = entry.user_meta;
  value.expires_at = entry.expires_at;
  value.bytes = entry.value;
  return value;
}
inline StreamEntry StreamEntryOf(const InternalKey& key,
                                 const StoredValue& value) {
  return {key.user_key,     value.bytes,     key.version,
          value.expires_at, value.user_meta, value.meta};
}

// The first eight bytes of a key as a number: keys are in the order of theirs,
// where these differ.
inline uint64_t KeyPrefix(absl::string_view key) {
  uint64_t prefix = 0;
  std::memcpy(&prefix, key.data(), key.size() < 8 ? key.size() : 8);
  return __builtin_bswap64(prefix);
}

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_SORT_ENTRY_RECORD_H_
