#ifndef SLUICE_PLUGINS_BADGER_RESTORE_RESTORE_PUBLISH_H_
#define SLUICE_PLUGINS_BADGER_RESTORE_RESTORE_PUBLISH_H_

// How a staged directory becomes visible, and how what a killed restore left is
// told from a user's files; restore.h says the protocol, base/staged_files.h
// has the list.
//
//   if (!HoldsOnlyRemains(folder)) refuse
//   RemoveRemains(folder);
//   ... stage into kStagingFolder/NAME, synced ...
//   PublishStaged(folder, NAME);
//   after an error: RemoveRemains(folder)
//
// `folder` is the target as FileSystem::Beneath gives it. One thread. Errors:
// those of restore_file.h.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sluice/base/file_system.h"

namespace sluice {
namespace badger {

// Whether the folder holds nothing but what an unfinished restore left. The
// lost+found of a mount point does not count.
absl::StatusOr<bool> HoldsOnlyRemains(FileSystem& folder);

// Removes what an unfinished restore left, if there is any: MANIFEST first, so
// that at no time one stands there without its tables; the mark of the restore
// last.
absl::Status RemoveRemains(FileSystem& folder);

// Moves all files of kStagingFolder/`name` into the folder, MANIFEST last where
// there is one, and removes the staging folder. All is durable after it; these
// are their names. After an error nothing is visible, unless taking it away
// failed, too.
absl::StatusOr<std::vector<std::string>> PublishStaged(FileSystem& folder,
                                                       const std::string& name);

// Takes away what PublishStaged made visible.
absl::Status Unpublish(FileSystem& folder,
                       const std::vector<std::string>& names);

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_RESTORE_RESTORE_PUBLISH_H_
