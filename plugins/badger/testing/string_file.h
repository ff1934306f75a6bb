#ifndef SLUICE_PLUGINS_BADGER_TESTING_STRING_FILE_H_
#define SLUICE_PLUGINS_BADGER_TESTING_STRING_FILE_H_

// Bytes in memory as a file that is read. For tests.

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "sluice/base/file_system.h"
#include "sluice/base/read_only_file_system.h"
#include "sluice/plugins/badger/wire/random_file.h"

namespace sluice {
namespace badger {

// Of `bytes` from `offset` on what fits; how many.
inline size_t CopyAt(absl::string_view bytes, uint64_t offset,
                     absl::Span<char> buffer) {
  if (offset >= bytes.size()) return 0;
  return bytes.copy(buffer.data(), buffer.size(), offset);
}

inline FileInfo RegularFile(uint64_t size) {
  FileInfo info;
  info.type = FileInfo::Type::kRegular;
  info.size = size;
  return info;
}

class StringFile final : public ReadOnlyFile {
 public:
  explicit StringFile(std::string bytes) : bytes_(std::move(bytes)) {}

  IoResult<size_t> ReadAt(uint64_t offset, absl::Span<char> buffer) override {
    return {0, CopyAt(bytes_, offset, buffer)};
  }
  IoResult<FileInfo> Stat() override { return {0, RegularFile(bytes_.size())}; }

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
