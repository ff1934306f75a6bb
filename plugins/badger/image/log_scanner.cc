#include "sluice/plugins/badger/image/log_scanner.h"

#include <algorithm>
#include <string>

#include "absl/strings/numbers.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/badger/wire/byte_cursor.h"
#include "sluice/plugins/badger/wire/crc32c.h"

namespace sluice {
namespace badger {
namespace {

// Longer ones are no end marker: a decimal of 64 bits.
constexpr uint32_t kMaxMarkerValueBytes = 20;

class Scanner {
 public:
  Scanner(LogFile& log, uint64_t start, LogVisitor& visitor)
      : log_(log), visitor_(visitor), at_(start) {
    end_.valid_end = start;
    end_.record_end = start;
  }

  absl::StatusOr<LogEnd> Run() {
    bool go_on = true;
    while (go_on) {
      SLUICE_ASSIGN_OR_RETURN(go_on, Step());
    }
    if (end_.dropped_records > 0) visitor_.Drop();
    SLUICE_ASSIGN_OR_RETURN(const bool empty, OnlyZerosFrom(at_));
    end_.tail = empty ? LogTail::kEmpty : LogTail::kUnreadable;
    return end_;
  }

 private:
  // False where the record at at_ is none, or may not stand there.
  absl::StatusOr<bool> Step() {
    SLUICE_ASSIGN_OR_RETURN(const bool read, ReadRecord());
    if (!read) return false;
    SLUICE_ASSIGN_OR_RETURN(const bool taken, Take());
    if (!taken) return false;
    at_ += header_.record_size();
    end_.record_end = at_;
    if (transaction_ == 0) {
      visitor_.Commit();
      end_.dropped_records = 0;
      end_.valid_end = at_;
    }
    return true;
  }

  absl::StatusOr<bool> ReadRecord() {
    const uint64_t left = log_.size() - at_;
    SLUICE_ASSIGN_OR_RETURN(
        const absl::string_view front,
        log_.file().View(at_, std::min<uint64_t>(left, kMaxRecordHeaderBytes)));
    if (!ParseRecordHeader(front, header_) ||
        header_.key_size < kVersionBytes || header_.record_size() > left ||
        header_.record_size() > UINT32_MAX) {
      return false;
    }
    const uint64_t crc_at = at_ + header_.record_size() - kRecordCrcBytes;
    SLUICE_ASSIGN_OR_RETURN(const uint32_t crc, log_.Checksum(at_, crc_at));
    SLUICE_ASSIGN_OR_RETURN(const absl::string_view stored_crc,
                            log_.file().View(crc_at, kRecordCrcBytes));
    if (BigEndianAt(stored_crc, 0, kRecordCrcBytes) != crc) return false;
    // Of the value only what an end marker needs.
    const size_t value_bytes =
        header_.value_size <= kMaxMarkerValueBytes ? header_.value_size : 0;
    SLUICE_ASSIGN_OR_RETURN(const absl::string_view text,
                            log_.file().View(at_ + header_.header_size,
                                             header_.key_size + value_bytes));
    text_.assign(text.data(), text.size());
    log_.Decrypt(at_, absl::MakeSpan(text_));
    return ParseInternalKey(
        absl::string_view(text_).substr(0, header_.key_size), key_);
  }

  // Follows the transaction that the record belongs to.
  absl::StatusOr<bool> Take() {
    if ((header_.meta & kMetaTransaction) != 0) {
      if (transaction_ == 0) transaction_ = key_.version;
      if (key_.version != transaction_ || transaction_ == 0) return false;
      ++end_.dropped_records;
      return Show();
    }
    if ((header_.meta & kMetaTransactionEnd) != 0) {
      uint64_t version = 0;
      const absl::string_view value =
          absl::string_view(text_).substr(header_.key_size);
      if (!absl::SimpleAtoi(value, &version) || version != transaction_) {
        return false;
      }
      transaction_ = 0;
      return true;
    }
    if (transaction_ != 0) return false;
    return Show();
  }

  absl::StatusOr<bool> Show() {
    ScannedRecord record;
    record.key = key_;
    record.meta = header_.meta;
    record.user_meta = header_.user_meta;
    record.expires_at = header_.expires_at;
    record.offset = at_;
    record.size = static_cast<uint32_t>(header_.record_size());
    SLUICE_RETURN_IF_ERROR(visitor_.OnRecord(record));
    return true;
  }

  absl::StatusOr<bool> OnlyZerosFrom(uint64_t from) {
    while (from < log_.size()) {
      const size_t count =
          std::min<uint64_t>(log_.size() - from, RandomFile::kWindowBytes);
      SLUICE_ASSIGN_OR_RETURN(const absl::string_view piece,
                              log_.file().View(from, count));
      if (piece.find_first_not_of('\0') != absl::string_view::npos) {
        return false;
      }
      from += count;
    }
    return true;
  }

  LogFile& log_;
  LogVisitor& visitor_;
  uint64_t at_;
  LogEnd end_;
  uint64_t transaction_ = 0;  // version of the one that is open, or 0
  RecordHeader header_;
  std::string text_;  // key and short value, decrypted
  InternalKey key_;
};

}  // namespace

absl::StatusOr<LogEnd> ScanLog(LogFile& log, uint64_t start,
                               LogVisitor& visitor) {
  if (log.size() < start) {
    LogEnd end;
    end.valid_end = log.size();
    end.record_end = log.size();
    return end;
  }
  return Scanner(log, start, visitor).Run();
}

}  // namespace badger
}  // namespace sluice
