#ifndef SLUICE_PLUGINS_BADGER_IMAGE_LOG_SCANNER_H_
#define SLUICE_PLUGINS_BADGER_IMAGE_LOG_SCANNER_H_

// All records of a log in order, and where it ends: what Badger itself replays
// when it opens the directory. See docs/format/badger.md.
//
//   SLUICE_ASSIGN_OR_RETURN(LogEnd end, ScanLog(*log, {}, visitor));
//   if (end.tail == LogTail::kUnreadable) ...
//
// One thread. Memory: the key of one record and a window; what is held back of
// an open transaction is the visitor's.

#include <cstdint>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sluice/plugins/badger/format/entry.h"
#include "sluice/plugins/badger/image/log_file.h"

namespace sluice {
namespace badger {

struct ScannedRecord {
  InternalKey key;  // lives for the call
  uint8_t meta = 0;
  uint8_t user_meta = 0;
  uint64_t expires_at = 0;
  uint64_t offset = 0;
  uint32_t size = 0;
};

class LogVisitor {
 public:
  virtual ~LogVisitor() = default;

  // A record. It counts once Commit is called.
  virtual absl::Status OnRecord(const ScannedRecord& record) = 0;
  // All records since the last call count.
  virtual void Commit() = 0;
  // None of the records since the last Commit does: the log ends within their
  // transaction.
  virtual void Drop() = 0;
};

// What follows the last record that can be read.
enum class LogTail {
  kEmpty,      // the end of the file, or zeros up to it
  kUnreadable  // other bytes: a half-written record, or damage
};

struct LogEnd {
  // After the last transaction (or record outside one) that is whole.
  uint64_t valid_end = 0;
  // After the last record that is whole.
  uint64_t record_end = 0;
  // Of the transaction that the log ends in, which Badger drops.
  uint64_t dropped_records = 0;
  LogTail tail = LogTail::kEmpty;
};

// From `start` (kLogHeaderBytes for all) on. Errors: the visitor's, and those
// of reading; what the log holds is none, see LogEnd.
absl::StatusOr<LogEnd> ScanLog(LogFile& log, uint64_t start,
                               LogVisitor& visitor);

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_IMAGE_LOG_SCANNER_H_
