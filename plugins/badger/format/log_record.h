#ifndef SLUICE_PLUGINS_BADGER_FORMAT_LOG_RECORD_H_
#define SLUICE_PLUGINS_BADGER_FORMAT_LOG_RECORD_H_

// The records of Badger's logs (.vlog, .mem). See docs/format/badger.md. Pure,
// any thread.

#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"

namespace sluice {
namespace badger {

inline constexpr size_t kLogHeaderBytes = 20;
inline constexpr size_t kLogBaseIvBytes = 12;
// meta, user_meta, and three varints of at most 5, 5 and 10 bytes.
inline constexpr size_t kMaxRecordHeaderBytes = 22;
inline constexpr size_t kRecordCrcBytes = 4;

struct RecordHeader {
  uint8_t meta = 0;
  uint8_t user_meta = 0;
  uint32_t key_size = 0;
  uint32_t value_size = 0;
  uint64_t expires_at = 0;
  size_t header_size = 0;

  // With header and checksum.
  uint64_t record_size() const {
    return header_size + uint64_t{key_size} + value_size + kRecordCrcBytes;
  }
};

// Reads the header at the front of `bytes` (kMaxRecordHeaderBytes of them, or
// all that are left of the file). False where it is cut, or no log could hold
// such a record; a key of length 0, at which a log of zeros ends, is no error
// here.
bool ParseRecordHeader(absl::string_view bytes, RecordHeader& header);

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_FORMAT_LOG_RECORD_H_
