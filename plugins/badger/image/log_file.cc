#include "sluice/plugins/badger/image/log_file.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/badger/wire/byte_cursor.h"
#include "sluice/plugins/badger/wire/crc32c.h"
#include "sluice/plugins/badger/wire/image_error.h"

namespace sluice {
namespace badger {
namespace {

// From here on a record's checksum is verified before the record is held.
constexpr uint32_t kLongRecordBytes = 16 << 20;

std::string At(const std::string& name, uint64_t offset) {
  return absl::StrCat(name, ", record at byte ", offset);
}

absl::StatusOr<uint32_t> ChecksumInPieces(const RandomFile& file,
                                          uint64_t begin, uint64_t end) {
  uint32_t crc = 0;
  std::string piece;
  while (begin < end) {
    SLUICE_RETURN_IF_ERROR(file.Read(
        begin, std::min<uint64_t>(end - begin, RandomFile::kWindowBytes),
        piece));
    crc = ExtendCrc32c(crc, piece);
    begin += piece.size();
  }
  return crc;
}

}  // namespace

absl::StatusOr<std::unique_ptr<LogFile>> LogFile::Open(
    FileSystem& folder, const std::string& name, const KeyRegistry& keys) {
  SLUICE_ASSIGN_OR_RETURN(std::unique_ptr<RandomFile> file,
                          RandomFile::Open(folder, name));
  return Create(std::move(file), keys);
}

absl::StatusOr<std::unique_ptr<LogFile>> LogFile::Create(
    std::unique_ptr<RandomFile> file, const KeyRegistry& keys) {
  std::unique_ptr<LogFile> log(new LogFile(std::move(file)));
  SLUICE_RETURN_IF_ERROR(log->ReadHeader(keys));
  return log;
}

absl::Status LogFile::ReadHeader(const KeyRegistry& keys) {
  if (size() < kLogHeaderBytes) return absl::OkStatus();
  std::string header;
  SLUICE_RETURN_IF_ERROR(file_->Read(0, kLogHeaderBytes, header));
  base_iv_ = header.substr(8);
  const auto key = keys.Find(BigEndianAt(header, 0, 8));
  if (!key.ok()) return Annotate(key.status(), name());
  key_ = *key;
  return absl::OkStatus();
}

void LogFile::Decrypt(uint64_t offset, absl::Span<char> key_and_value) const {
  if (key_ == nullptr) return;
  std::string iv = base_iv_;
  for (int shift = 24; shift >= 0; shift -= 8) {
    iv.push_back(static_cast<char>(offset >> shift));
  }
  key_->Apply(iv, key_and_value);
}

absl::StatusOr<uint32_t> LogFile::Checksum(uint64_t begin, uint64_t end) {
  uint32_t crc = 0;
  while (begin < end) {
    const size_t count =
        std::min<uint64_t>(end - begin, RandomFile::kWindowBytes);
    SLUICE_ASSIGN_OR_RETURN(const absl::string_view piece,
                            file_->View(begin, count));
    crc = ExtendCrc32c(crc, piece);
    begin += count;
  }
  return crc;
}

absl::Status LogFile::Read(uint64_t offset, uint32_t size, std::string& bytes,
                           LogRecord& record) const {
  if (offset < kLogHeaderBytes || offset > this->size() ||
      size > this->size() - offset) {
    return Dangling(At(name(), offset),
                    absl::StrCat(size, " bytes, which the file does not have"));
  }
  if (size < kRecordCrcBytes)
    return Damaged(At(name(), offset), "it is truncated");
  const uint64_t crc_at = offset + size - kRecordCrcBytes;
  if (size > kLongRecordBytes) {
    SLUICE_ASSIGN_OR_RETURN(const uint32_t crc,
                            ChecksumInPieces(*file_, offset, crc_at));
    SLUICE_RETURN_IF_ERROR(file_->Read(crc_at, kRecordCrcBytes, bytes));
    if (BigEndianAt(bytes, 0, kRecordCrcBytes) != crc) {
      return Damaged(At(name(), offset), "checksum mismatch");
    }
  }
  SLUICE_RETURN_IF_ERROR(file_->Read(offset, size, bytes));
  return Parse(offset, absl::MakeSpan(bytes), record);
}

absl::Status LogFile::Parse(uint64_t offset, absl::Span<char> bytes,
                            LogRecord& record) const {
  const absl::string_view all(bytes.data(), bytes.size());
  RecordHeader& header = record.header;
  if (!ParseRecordHeader(all.substr(0, kMaxRecordHeaderBytes), header) ||
      header.record_size() != all.size()) {
    return Damaged(At(name(), offset), "length mismatch");
  }
  const size_t body = all.size() - kRecordCrcBytes;
  if (Crc32c(all.substr(0, body)) != BigEndianAt(all, body, kRecordCrcBytes)) {
    return Damaged(At(name(), offset), "checksum mismatch");
  }
  Decrypt(offset, bytes.subspan(header.header_size,
                                size_t{header.key_size} + header.value_size));
  record.key = all.substr(header.header_size, header.key_size);
  record.value =
      all.substr(header.header_size + header.key_size, header.value_size);
  return absl::OkStatus();
}

absl::Status LogFile::ParseFront(uint64_t offset, uint32_t size,
                                 absl::Span<char> bytes,
                                 LogRecord& record) const {
  const absl::string_view all(bytes.data(), bytes.size());
  RecordHeader& header = record.header;
  if (!ParseRecordHeader(all.substr(0, kMaxRecordHeaderBytes), header) ||
      header.record_size() != size ||
      header.header_size + header.key_size > all.size()) {
    return Damaged(At(name(), offset), "length mismatch");
  }
  Decrypt(offset, bytes.subspan(header.header_size, header.key_size));
  record.key = all.substr(header.header_size, header.key_size);
  record.value = absl::string_view();
  return absl::OkStatus();
}

}  // namespace badger
}  // namespace sluice
