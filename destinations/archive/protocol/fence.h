#ifndef SLUICE_DESTINATIONS_ARCHIVE_PROTOCOL_FENCE_H_
#define SLUICE_DESTINATIONS_ARCHIVE_PROTOCOL_FENCE_H_

// The fence: `manifest.json` is a write-once register, and whoever writes it
// first decides whether there is an archive.
//
// A writer publishes by committing its manifest there; who ends a dead attempt
// commits a tombstone. Only who has won the name may delete what lies beside
// it. Delete replaces a manifest by a tombstone in one step, so an archive is
// unlisted before its first byte goes, and the name is never free again while
// an answer could still be under way. Blocking; any thread.

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sluice/destinations/archive/object_store.h"
#include "sluice/destinations/archive/protocol/object_io.h"
#include "sluice/executor/context.h"

namespace sluice {

// Commits a tombstone under the archive's manifest name. `mode` kIfAbsent: to
// end an attempt that is not published (kTaken: somebody was first). kReplace:
// to unpublish.
CommitOutcome CommitTombstone(const Context& context, ObjectStore& store,
                              absl::string_view backup_id,
                              absl::string_view reason, absl::string_view owner,
                              absl::Time now, CommitMode mode);

enum class NameState {
  kFree,       // no manifest: never published, or being written
  kTombstone,  // ended
  kArchive,    // published; the manifest may be damaged or of a newer version
};

// What lies under the archive's manifest name.
absl::StatusOr<NameState> ReadNameState(const Context& context,
                                        ObjectStore& store,
                                        absl::string_view backup_id);

}  // namespace sluice

#endif  // SLUICE_DESTINATIONS_ARCHIVE_PROTOCOL_FENCE_H_
