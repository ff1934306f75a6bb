#ifndef SLUICE_DESTINATIONS_LOCAL_PLACE_PROBE_H_
#define SLUICE_DESTINATIONS_LOCAL_PLACE_PROBE_H_

// Tries out what real file systems lack: a rename (or link) that refuses to
// replace, and syncing a folder. Leaves nothing behind.

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "sluice/base/file_system.h"
#include "sluice/destinations/local/place_folder.h"

namespace sluice {

struct ProbeResult {
  bool publishes_without_replacing = false;
  bool syncs_folders = false;
  absl::Time now;  // by the file system's clock
};

// Any failure other than a lack is an error: no space, no permission, ...
absl::StatusOr<ProbeResult> ProbePlace(const PlaceFolder& place,
                                       FileSystem& root);

}  // namespace sluice

#endif  // SLUICE_DESTINATIONS_LOCAL_PLACE_PROBE_H_
