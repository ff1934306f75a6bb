#ifndef SLUICE_EXECUTOR_STREAM_PAYLOAD_ID_SPOOL_H_
#define SLUICE_EXECUTOR_STREAM_PAYLOAD_ID_SPOOL_H_

// Collects payload ids in any order and gives them back sorted and distinct, in
// bounded memory: what does not fit is sorted in runs, written to one file that
// has no name any more, and merged.
//
//   PayloadIdSpool spool({.scratch_dir = "/tmp"});
//   spool.Add("block-7"); spool.Add("block-3"); spool.Add("block-7");
//   spool.Finish([] { return absl::OkStatus(); });
//   spool.count();                             // 2
//   spool.ForEach([](absl::string_view id) { ...; return absl::OkStatus(); });
//
// Memory: `run_bytes`, and while it merges `fan_in` times 32 KiB. Disk: nothing
// for fewer ids than fit in `run_bytes`; else the ids two times, and once more
// for each further factor of `fan_in`. Each id costs two bytes beside its own.
//
// For one thread at a time. Errors: INVALID_ARGUMENT for an id that is not
// valid; resource_exhausted where the scratch folder is full;
// scratch_unavailable where it can't be used. After an error of the scratch
// folder all that follows answers with it.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "sluice/base/file_system.h"

namespace sluice {

// OK for 1 to 1,024 bytes without control bytes (below 0x20, and 0x7f): one id
// is one line in the archive's payload_ids.
absl::Status CheckPayloadId(absl::string_view id);

class PayloadIdSpool {
 public:
  struct Options {
    std::string scratch_dir;            // empty: $TMPDIR, else /tmp
    FileSystem* file_system = nullptr;  // null: the machine's
    size_t run_bytes = size_t{4} << 20;
    size_t fan_in = 64;  // runs merged at once, at least 2
  };

  explicit PayloadIdSpool(Options options);
  ~PayloadIdSpool();
  PayloadIdSpool(const PayloadIdSpool&) = delete;
  PayloadIdSpool& operator=(const PayloadIdSpool&) = delete;

  // Before Finish. Mostly a copy; now and then sorts and writes a run.
  absl::Status Add(absl::string_view id);
  // Sorts and merges; asks `poll` now and then and stops at its error.
  absl::Status Finish(const std::function<absl::Status()>& poll);

  // After Finish, any number of times. ForEach stops at the first error of
  // `callback` and returns it; the id lives until the callback returns.
  uint64_t count() const { return count_; }
  absl::Status ForEach(
      const std::function<absl::Status(absl::string_view)>& callback) const;

 private:
  // A sorted, distinct sequence of ids in the file.
  struct Run {
    uint64_t offset = 0;
    uint64_t bytes = 0;
    uint64_t count = 0;
  };
  class RunReader;
  class RunWriter;

  absl::string_view IdAt(uint32_t offset) const;
  void SortBuffer();
  absl::Status OpenFile();
  absl::Status Spill();
  absl::StatusOr<Run> Merge(absl::Span<const Run> runs,
                            const std::function<absl::Status()>& poll);
  absl::Status Compact(size_t level);
  absl::Status MergeAll(const std::function<absl::Status()>& poll);
  absl::Status Fail(absl::Status status);

  const Options options_;
  absl::Status failed_;
  // Ids that are not in the file yet: length (two bytes), then bytes; and where
  // each begins.
  std::vector<char> buffer_;
  std::vector<uint32_t> offsets_;
  std::unique_ptr<File> file_;  // opened with the first run
  uint64_t file_end_ = 0;
  // levels_[n] holds runs of about run_bytes * fan_in^n, fewer than fan_in.
  std::vector<std::vector<Run>> levels_;
  uint64_t count_ = 0;
  Run result_;  // after Finish, if there is a file
};

}  // namespace sluice

#endif  // SLUICE_EXECUTOR_STREAM_PAYLOAD_ID_SPOOL_H_
