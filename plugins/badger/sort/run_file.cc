#include "sluice/plugins/badger/sort/run_file.h"

#include <cstdint>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/badger/sort/entry_record.h"
#include "sluice/plugins/badger/wire/crc32c.h"

namespace sluice {
namespace badger {
namespace {

constexpr size_t kFrameBytes = size_t{256} << 10;

struct FrameHead {
  uint64_t bytes;
  uint32_t checksum;
  uint32_t unused;
};
static_assert(sizeof(FrameHead) == 16, "no padding: it goes into a file");

class RunSource final : public EntrySource {
 public:
  RunSource(std::unique_ptr<InputFile> file, std::string path)
      : file_(std::move(file)), path_(std::move(path)) {}

  absl::Status Seek(absl::string_view user_key) override {
    file_->Rewind();
    rest_ = absl::string_view();
    SLUICE_RETURN_IF_ERROR(Next());
    while (valid_ && entry_.key < user_key) SLUICE_RETURN_IF_ERROR(Next());
    return absl::OkStatus();
  }
  absl::Status Next() override {
    if (rest_.empty()) {
      SLUICE_ASSIGN_OR_RETURN(valid_, ReadFrame());
      if (!valid_) return absl::OkStatus();
    }
    if (!ParseRecord(rest_, entry_)) return NotAsWritten();
    rest_.remove_prefix(RecordSize(entry_));
    return absl::OkStatus();
  }
  bool Valid() const override { return valid_; }
  InternalKey key() const override { return {entry_.key, entry_.version}; }
  StoredValue value() const override { return StoredValueOf(entry_); }

 private:
  absl::StatusOr<bool> ReadFrame() {
    SLUICE_RETURN_IF_ERROR(file_->Read(sizeof(FrameHead), frame_));
    if (frame_.empty()) return false;
    if (frame_.size() < sizeof(FrameHead)) return NotAsWritten();
    FrameHead head;
    std::memcpy(&head, frame_.data(), sizeof(head));
    if (head.bytes > kFrameBytes + kRecordHeadBytes + kMaxStreamKeyBytes +
                         kMaxStreamValueBytes) {
      return NotAsWritten();
    }
    SLUICE_RETURN_IF_ERROR(file_->Read(head.bytes, frame_));
    if (frame_.size() != head.bytes || Crc32c(frame_) != head.checksum) {
      return NotAsWritten();
    }
    rest_ = frame_;
    return true;
  }

  absl::Status NotAsWritten() const {
    return MakeError(
        absl::StatusCode::kDataLoss, kSourceFailed,
        absl::StrCat("read scratch file ", path_, ": checksum mismatch"));
  }

  std::unique_ptr<InputFile> file_;
  const std::string path_;
  std::string frame_;
  absl::string_view rest_;
  StreamEntry entry_;
  bool valid_ = false;
};

}  // namespace

absl::StatusOr<std::unique_ptr<RunWriter>> RunWriter::Create(
    FileSystem& folder, const std::string& path) {
  SLUICE_ASSIGN_OR_RETURN(std::unique_ptr<OutputFile> file,
                          OutputFile::Create(folder, path));
  return std::unique_ptr<RunWriter>(new RunWriter(std::move(file)));
}

absl::Status RunWriter::Add(const StreamEntry& entry) {
  AppendRecord(entry, frame_);
  return frame_.size() < kFrameBytes ? absl::OkStatus() : CloseFrame();
}

absl::Status RunWriter::Finish() {
  if (!frame_.empty()) SLUICE_RETURN_IF_ERROR(CloseFrame());
  return file_->Flush();
}

absl::Status RunWriter::CloseFrame() {
  const FrameHead head = {frame_.size(), Crc32c(frame_), 0};
  SLUICE_RETURN_IF_ERROR(file_->Append(
      absl::string_view(reinterpret_cast<const char*>(&head), sizeof(head))));
  SLUICE_RETURN_IF_ERROR(file_->Append(frame_));
  frame_.clear();
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<EntrySource>> OpenRun(FileSystem& folder,
                                                     const std::string& path) {
  SLUICE_ASSIGN_OR_RETURN(std::unique_ptr<InputFile> file,
                          InputFile::Open(folder, path));
  return std::unique_ptr<EntrySource>(
      std::make_unique<RunSource>(std::move(file), path));
}

}  // namespace badger
}  // namespace sluice
