#ifndef SLUICE_PLUGINS_MEMORY_FOLDER_FOLDER_SOURCE_H_
#define SLUICE_PLUGINS_MEMORY_FOLDER_FOLDER_SOURCE_H_

// A folder read as a memory store: memory:?load=DIR[&store_id=ID].
//
// Each regular file below DIR is a key, its path relative to DIR (raw bytes),
// with its bytes as value. A store, not a file backup: no modes, times, owners,
// links or empty folders; a file with several names is several values. Nothing
// is held: a file of any size streams through one chunk of the sink. Each file
// is read once, the folder as a whole is not frozen: for one instant of it,
// load a snapshot of the file system.
//
// What is left out or not certain is a warning, so that the run does not look
// complete (exit status 3), and is listed by name, the first 1,000 of each
// word:
//   skipped_symlink        a symlink (below DIR; DIR itself may be one)
//   skipped_special_file   a socket, a device, a FIFO
//   skipped_long_path      a path of more than 4,095 bytes
//   file_unreadable        no permission to read a file
//   folder_unreadable      no permission to list a folder
//   file_vanished          listed, and gone or another thing when it was opened
//   folder_vanished        likewise
//   file_changed           its size or time of change moved while it was read:
//                          the value is well-formed, and may mix old and new
// Errors: source_unavailable where DIR is not there, cannot be listed, or holds
// an unfinished restore; source_failed for EIO and the like: half a value is
// never passed off as one.
//
// The store id, if not given, is "folder-" and 16 hexadecimal digits: a hash of
// the machine's id (/etc/machine-id) and of DIR without symlinks. Device and
// inode numbers are left out of it: they change when a disk is mounted anew.

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "sluice/base/file_system.h"
#include "sluice/plugins/sdk/source.h"

namespace sluice {

struct FolderSourceOptions {
  std::string folder;
  std::string store_id;  // empty: derived as above
};

// Borrows `file_system`.
std::unique_ptr<sdk::Source> MakeFolderSource(FileSystem* file_system,
                                              FolderSourceOptions options);

}  // namespace sluice

#endif  // SLUICE_PLUGINS_MEMORY_FOLDER_FOLDER_SOURCE_H_
