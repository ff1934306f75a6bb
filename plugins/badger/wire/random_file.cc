#include "sluice/plugins/badger/wire/random_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/uio.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/badger/wire/image_error.h"

namespace sluice {
namespace badger {
namespace {

constexpr auto& IoError = SourceIoError;

}  // namespace

absl::StatusOr<std::unique_ptr<RandomFile>> RandomFile::Open(
    FileSystem& folder, const std::string& name) {
  // O_NONBLOCK: a named pipe in the file's place must not hold us.
  auto file = folder.Open(name, O_RDONLY | O_NONBLOCK, 0);
  if (!file.ok()) return IoError("open", name, file.error);
  const auto info = file.value->Stat();
  if (!info.ok()) return IoError("stat", name, info.error);
  if (info.value.type != FileInfo::Type::kRegular) {
    return MakeError(absl::StatusCode::kFailedPrecondition, kSourceUnavailable,
                     absl::StrCat("open ", name, ": it is not a regular file"));
  }
  return std::make_unique<RandomFile>(std::move(file.value), name,
                                      info.value.size);
}

RandomFile::RandomFile(std::unique_ptr<File> file, std::string name,
                       uint64_t size)
    : file_(std::move(file)), name_(std::move(name)), size_(size) {}

absl::Status RandomFile::Read(uint64_t offset, size_t count,
                              std::string& bytes) const {
  SLUICE_RETURN_IF_ERROR(CheckRange(offset, count));
  bytes.resize(count);
  return Read(offset, absl::MakeSpan(bytes));
}

bool RandomFile::ReadIfCached(uint64_t offset, absl::Span<char> bytes) const {
  const int descriptor = file_->NativeDescriptor();
  if (descriptor < 0) return false;
  iovec piece = {bytes.data(), bytes.size()};
  const ssize_t read =
      preadv2(descriptor, &piece, 1, static_cast<off_t>(offset), RWF_NOWAIT);
  if (read < 0 && errno == EOPNOTSUPP) return Read(offset, bytes).ok();
  return read >= 0 && static_cast<size_t>(read) == bytes.size();
}

void RandomFile::StartRead(uint64_t offset, size_t count) const {
  const int descriptor = file_->NativeDescriptor();
  if (descriptor < 0) return;
  posix_fadvise(descriptor, static_cast<off_t>(offset),
                static_cast<off_t>(count), POSIX_FADV_WILLNEED);
}

absl::StatusOr<absl::string_view> RandomFile::View(uint64_t offset,
                                                   size_t count) {
  SLUICE_RETURN_IF_ERROR(CheckRange(offset, count));
  if (offset < window_at_ || offset + count > window_at_ + window_.size()) {
    const size_t wanted = std::min<uint64_t>(
        size_ - offset, std::max(count, size_t{kWindowBytes}));
    // A piece above the common size is given back with the next read.
    if (window_.capacity() > 2 * std::max(wanted, size_t{kWindowBytes})) {
      std::string().swap(window_);
    }
    window_.resize(wanted);
    window_at_ = offset;
    const absl::Status status = Read(offset, absl::MakeSpan(window_));
    if (!status.ok()) window_.clear();
    SLUICE_RETURN_IF_ERROR(status);
  }
  return absl::string_view(window_).substr(offset - window_at_, count);
}

absl::Status RandomFile::CheckRange(uint64_t offset, uint64_t count) const {
  if (offset <= size_ && count <= size_ - offset) return absl::OkStatus();
  return Damaged(
      name_, absl::StrCat(count, " bytes at byte ", offset, " of its ", size_));
}

absl::Status RandomFile::Read(uint64_t offset, absl::Span<char> bytes) const {
  SLUICE_RETURN_IF_ERROR(CheckRange(offset, bytes.size()));
  const IoResult<size_t> read = ReadUpToAt(*file_, offset, bytes);
  if (!read.ok()) return IoError("read", name_, read.error);
  return read.value == bytes.size()
             ? absl::OkStatus()
             : Damaged(name_, "it was truncated while it was read");
}

}  // namespace badger
}  // namespace sluice
