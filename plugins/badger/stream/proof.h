#ifndef SLUICE_PLUGINS_BADGER_STREAM_PROOF_H_
#define SLUICE_PLUGINS_BADGER_STREAM_PROOF_H_

// Reads and verifies all of an image that a backup of it will read: every table
// and log, every value of an entry.
//
//   SLUICE_ASSIGN_OR_RETURN(const ProofTotals totals,
//                           ProveImage(*image, walk, 4, run));
//
// Where nothing leads into a value log, each table is read by itself; the logs
// that are replayed were read when the image was opened. Else a value may be in
// one log or, written again, in another, or, of an obsolete version, nowhere,
// and only all that is stored of its key tells: then the image is walked as the
// backup will walk it, by ranges of keys. Up to `jobs` threads read at the same
// time.
//
// Without WalkOptions::with_log_values of a value log no value is read, only
// the begin of its record: for logs that stay, of which another copy could be
// no better. The backup's walk reads the rest.
//
// What is not looked at: whether tables of one level overlap, where each was
// read by itself. The backup's own walk sees that.
//
// Memory: a table's index and a block for each thread, or a reader (image.h).
// Errors: those of WalkBackup (backup_walk.h); of several, the first that is
// met.

#include <cstdint>

#include "absl/status/statusor.h"
#include "sluice/plugins/badger/image/image.h"
#include "sluice/plugins/badger/stream/backup_walk.h"
#include "sluice/plugins/sdk/run.h"

namespace sluice {
namespace badger {

// Of what the backup will hold, at most: versions that compaction has not
// dropped yet are counted where tables were read by themselves.
struct ProofTotals {
  uint64_t versions = 0;
  uint64_t bytes = 0;  // of keys and values
};

absl::StatusOr<ProofTotals> ProveImage(const Image& image,
                                       const WalkOptions& walk, int jobs,
                                       const sdk::Run& run);

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_STREAM_PROOF_H_
