#ifndef SLUICE_PLUGINS_BADGER_TESTING_STRING_FILE_H_
#define SLUICE_PLUGINS_BADGER_TESTING_STRING_FILE_H_

// Bytes in memory as a file that is read. For tests.

#include <errno.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "sluice/base/file_system.h"
#include "sluice/plugins/badger/wire/random_file.h"

namespace sluice {
namespace badger {

class StringFile final : public File {
 public:
  explicit StringFile(std::string bytes) : bytes_(std::move(bytes)) {}

  IoResult<size_t> ReadAt(uint64_t offset, absl::Span<char> buffer) override {
    if (offset >= bytes_.size()) return {0, 0};
    const size_t count =
        std::min<uint64_t>(buffer.size(), bytes_.size() - offset);
    std::memcpy(buffer.data(), bytes_.data() + offset, count);
    return {0, count};
  }
  IoResult<FileInfo> Stat() override {
    FileInfo info;
    info.type = FileInfo::Type::kRegular;
    info.size = bytes_.size();
    return {0, info};
  }

  IoResult<size_t> Read(absl::Span<char>) override { return {ENOTSUP, 0}; }
  IoResult<size_t> Write(absl::string_view) override { return {ENOTSUP, 0}; }
  IoResult<size_t> WriteAt(uint64_t, absl::string_view) override {
    return {ENOTSUP, 0};
  }
  int Truncate(uint64_t) override { return ENOTSUP; }
  int Sync() override { return ENOTSUP; }
  int SyncFileSystem() override { return ENOTSUP; }
  int Seek(uint64_t) override { return ENOTSUP; }
  int Close() override { return 0; }

 private:
  const std::string bytes_;
};

inline std::unique_ptr<RandomFile> FileOf(const std::string& bytes,
                                          const std::string& name = "bytes") {
  return std::make_unique<RandomFile>(std::make_unique<StringFile>(bytes), name,
                                      bytes.size());
}

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_TESTING_STRING_FILE_H_
