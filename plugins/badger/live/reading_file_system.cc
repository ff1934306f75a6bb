#include "sluice/plugins/badger/live/reading_file_system.h"

#include <errno.h>
#include <fcntl.h>

#include "absl/types/span.h"

namespace sluice {
namespace badger {
namespace {

class ReadingFile final : public ReadOnlyFile {
 public:
  ReadingFile(std::unique_ptr<File> inner, const sdk::Run& run)
      : inner_(std::move(inner)), run_(run) {}

  IoResult<size_t> Read(absl::Span<char> buffer) override {
    if (run_.cancelled()) return IoResult<size_t>::Failed(ECANCELED);
    return inner_->Read(buffer);
  }
  IoResult<size_t> ReadAt(uint64_t offset, absl::Span<char> buffer) override {
    if (run_.cancelled()) return IoResult<size_t>::Failed(ECANCELED);
    return inner_->ReadAt(offset, buffer);
  }
  // None once the run is cancelled: who reads by it asks again for each piece.
  int NativeDescriptor() const override {
    return run_.cancelled() ? -1 : inner_->NativeDescriptor();
  }
  IoResult<FileInfo> Stat() override { return inner_->Stat(); }
  int Seek(uint64_t offset) override { return inner_->Seek(offset); }
  int Close() override { return inner_->Close(); }

 private:
  const std::unique_ptr<File> inner_;
  const sdk::Run run_;
};

}  // namespace

IoResult<std::unique_ptr<File>> ReadingFileSystem::Open(const std::string& path,
                                                        int flags,
                                                        uint32_t mode) {
  using Opened = IoResult<std::unique_ptr<File>>;
  if (run_.cancelled()) return Opened::Failed(ECANCELED);
  if ((flags & O_ACCMODE) != O_RDONLY || (flags & (O_CREAT | O_TRUNC)) != 0) {
    return Opened::Failed(EROFS);
  }
  Opened opened = inner_->Open(path, flags, mode);
  if (!opened.ok()) return opened;
  return {0, std::make_unique<ReadingFile>(std::move(opened.value), run_)};
}

IoResult<FileInfo> ReadingFileSystem::Stat(const std::string& path) {
  if (run_.cancelled()) return IoResult<FileInfo>::Failed(ECANCELED);
  return inner_->Stat(path);
}

IoResult<std::vector<DirectoryEntry>> ReadingFileSystem::List(
    const std::string& path) {
  if (run_.cancelled()) {
    return IoResult<std::vector<DirectoryEntry>>::Failed(ECANCELED);
  }
  return inner_->List(path);
}

IoResult<std::unique_ptr<FileSystem>> ReadingFileSystem::Beneath(
    const std::string& folder) {
  using Opened = IoResult<std::unique_ptr<FileSystem>>;
  if (run_.cancelled()) return Opened::Failed(ECANCELED);
  Opened opened = inner_->Beneath(folder);
  if (!opened.ok()) return opened;
  return {0,
          std::make_unique<ReadingFileSystem>(std::move(opened.value), run_)};
}

IoResult<uint64_t> ReadingFileSystem::LargestFile(const std::string& path) {
  return inner_->LargestFile(path);
}

}  // namespace badger
}  // namespace sluice
