#ifndef SLUICE_PLUGINS_BADGER_LIVE_WHOLE_RECORDS_H_
#define SLUICE_PLUGINS_BADGER_LIVE_WHOLE_RECORDS_H_

// MANIFEST and KEYREGISTRY while Badger appends to them: a header, then
// records, each a length (u32, big endian), a checksum and so many bytes. See
// docs/format/badger.md. Pure, any thread.

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "sluice/plugins/badger/wire/byte_cursor.h"

namespace sluice {
namespace badger {

inline constexpr size_t kManifestHeaderBytes = 8;
inline constexpr size_t kKeyRegistryHeaderBytes = 28;

// Where the record at byte `at` of `file` ends; 0: it is not all there.
inline size_t RecordEnd(absl::string_view file, size_t at) {
  constexpr size_t kHeadBytes = 8;
  if (file.size() - at < kHeadBytes) return 0;
  const uint64_t body = BigEndianAt(file, at, 4);
  const size_t left = file.size() - at - kHeadBytes;
  return body > left ? 0 : at + kHeadBytes + body;
}

// Without a record that is being appended.
inline absl::string_view WholeRecords(absl::string_view file,
                                      size_t header_bytes) {
  if (file.size() < header_bytes) return file;
  size_t end = header_bytes;
  for (size_t next = RecordEnd(file, end); next != 0;
       next = RecordEnd(file, end)) {
    end = next;
  }
  return file.substr(0, end);
}

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_LIVE_WHOLE_RECORDS_H_
