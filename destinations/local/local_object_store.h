#ifndef SLUICE_DESTINATIONS_LOCAL_LOCAL_OBJECT_STORE_H_
#define SLUICE_DESTINATIONS_LOCAL_LOCAL_OBJECT_STORE_H_

// Named objects in a folder of a file system.
//
// Object `a/b` is the file a/b below the folder, mode 0600; folders that it
// needs are made with mode 0700 and removed with their last object. Nothing
// else is touched: what was there keeps its mode, and what cannot be an object
// is not listed. Names never lead out of the folder, also where somebody put a
// symlink into it.
//
// A committed object is whole and survives a power cut (object_file.h says
// how): one sync of the file and one of its folder, and one of the parent for
// the first object of a folder. A file system that cannot sync folders (SMB) is
// refused unless `allow_unsynced` is set; then Describe says that commits are
// not durable.
//
// Thread-safe. Also safe beside other processes on the same folder: of several
// kIfAbsent commits to one name exactly one wins. Errors: errors.h. Those with
// destination_io_error, destination_no_space and destination_unreachable may go
// away when the call is repeated; a failed writer is to be begun anew.
//
//   LocalObjectStore store({"/mnt/backups"});
//   auto writer = store.Begin(run, "a/payload.bin", 0);
//   if (!writer.ok()) return writer.status();
//   SLUICE_RETURN_IF_ERROR((*writer)->Write("..."));
//   SLUICE_RETURN_IF_ERROR((*writer)->Commit(sdk::CommitMode::kIfAbsent));

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/base/clock.h"
#include "sluice/base/file_system.h"
#include "sluice/destinations/local/place_folder.h"
#include "sluice/plugins/sdk/place.h"
#include "sluice/plugins/sdk/run.h"

namespace sluice {

enum class WalkFor;

struct LocalOptions {
  // Absolute. May be a symlink itself.
  std::string path;
  // Danger: after a power cut a backup that was reported as made may be gone.
  bool allow_unsynced = false;
  // Neither is owned.
  FileSystem* file_system = FileSystem::Posix();
  Clock* clock = Clock::Real();
};

class LocalObjectStore final : public sdk::Place {
 public:
  // Does no I/O.
  explicit LocalObjectStore(const LocalOptions& options);

  // With `probe`: writes, renames and removes small files of temporary names,
  // and `now` is the time that the file system gave one. Without it, `now` is
  // this machine's time.
  absl::StatusOr<sdk::PlaceInfo> Describe(const sdk::Run& run,
                                          bool probe) override;
  absl::Status Create(const sdk::Run& run) override;
  absl::StatusOr<std::unique_ptr<sdk::ObjectWriter>> Begin(
      const sdk::Run& run, absl::string_view name, uint64_t size_hint) override;
  absl::StatusOr<std::unique_ptr<sdk::ObjectReader>> Open(
      const sdk::Run& run, absl::string_view name, uint64_t offset) override;
  absl::StatusOr<sdk::ObjectInfo> Stat(const sdk::Run& run,
                                       absl::string_view name) override;
  absl::Status List(const sdk::Run& run, absl::string_view prefix,
                    const Callback& callback) override;
  // UNKNOWN: it is gone, but may be back after a power cut.
  absl::Status Delete(const sdk::Run& run, absl::string_view name) override;
  // Also lists folders that nothing is in, as "folder/-".
  absl::Status ListUncommitted(const sdk::Run& run, absl::string_view prefix,
                               const Callback& callback) override;
  absl::Status AbortUncommitted(const sdk::Run& run,
                                absl::string_view upload) override;

 private:
  absl::Status Walk(const sdk::Run& run, absl::string_view prefix, WalkFor what,
                    const Callback& callback);
  absl::Status Remove(FileSystem& root, absl::string_view name);

  PlaceFolder place_;
  Clock* const clock_;
};

}  // namespace sluice

#endif  // SLUICE_DESTINATIONS_LOCAL_LOCAL_OBJECT_STORE_H_
