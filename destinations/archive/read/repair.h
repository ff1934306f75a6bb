#ifndef SLUICE_DESTINATIONS_ARCHIVE_READ_REPAIR_H_
#define SLUICE_DESTINATIONS_ARCHIVE_READ_REPAIR_H_

// A lost or damaged sluice-repo.json, written anew from the archives: each
// manifest bears the id of its repo.
//
//   StatusOr<RepairedRepo> repaired = RepairRepo(run, store, known_id);
//   if (repaired.ok() && repaired->written) Say(repaired->repo.id);
//
// Blocking; reads every manifest. Any thread.

#include <cstdint>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/destinations/archive/object_store.h"
#include "sluice/destinations/archive/protocol/repo.h"
#include "sluice/executor/context.h"

namespace sluice {

struct RepairedRepo {
  RepoInfo repo;
  bool written = false;   // false: it was whole, and nothing was changed
  uint64_t archives = 0;  // that vouch for the id, where it was written
};

// `known_id`: the id that a catalog has for the place; empty: none. A whole
// sluice-repo.json is left alone. destination_not_found where no manifest
// vouches for an id (an empty mount point is no repo), or the place is another
// repo than `known_id`; destination_config_invalid where manifests bear
// several ids and none of them is known.
absl::StatusOr<RepairedRepo> RepairRepo(const Context& context,
                                        ObjectStore& store,
                                        absl::string_view known_id);

}  // namespace sluice

#endif  // SLUICE_DESTINATIONS_ARCHIVE_READ_REPAIR_H_
