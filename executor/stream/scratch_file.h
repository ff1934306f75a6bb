#ifndef SLUICE_EXECUTOR_STREAM_SCRATCH_FILE_H_
#define SLUICE_EXECUTOR_STREAM_SCRATCH_FILE_H_

// A file for what does not fit into memory, which nothing leaves behind: it
// loses its name as soon as it is opened.
//
// Any thread. Errors: resource_exhausted where the folder is full;
// scratch_unavailable where it can't be used.

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/base/file_system.h"

namespace sluice {

// FOLDER/PREFIX and something random. `what` begins every message: "spool
// payload ids".
absl::StatusOr<std::unique_ptr<File>> OpenScratchFile(FileSystem& file_system,
                                                      const std::string& folder,
                                                      absl::string_view prefix,
                                                      absl::string_view what);

// All of `bytes`, also where it takes several writes.
absl::Status WriteScratch(File& file, uint64_t offset, absl::string_view bytes,
                          absl::string_view what);

// What went wrong with a scratch file: "WHAT: STEP: strerror".
absl::Status ScratchError(absl::string_view what, absl::string_view step,
                          int error);

}  // namespace sluice

#endif  // SLUICE_EXECUTOR_STREAM_SCRATCH_FILE_H_
