#ifndef SLUICE_EXECUTOR_STREAM_INDEX_SPOOL_H_
#define SLUICE_EXECUTOR_STREAM_INDEX_SPOOL_H_

// The index of a backup (PayloadSink::WriteIndex) between the source that
// writes it beside its payload and the destination that stores it after.
//
//   IndexSpool spool(scratch_dir);
//   spool.Append(bytes);
//   spool.ForEachChunk([](absl::string_view bytes) { ... });
//
// Memory: two buffers of 64 KiB. Disk: none while it is shorter than one; else
// its bytes, in a file without a name. One thread at a time. Errors: those of
// scratch_file.h.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "sluice/base/file_system.h"

namespace sluice {

class IndexSpool {
 public:
  // `file_system` null: the machine's.
  explicit IndexSpool(const std::string& scratch_dir,
                      FileSystem* file_system = nullptr);

  absl::Status Append(absl::string_view bytes);
  uint64_t size() const { return stored_ + buffer_.size(); }
  // All of it, in order; stops at the callback's first error.
  absl::Status ForEachChunk(
      const std::function<absl::Status(absl::string_view)>& callback) const;

 private:
  absl::Status Flush();

  const std::string scratch_dir_;
  FileSystem* const file_system_;
  std::string buffer_;          // what follows the file's bytes
  std::unique_ptr<File> file_;  // opened when the buffer is full
  uint64_t stored_ = 0;
};

}  // namespace sluice

#endif  // SLUICE_EXECUTOR_STREAM_INDEX_SPOOL_H_
