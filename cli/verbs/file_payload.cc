#include "sluice/cli/verbs/file_payload.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"

namespace sluice::cli {
namespace {

constexpr size_t kChunkBytes = size_t{1} << 20;

absl::Status CannotRead(const std::string& path, absl::string_view why) {
  return MakeError(absl::StatusCode::kNotFound, kArchiveNotFound,
                   absl::StrCat("read ", path, ": ", why));
}

}  // namespace

absl::StatusOr<std::unique_ptr<FilePayload>> FilePayload::Open(
    const Context& context, FileSystem& files, const std::string& path) {
  // O_NONBLOCK: a named pipe in the file's place must not hold us.
  auto file = files.Open(path, O_RDONLY | O_NONBLOCK, 0);
  if (!file.ok()) return CannotRead(path, strerror(file.error));
  const auto info = file.value->Stat();
  if (!info.ok()) return CannotRead(path, strerror(info.error));
  if (info.value.type != FileInfo::Type::kRegular) {
    return CannotRead(path, "it is not a regular file");
  }
  return std::unique_ptr<FilePayload>(
      new FilePayload(context, path, std::move(file.value), info.value.size));
}

absl::StatusOr<absl::string_view> FilePayload::Next() {
  SLUICE_RETURN_IF_ERROR(context_.status());
  std::string& buffer = buffers_[next_buffer_];
  next_buffer_ = (next_buffer_ + 1) % buffers_.size();
  buffer.resize(kChunkBytes);
  const auto read = file_->Read(absl::MakeSpan(buffer));
  if (!read.ok()) return CannotRead(path_, strerror(read.error));
  done_ += read.value;
  if (done_ > size_ || (read.value == 0 && done_ < size_)) {
    return MakeError(
        absl::StatusCode::kDataLoss, kArchiveDamaged,
        absl::StrCat("read ", path_, ": its length changed while it was read"));
  }
  buffer.resize(read.value);
  trailer_.size_bytes = done_;
  if (on_bytes_) on_bytes_(done_);
  return absl::string_view(buffer);
}

}  // namespace sluice::cli
