#ifndef SLUICE_PLUGINS_BADGER_PROOF_H_
#define SLUICE_PLUGINS_BADGER_PROOF_H_

// Reads and verifies all of an image that a backup of it will read: every table
// and log, every value of an entry.
//
//   SLUICE_ASSIGN_OR_RETURN(const ProofTotals totals,
//                           ProveImage(*image, walk, 4, run));
//
// By ranges of keys, which up to `jobs` threads read at the same time. Memory:
// a reader (image.h) for each. Errors: those of WalkBackup (backup_walk.h); of
// several, the first that is met.

#include <cstdint>

#include "absl/status/statusor.h"
#include "sluice/plugins/badger/backup_walk.h"
#include "sluice/plugins/badger/image.h"
#include "sluice/plugins/sdk/run.h"

namespace sluice {
namespace badger {

// Of what the backup will hold.
struct ProofTotals {
  uint64_t versions = 0;
  uint64_t bytes = 0;  // of keys and values
};

absl::StatusOr<ProofTotals> ProveImage(const Image& image,
                                       const WalkOptions& walk, int jobs,
                                       const sdk::Run& run);

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_PROOF_H_
