#include "sluice/plugins/badger/sort/restore_file.h"

#include <errno.h>
#include <fcntl.h>

#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"

namespace sluice {
namespace badger {
namespace {

constexpr uint32_t kFileMode = 0600;
// The disk begins with so much at a time, so that the sync of a table does not
// wait for all of it.
constexpr uint64_t kWritebackBytes = uint64_t{8} << 20;

}  // namespace

absl::StatusOr<std::unique_ptr<FileSystem>> OpenFolder(
    FileSystem& folder, const std::string& path) {
  auto opened = folder.Beneath(path);
  if (!opened.ok()) return TargetError("open folder", path, opened.error);
  return std::move(opened.value);
}

absl::StatusOr<std::unique_ptr<OutputFile>> OutputFile::Create(
    FileSystem& folder, std::string path, const FileOwner& owner) {
  auto file =
      folder.Open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, kFileMode);
  if (!file.ok()) return TargetError("create file", path, file.error);
  SLUICE_RETURN_IF_ERROR(owner.Give(*file.value, path));
  return std::unique_ptr<OutputFile>(
      new OutputFile(std::move(file.value), std::move(path)));
}

absl::Status OutputFile::Append(absl::string_view bytes) {
  if (buffer_.size() + bytes.size() < kBufferBytes) {
    buffer_.append(bytes.data(), bytes.size());
    return absl::OkStatus();
  }
  SLUICE_RETURN_IF_ERROR(Flush());
  if (bytes.size() >= kBufferBytes) return WriteAll(bytes);
  buffer_.append(bytes.data(), bytes.size());
  return absl::OkStatus();
}

absl::Status OutputFile::Flush() {
  SLUICE_RETURN_IF_ERROR(WriteAll(buffer_));
  buffer_.clear();
  return absl::OkStatus();
}

absl::Status OutputFile::WriteAll(absl::string_view bytes) {
  SLUICE_RETURN_IF_ERROR(
      TargetStatus("write file", path_, WriteAllAt(*file_, written_, bytes)));
  written_ += bytes.size();
  if (written_ - started_ >= kWritebackBytes) {
    file_->StartWriteback(started_, written_ - started_);
    started_ = written_;
  }
  return absl::OkStatus();
}

absl::Status OutputFile::SyncAndClose() {
  SLUICE_RETURN_IF_ERROR(Flush());
  SLUICE_RETURN_IF_ERROR(TargetStatus("sync file", path_, file_->Sync()));
  return TargetStatus("close file", path_, file_->Close());
}

absl::StatusOr<std::unique_ptr<InputFile>> InputFile::Open(FileSystem& folder,
                                                           std::string path) {
  auto file = folder.Open(path, O_RDONLY | O_NOFOLLOW, 0);
  if (!file.ok()) return TargetError("open file", path, file.error);
  return std::unique_ptr<InputFile>(
      new InputFile(std::move(file.value), std::move(path)));
}

absl::Status InputFile::Read(size_t count, std::string& bytes) {
  bytes.resize(count);
  const IoResult<size_t> got =
      ReadUpToAt(*file_, offset_, absl::MakeSpan(bytes));
  if (!got.ok()) return TargetError("read file", path_, got.error);
  offset_ += got.value;
  bytes.resize(got.value);
  return absl::OkStatus();
}

}  // namespace badger
}  // namespace sluice
