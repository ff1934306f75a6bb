#ifndef SLUICE_PLUGINS_BADGER_STREAM_BACKUP_SPOOL_H_
#define SLUICE_PLUGINS_BADGER_STREAM_BACKUP_SPOOL_H_

// What an increment would send, in a scratch file, until it is known that it
// will be sent.
//
//   SLUICE_ASSIGN_OR_RETURN(auto spool, BackupSpool::Create(folder, "name"));
//   BackupStreamWriter writer(spool->AsOutput());
//   ...
//   SLUICE_RETURN_IF_ERROR(spool->CopyTo(output));
//
// Never synced, because nobody looks for it after a crash; what a disk gives
// back is held against an XXH3 of what was written, at the end. One thread.
// Memory: a buffer of 256 KiB. Errors: scratch_unavailable.

#include <xxhash.h>

#include <functional>
#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/base/file_system.h"
#include "sluice/plugins/badger/sort/restore_file.h"

namespace sluice {
namespace badger {

class BackupSpool {
 public:
  // Replaces a file of that name. `folder` outlives the spool.
  static absl::StatusOr<std::unique_ptr<BackupSpool>> Create(
      FileSystem& folder, const std::string& name);

  // Appends; lives as long as this.
  std::function<absl::Status(absl::string_view)> AsOutput();
  // All of it, in pieces; stops at the first error of `output` and returns it.
  absl::Status CopyTo(
      absl::FunctionRef<absl::Status(absl::string_view)> output);

 private:
  struct FreeState {
    void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
  };
  using State = std::unique_ptr<XXH3_state_t, FreeState>;

  BackupSpool(FileSystem& folder, const std::string& name,
              std::unique_ptr<OutputFile> file);
  absl::Status Append(absl::string_view bytes);

  FileSystem& folder_;
  const std::string name_;
  const std::unique_ptr<OutputFile> file_;
  State written_;
};

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_STREAM_BACKUP_SPOOL_H_
