#ifndef SLUICE_DESTINATIONS_ARCHIVE_READ_VERIFY_H_
#define SLUICE_DESTINATIONS_ARCHIVE_READ_VERIFY_H_

// Reads a whole archive and proves it: names, sizes, SHA256SUMS, every
// segment's SHA-256, the XXH3-64 that the source's bytes had, and payload_ids
// with hash, order and count. No object may be missing, and none of ours may be
// there that the manifest does not name. Files that no version of Sluice makes
// (.DS_Store, a note, .nfs...) are told, and are no damage.
//
// Example:
//
//   SLUICE_ASSIGN_OR_RETURN(
//       const Manifest manifest,
//       VerifyArchive(context, place, id, /*read_ahead=*/{}, nullptr));
//
// Any thread; `progress` comes on it. The place is shared for the call. Two
// threads of its own read ahead and hash, in the memory that `read_ahead` says.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/destinations/archive/object_store.h"
#include "sluice/executor/context.h"
#include "sluice/executor/models.pb.h"
#include "sluice/executor/stream/pipe.h"

namespace sluice {

// Called with payload bytes proven so far and in all, for every view.
using VerifyProgress = std::function<void(uint64_t done, uint64_t total)>;

// What is no damage, and worth a word.
struct VerifyFindings {
  std::vector<std::string> foreign_files;  // within the archive's folder
};

// The manifest, where everything is right. archive_damaged, archive_not_found,
// archive_unsupported, or the place's own error. Blocks; reads every byte once,
// about as fast as one core computes SHA-256. `findings` may be null.
absl::StatusOr<Manifest> VerifyArchive(
    const Context& context, const std::shared_ptr<ObjectStore>& store,
    absl::string_view backup_id, const PipeOptions& read_ahead,
    const VerifyProgress& progress, VerifyFindings* findings = nullptr);

}  // namespace sluice

#endif  // SLUICE_DESTINATIONS_ARCHIVE_READ_VERIFY_H_
