#ifndef SLUICE_PLUGINS_BADGER_IMAGE_LOG_FILE_H_
#define SLUICE_PLUGINS_BADGER_IMAGE_LOG_FILE_H_

// One log of a Badger directory, .vlog or .mem: records read by position, or
// all of them in order (log_scanner.h). See docs/format/badger.md.
//
//   SLUICE_ASSIGN_OR_RETURN(std::unique_ptr<LogFile> log,
//                           LogFile::Open(folder, "000001.vlog", keys));
//   std::string record;
//   LogRecord parts;
//   SLUICE_RETURN_IF_ERROR(log->Read(offset, size, record, parts));
//
// Any number of threads call const members but file(). Memory: the record that
// is read, and only after its checksum was found right where it is long.

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "sluice/base/file_system.h"
#include "sluice/plugins/badger/format/key_registry.h"
#include "sluice/plugins/badger/format/log_record.h"
#include "sluice/plugins/badger/wire/aes_key.h"
#include "sluice/plugins/badger/wire/random_file.h"

namespace sluice {
namespace badger {

struct LogRecord {
  RecordHeader header;
  absl::string_view key;  // internal
  absl::string_view value;
};

class LogFile {
 public:
  // A file too short for a header, but not missing, is a log without records:
  // Badger leaves such ones. `keys` must outlive the log. Errors: what
  // RandomFile says; source_failed where its data key is not in `keys`.
  static absl::StatusOr<std::unique_ptr<LogFile>> Open(FileSystem& folder,
                                                       const std::string& name,
                                                       const KeyRegistry& keys);
  static absl::StatusOr<std::unique_ptr<LogFile>> Create(
      std::unique_ptr<RandomFile> file, const KeyRegistry& keys);

  const std::string& name() const { return file_->name(); }
  uint64_t size() const { return file_->size(); }
  RandomFile& file() const { return *file_; }

  // The record that fills exactly [offset, offset + size). Replaces `bytes`,
  // which `record` is a view of. Errors: Dangling where the file is too short
  // for it, else source_failed.
  absl::Status Read(uint64_t offset, uint32_t size, std::string& bytes,
                    LogRecord& record) const;

  // The same of bytes that were read already: the record at `offset` fills
  // `bytes`, where its key and value are decrypted.
  absl::Status Parse(uint64_t offset, absl::Span<char> bytes,
                     LogRecord& record) const;

  // The same of its first bytes, header and key: a record of `size` bytes,
  // whose value is not there and whose checksum says nothing of them.
  absl::Status ParseFront(uint64_t offset, uint32_t size,
                          absl::Span<char> bytes, LogRecord& record) const;

  // Decrypts key and value, or their first bytes, of the record at `offset`.
  void Decrypt(uint64_t offset, absl::Span<char> key_and_value) const;
  bool is_encrypted() const { return key_ != nullptr; }

  // The checksum of [begin, end), in bounded memory. For who goes forward.
  absl::StatusOr<uint32_t> Checksum(uint64_t begin, uint64_t end);

 private:
  explicit LogFile(std::unique_ptr<RandomFile> file) : file_(std::move(file)) {}

  absl::Status ReadHeader(const KeyRegistry& keys);

  std::unique_ptr<RandomFile> file_;
  const AesKey* key_ = nullptr;
  std::string base_iv_;
};

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_IMAGE_LOG_FILE_H_
