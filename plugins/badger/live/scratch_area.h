#ifndef SLUICE_PLUGINS_BADGER_LIVE_SCRATCH_AREA_H_
#define SLUICE_PLUGINS_BADGER_LIVE_SCRATCH_AREA_H_

// A folder for one run's copy of a database, gone with the run.
//
//   SLUICE_ASSIGN_OR_RETURN(std::unique_ptr<ScratchArea> scratch,
//                           ScratchArea::Create("/var/tmp", {"/srv/db"}));
//   SLUICE_RETURN_IF_ERROR(scratch->CheckRoomForCopyOf({"/srv/db"}));
//   Use(scratch->path());
//
// It is PARENT/sluice-badger-XXXXXX, of mode 0700 and locked (flock) as long as
// it is in use. The kernel drops the lock of a process that is killed: Create
// removes every such folder whose lock it can take, so that what a killed run
// left goes away with the next run that uses the same parent. Others' folders
// (of other users) stay.
//
// Calls of its own, not the FileSystem seam's: flock and statvfs are not in
// that. Errors: scratch_unavailable, scratch_no_space,
// scratch_permission_denied. One thread.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace sluice {
namespace badger {

class ScratchArea {
 public:
  // `databases`: a parent that is one of these, or is in one, is refused:
  // nothing of ours may lie there.
  static absl::StatusOr<std::unique_ptr<ScratchArea>> Create(
      const std::string& parent, const std::vector<std::string>& databases);
  // Removes the folder with all that is in it.
  ~ScratchArea();
  ScratchArea(const ScratchArea&) = delete;
  ScratchArea& operator=(const ScratchArea&) = delete;

  const std::string& path() const { return path_; }
  // Whether so many bytes are free. No promise: others write there, too.
  absl::Status CheckRoom(uint64_t bytes) const;
  // The same of what a copy of a database in these folders takes: what its
  // files do, or, where their blocks can be shared (XFS, Btrfs), its open logs;
  // without its value logs where these are not copied.
  absl::Status CheckRoomForCopyOf(const std::vector<std::string>& databases,
                                  bool with_value_logs = true) const;

 private:
  ScratchArea(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}

  // Whether a file here can share the blocks of those in `folder`.
  bool SharesBlocksWith(const std::string& folder) const;

  const std::string path_;
  const int fd_;  // holds the lock
};

// What the files in `folder` take of their disk: holes do not count. Folders
// in it are passed over; 0 where it cannot be read.
uint64_t AllocatedBytes(const std::string& folder);
// Of these, what value logs take.
uint64_t AllocatedBytesOfValueLogs(const std::string& folder);
// Of these, what the write-ahead logs and the newest value log take.
uint64_t AllocatedBytesOfOpenLogs(const std::string& folder);

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_LIVE_SCRATCH_AREA_H_
