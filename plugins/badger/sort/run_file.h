#ifndef SLUICE_PLUGINS_BADGER_SORT_RUN_FILE_H_
#define SLUICE_PLUGINS_BADGER_SORT_RUN_FILE_H_

// A sorted run of entries in a scratch file: written once, read once, never
// synced, because nobody looks for it after a crash. Frames of some hundred
// KiB, each under a CRC-32C: what a disk gives back is not taken on trust.
//
//   SLUICE_ASSIGN_OR_RETURN(auto writer, RunWriter::Create(folder, "run-1"));
//   for (...) SLUICE_RETURN_IF_ERROR(writer->Add(entry));
//   SLUICE_RETURN_IF_ERROR(writer->Finish());
//   SLUICE_ASSIGN_OR_RETURN(auto run, OpenRun(folder, "run-1"));
//   SLUICE_RETURN_IF_ERROR(run->Seek(""));
//
// One thread each. Memory: a frame (256 KiB, or one entry) and the file's
// buffer. Errors: those of restore_file.h; source_failed for a damaged frame.

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sluice/base/file_system.h"
#include "sluice/plugins/badger/format/entry_source.h"
#include "sluice/plugins/badger/sort/restore_file.h"
#include "sluice/plugins/badger/sort/stream_entry.h"

namespace sluice {
namespace badger {

class RunWriter {
 public:
  static absl::StatusOr<std::unique_ptr<RunWriter>> Create(
      FileSystem& folder, const std::string& path);

  // Entries ascend.
  absl::Status Add(const StreamEntry& entry);
  absl::Status Finish();

 private:
  explicit RunWriter(std::unique_ptr<OutputFile> file)
      : file_(std::move(file)) {}

  absl::Status CloseFrame();

  std::unique_ptr<OutputFile> file_;
  std::string frame_;
};

absl::StatusOr<std::unique_ptr<EntrySource>> OpenRun(FileSystem& folder,
                                                     const std::string& path);

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_SORT_RUN_FILE_H_
