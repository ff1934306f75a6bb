#ifndef SLUICE_TESTS_FAULTS_INVARIANTS_H_
#define SLUICE_TESTS_FAULTS_INVARIANTS_H_

// What must hold after every fault: recovers as an operator would (reconcile,
// sweep), then looks for what the invariants of ARCHITECTURE.md forbid.
//
//   I1 an archive is listed if and only if it was published whole
//   I3 every job is terminal
//   I4 reconcile shows and mends what catalog and repo do not agree upon
//   I6 no temporary object outlives the grace window
//
// I2 (what was promised is there) and I5 (earlier backups) are for the caller,
// who knows what was promised; it gets the published archives.

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "sluice/base/clock.h"
#include "sluice/catalog/catalog.h"
#include "sluice/catalog/reconcile.h"
#include "sluice/destinations/archive/archive_destination.h"
#include "sluice/destinations/archive/object_store.h"

namespace sluice {

// A catalog and its repo, opened on sound parts, when every lease is over.
struct House {
  Catalog& catalog;
  std::shared_ptr<ObjectStore> place;
  std::shared_ptr<ArchiveDestination> archives;
  const BackupRepo& repo;
  Clock* clock;
};

// With --adopt and --forget.
absl::StatusOr<ReconcileReport> ReconcileAll(const House& house);

// Appends each violation, in one line, to `found`; the ids of the published
// archives.
std::set<std::string> RecoverAndCheck(const House& house,
                                      std::vector<std::string>& found);

}  // namespace sluice

#endif  // SLUICE_TESTS_FAULTS_INVARIANTS_H_
