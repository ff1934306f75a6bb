#ifndef SLUICE_BASE_READ_ONLY_FILE_SYSTEM_H_
#define SLUICE_BASE_READ_ONLY_FILE_SYSTEM_H_

// Base classes of files and file systems that are only read: every call that
// would change something answers EROFS. What is left to write is the reading.

#include <errno.h>

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "sluice/base/file_system.h"

namespace sluice {

// Read by position, unless Read and Seek are overridden: without a place of its
// own that it is at, a file may be read by several threads.
class ReadOnlyFile : public File {
 public:
  IoResult<size_t> Read(absl::Span<char>) override { return {ESPIPE, 0}; }
  int Seek(uint64_t) override { return ESPIPE; }
  int Close() override { return 0; }

  IoResult<size_t> Write(absl::string_view) final { return {EROFS, 0}; }
  IoResult<size_t> WriteAt(uint64_t, absl::string_view) final {
    return {EROFS, 0};
  }
  int Truncate(uint64_t) final { return EROFS; }
  int Sync() final { return EROFS; }
  int SyncFileSystem() final { return EROFS; }
};

class ReadOnlyFileSystem : public FileSystem {
 public:
  int Rename(const std::string&, const std::string&) final { return EROFS; }
  int RenameNoReplace(const std::string&, const std::string&) final {
    return EROFS;
  }
  int Link(const std::string&, const std::string&) final { return EROFS; }
  int Unlink(const std::string&) final { return EROFS; }
  int MakeDirectory(const std::string&, uint32_t) final { return EROFS; }
  int RemoveDirectory(const std::string&) final { return EROFS; }
  int SyncDirectory(const std::string&) final { return EROFS; }
};

}  // namespace sluice

#endif  // SLUICE_BASE_READ_ONLY_FILE_SYSTEM_H_
