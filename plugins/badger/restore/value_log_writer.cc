#include "sluice/plugins/badger/restore/value_log_writer.h"

#include <utility>

#include "sluice/base/status_macros.h"
#include "sluice/plugins/badger/format/log_record.h"
#include "sluice/plugins/badger/image/image_files.h"
#include "sluice/plugins/badger/wire/crc32c.h"
#include "sluice/plugins/badger/wire/pb_wire.h"

namespace sluice {
namespace badger {
namespace {

std::string BigEndian(uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) {
    bytes.push_back(static_cast<char>(value >> shift));
  }
  return bytes;
}

}  // namespace

ValueLogWriter::ValueLogWriter(FileSystem& folder, DiskFormat format,
                               uint64_t file_bytes, FileOwner owner)
    : folder_(folder),
      format_(format),
      file_bytes_(file_bytes),
      owner_(owner) {}

absl::Status ValueLogWriter::Open() {
  const uint32_t first = format_ == DiskFormat::kBadger2 ? 0 : 1;
  const uint32_t number = names_.empty() ? first : names_.rbegin()->first + 1;
  std::string name = ValueLogFileName(number);
  SLUICE_ASSIGN_OR_RETURN(file_, OutputFile::Create(folder_, name, owner_));
  names_[number] = std::move(name);
  // Data key 0, which is none, and an IV that nothing uses.
  return file_->Append(std::string(kLogHeaderBytes, '\0'));
}

absl::StatusOr<ValuePointer> ValueLogWriter::Add(
    const StreamEntry& entry, absl::string_view internal_key) {
  if (file_ != nullptr && file_->size() >= file_bytes_) {
    SLUICE_RETURN_IF_ERROR(Close());
  }
  if (file_ == nullptr) SLUICE_RETURN_IF_ERROR(Open());
  front_.clear();
  front_.push_back(static_cast<char>(entry.meta));
  front_.push_back(static_cast<char>(entry.user_meta));
  AppendVarint(internal_key.size(), front_);
  AppendVarint(entry.value.size(), front_);
  AppendVarint(entry.expires_at, front_);
  front_.append(internal_key.data(), internal_key.size());
  const uint64_t offset = file_->size();
  SLUICE_RETURN_IF_ERROR(file_->Append(front_));
  SLUICE_RETURN_IF_ERROR(file_->Append(entry.value));
  SLUICE_RETURN_IF_ERROR(
      file_->Append(BigEndian(ExtendCrc32c(Crc32c(front_), entry.value))));
  ValuePointer place;
  place.file = names_.rbegin()->first;
  place.offset = static_cast<uint32_t>(offset);
  place.size = static_cast<uint32_t>(file_->size() - offset);
  return place;
}

absl::Status ValueLogWriter::Close() {
  if (file_ == nullptr) return absl::OkStatus();
  const std::unique_ptr<OutputFile> file = std::move(file_);
  return file->SyncAndClose();
}

absl::Status ValueLogWriter::Finish() {
  SLUICE_RETURN_IF_ERROR(Close());
  if (names_.empty() && format_ != DiskFormat::kBadger2) {
    return absl::OkStatus();
  }
  SLUICE_RETURN_IF_ERROR(Open());
  return Close();
}

ValuePointer ValueLogWriter::end() const {
  ValuePointer end;
  if (!names_.empty()) end.file = names_.rbegin()->first;
  end.offset = kLogHeaderBytes;
  return end;
}

std::string ValuePointerBytes(const ValuePointer& pointer) {
  std::string bytes;
  for (const uint32_t part : {pointer.file, pointer.size, pointer.offset}) {
    for (int shift = 0; shift < 32; shift += 8) {
      bytes.push_back(static_cast<char>(part >> shift));
    }
  }
  return bytes;
}

}  // namespace badger
}  // namespace sluice
