#include "sluice/executor/stream/index_spool.h"

#include <algorithm>
#include <cerrno>
#include <vector>

#include "absl/types/span.h"
#include "sluice/base/scratch_folder.h"
#include "sluice/base/status_macros.h"
#include "sluice/executor/stream/scratch_file.h"

namespace sluice {
namespace {

constexpr size_t kBufferBytes = size_t{64} << 10;
constexpr char kSpoolIndex[] = "spool the index";

}  // namespace

IndexSpool::IndexSpool(const std::string& scratch_dir, FileSystem* file_system)
    : scratch_dir_(ScratchFolderOf(scratch_dir)),
      file_system_(file_system != nullptr ? file_system : FileSystem::Posix()) {
}

absl::Status IndexSpool::Append(absl::string_view bytes) {
  while (!bytes.empty()) {
    const absl::string_view piece =
        bytes.substr(0, kBufferBytes - buffer_.size());
    buffer_.append(piece.data(), piece.size());
    bytes.remove_prefix(piece.size());
    if (buffer_.size() == kBufferBytes) SLUICE_RETURN_IF_ERROR(Flush());
  }
  return absl::OkStatus();
}

absl::Status IndexSpool::Flush() {
  if (file_ == nullptr) {
    SLUICE_ASSIGN_OR_RETURN(
        file_, OpenScratchFile(*file_system_, scratch_dir_, "sluice-index-",
                               kSpoolIndex));
  }
  SLUICE_RETURN_IF_ERROR(WriteScratch(*file_, stored_, buffer_, kSpoolIndex));
  stored_ += buffer_.size();
  buffer_.clear();
  return absl::OkStatus();
}

absl::Status IndexSpool::ForEachChunk(
    const std::function<absl::Status(absl::string_view)>& callback) const {
  std::vector<char> chunk(file_ == nullptr ? 0 : kBufferBytes);
  for (uint64_t offset = 0; offset < stored_;) {
    const size_t want =
        static_cast<size_t>(std::min<uint64_t>(stored_ - offset, chunk.size()));
    const IoResult<size_t> got =
        file_->ReadAt(offset, absl::MakeSpan(chunk.data(), want));
    if (!got.ok() || got.value == 0) {
      return ScratchError(kSpoolIndex, "read", got.ok() ? EIO : got.error);
    }
    SLUICE_RETURN_IF_ERROR(
        callback(absl::string_view(chunk.data(), got.value)));
    offset += got.value;
  }
  return buffer_.empty() ? absl::OkStatus() : callback(buffer_);
}

}  // namespace sluice
