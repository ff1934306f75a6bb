#ifndef SLUICE_PLUGINS_BADGER_FORMAT_ENTRY_H_
#define SLUICE_PLUGINS_BADGER_FORMAT_ENTRY_H_

// What Badger's tables and logs hold: entries, each a key, a version and a
// value. See docs/format/badger.md. Views live as long as the bytes that they
// were parsed from. Pure, any thread.

#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "sluice/plugins/badger/wire/byte_cursor.h"

namespace sluice {
namespace badger {

// Bits of `meta`.
inline constexpr uint8_t kMetaDelete = 0x01;
inline constexpr uint8_t kMetaValuePointer = 0x02;
inline constexpr uint8_t kMetaDiscardEarlier = 0x04;
inline constexpr uint8_t kMetaMergeEntry = 0x08;
inline constexpr uint8_t kMetaTransaction = 0x40;
inline constexpr uint8_t kMetaTransactionEnd = 0x80;
// Those that say something about the entry, not about how it is stored.
inline constexpr uint8_t kMetaMeaning =
    kMetaDelete | kMetaDiscardEarlier | kMetaMergeEntry;

inline constexpr absl::string_view kInternalPrefix = "!badger!";
inline constexpr absl::string_view kHeadKey = "!badger!head";
inline constexpr absl::string_view kMovePrefix = "!badger!move";
inline constexpr absl::string_view kTransactionEndKey = "!badger!txn";
// And then a namespace, 8 bytes, big-endian.
inline constexpr absl::string_view kBannedPrefix = "!badger!banned";

inline constexpr size_t kVersionBytes = 8;
// Of an internal key; longer ones are in no log.
inline constexpr size_t kMaxInternalKeyBytes = 65536;

// A key as it is stored: the application's, then 2^64-1 - version, big-endian.
struct InternalKey {
  absl::string_view user_key;
  uint64_t version = 0;
};

inline bool ParseInternalKey(absl::string_view bytes, InternalKey& key) {
  if (bytes.size() < kVersionBytes || bytes.size() > kMaxInternalKeyBytes) {
    return false;
  }
  const size_t size = bytes.size() - kVersionBytes;
  key.user_key = bytes.substr(0, size);
  key.version = ~BigEndianAt(bytes, size, kVersionBytes);
  return true;
}

// Below 0: `a` comes first. Of one key the highest version does.
inline int Compare(const InternalKey& a, const InternalKey& b) {
  const int keys = a.user_key.compare(b.user_key);
  if (keys != 0) return keys;
  return a.version == b.version ? 0 : (a.version > b.version ? -1 : 1);
}

// How a version is named in messages: the key in hex where it is no plain text,
// cut where it is long.
std::string Describe(const InternalKey& key);

// Where in which value log an entry lies.
struct ValuePointer {
  static constexpr size_t kBytes = 12;

  uint32_t file = 0;
  uint32_t size = 0;
  uint32_t offset = 0;
};
bool ParseValuePointer(absl::string_view bytes, ValuePointer& pointer);

// The value of an entry in a table.
struct TableValue {
  uint8_t meta = 0;
  uint8_t user_meta = 0;
  uint64_t expires_at = 0;  // Unix seconds; 0: never
  absl::string_view bytes;  // a ValuePointer where meta says so
};
bool ParseTableValue(absl::string_view bytes, TableValue& value);

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_FORMAT_ENTRY_H_
