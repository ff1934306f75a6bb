#ifndef SLUICE_PLUGINS_BADGER_WIRE_RANDOM_FILE_H_
#define SLUICE_PLUGINS_BADGER_WIRE_RANDOM_FILE_H_

// A file of a Badger directory, read by position with pread(2): a file that
// another process cuts then costs an error, where a mapping would cost the
// process.
//
//   SLUICE_ASSIGN_OR_RETURN(auto file, RandomFile::Open(folder, "000001.sst"));
//   SLUICE_ASSIGN_OR_RETURN(absl::string_view header, file->View(0, 20));
//
// One thread. Memory: the largest piece asked for, at least kWindowBytes once
// View was called. Errors: source_unavailable for a file that cannot be opened
// or read; source_failed where there are fewer bytes than asked for.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "sluice/base/file_system.h"

namespace sluice {
namespace badger {

class RandomFile {
 public:
  static constexpr size_t kWindowBytes = size_t{128} << 10;

  // Regular files only.
  static absl::StatusOr<std::unique_ptr<RandomFile>> Open(
      FileSystem& folder, const std::string& name);
  RandomFile(std::unique_ptr<File> file, std::string name, uint64_t size);

  const std::string& name() const { return name_; }
  // When it was opened.
  uint64_t size() const { return size_; }

  // Replaces `bytes`. For reads without order.
  absl::Status Read(uint64_t offset, size_t count, std::string& bytes) const;
  absl::Status Read(uint64_t offset, absl::Span<char> bytes) const;

  // The same where all of it is in memory; false, and `bytes` is anything,
  // where it is not, or the file has no descriptor, or there is an error. Waits
  // for no disk, except where the file system cannot tell (tmpfs, which has
  // none).
  bool ReadIfCached(uint64_t offset, absl::Span<char> bytes) const;
  // Begins to bring these bytes into memory and waits for none of them. Advice.
  void StartRead(uint64_t offset, size_t count) const;

  // For reads that mostly go forward: reads ahead. The view lives until the
  // next call.
  absl::StatusOr<absl::string_view> View(uint64_t offset, size_t count);

 private:
  absl::Status CheckRange(uint64_t offset, uint64_t count) const;

  std::unique_ptr<File> file_;
  std::string name_;
  uint64_t size_;
  std::string window_;
  uint64_t window_at_ = 0;
};

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_WIRE_RANDOM_FILE_H_
