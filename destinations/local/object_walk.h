#ifndef SLUICE_DESTINATIONS_LOCAL_OBJECT_WALK_H_
#define SLUICE_DESTINATIONS_LOCAL_OBJECT_WALK_H_

// Lists what lies below a place's folder, in the byte order of whole names.
//
// What is not ours is passed over unread: names that no object can have
// (lost+found, any that is longer than a name may be, at any depth), symlinks,
// sockets. What vanishes while it is looked at was not there. A folder below
// the place that cannot be read hides no other: it is listed as the object
// "folder/-" of no size, which cannot be opened, and the walk goes on. Memory:
// the entries of the folders on the way to the current one.

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "sluice/base/file_system.h"
#include "sluice/destinations/local/place_folder.h"
#include "sluice/plugins/sdk/place.h"
#include "sluice/plugins/sdk/run.h"

namespace sluice {

enum class WalkFor {
  kObjects,
  // Temporary files, by the name of the object that they were meant for, and
  // folders that nothing is in, as "folder/-": a writer may have died between
  // making the folder and the file, and for which object, nobody knows.
  kUncommitted,
};

absl::Status WalkObjects(const PlaceFolder& place, FileSystem& root,
                         const sdk::Run& run, absl::string_view prefix,
                         WalkFor what, const sdk::Place::Callback& callback);

}  // namespace sluice

#endif  // SLUICE_DESTINATIONS_LOCAL_OBJECT_WALK_H_
