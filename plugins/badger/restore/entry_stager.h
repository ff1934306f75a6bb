#ifndef SLUICE_PLUGINS_BADGER_RESTORE_ENTRY_STAGER_H_
#define SLUICE_PLUGINS_BADGER_RESTORE_ENTRY_STAGER_H_

// Takes the entries of a chain of streams in any order and writes one Badger
// directory of them, in bounded memory.
//
//   EntryStager stager(scratch, options, run);
//   SLUICE_RETURN_IF_ERROR(stager.Begin());
//   for (...) SLUICE_RETURN_IF_ERROR(stager.Add(entry));
//   SLUICE_ASSIGN_OR_RETURN(StagedDirectory staged, stager.Finish());
//
// As long as entries ascend they go into tables at once: a single stream of
// Sluice costs one write of its bytes. The first that does not ascend makes of
// these tables the first of several sorted runs; from there on entries are
// gathered in memory, sorted and spilled; at the end all runs are merged into
// new tables. Of entries with the same key and version the last one given
// stays.
//
// `scratch` holds, at the end, the directory that staged.folder names, and
// nothing else but empty folders. After an error the caller removes all of it.
//
// One thread. Memory: memory_bytes; a frame of 256 KiB a run, of which there
// are few (some `fan_in` a tier; a tier more for each `fan_in`-fold size); a
// table's index. Disk: twice the stream where it must be merged. Errors: those
// of directory_writer.h and run_file.h; cancelled.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sluice/base/file_system.h"
#include "sluice/plugins/badger/format/entry_source.h"
#include "sluice/plugins/badger/restore/directory_writer.h"
#include "sluice/plugins/badger/sort/entry_buffer.h"
#include "sluice/plugins/badger/sort/stream_entry.h"
#include "sluice/plugins/badger/stream/live_digest.h"
#include "sluice/plugins/sdk/run.h"

namespace sluice {
namespace badger {

struct StagerOptions {
  DirectoryOptions directory;
  // What is sorted at once. Smaller: more runs.
  size_t memory_bytes = size_t{64} << 20;
  // So many runs of a tier become one of the next. At least 2.
  size_t fan_in = 32;
  // When a key counts as expired, in seconds since 1970: see live_digest.h.
  uint64_t live_at = 0;
};

struct StagedDirectory {
  std::string folder;  // in scratch
  uint64_t entries = 0;
  uint64_t max_version = 0;
  uint64_t tables = 0;
  LiveTotals live;
  uint64_t spilled_runs = 0;  // 0: the entries did ascend
};

class EntryStager {
 public:
  // Borrows `scratch`, which is empty, and `log_scratch`, where the value logs
  // lie in a folder of the same name; null: beside the tables.
  EntryStager(FileSystem& scratch, StagerOptions options, const sdk::Run& run,
              FileSystem* log_scratch = nullptr);
  ~EntryStager();

  absl::Status Begin();
  absl::Status Add(const StreamEntry& entry);
  absl::StatusOr<StagedDirectory> Finish();

 private:
  class Output;
  struct Run {
    std::string name;
    int tier = 0;
  };
  using Visitor = absl::FunctionRef<absl::Status(const StreamEntry&)>;
  // Oldest first.
  using Sources = std::vector<std::unique_ptr<EntrySource>>;

  absl::StatusOr<std::unique_ptr<Output>> OpenOutput(const std::string& name);
  absl::Status Spill();
  // Makes one run of the last `count` ones.
  absl::Status MergeLastRuns(size_t count);
  absl::StatusOr<std::string> WriteRun(const Sources& sources);
  // The newest entry of each key and version, in order.
  absl::Status ForEachMerged(const Sources& sources, Visitor visitor) const;
  absl::StatusOr<Sources> OpenRuns(size_t first) const;
  absl::Status MergeAll();
  absl::Status RemoveRuns(size_t first);

  FileSystem& scratch_;
  FileSystem* const log_scratch_;
  const StagerOptions options_;
  const sdk::Run run_;
  std::unique_ptr<Output> output_;
  bool ascending_ = true;  // so far; then output_ is the first run
  EntryBuffer buffer_;
  std::vector<Run> runs_;
  uint64_t runs_written_ = 0;
};

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_RESTORE_ENTRY_STAGER_H_
