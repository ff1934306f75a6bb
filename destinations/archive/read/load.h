#ifndef SLUICE_DESTINATIONS_ARCHIVE_READ_LOAD_H_
#define SLUICE_DESTINATIONS_ARCHIVE_READ_LOAD_H_

// A published archive's manifest, proven against its SHA256SUMS.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/destinations/archive/format/sums.h"
#include "sluice/destinations/archive/object_store.h"
#include "sluice/executor/context.h"
#include "sluice/executor/models.pb.h"

namespace sluice {

// archive_not_found where the archive is not published (or ended by a
// tombstone); archive_damaged where manifest and SHA256SUMS do not agree on
// every file; archive_unsupported where a newer Sluice wrote it. Blocking.
absl::StatusOr<Manifest> LoadManifest(const Context& context,
                                      ObjectStore& store,
                                      absl::string_view backup_id);

// The manifest alone, without the proof by SHA256SUMS: for listings.
absl::StatusOr<Manifest> LoadManifestUnproven(const Context& context,
                                              ObjectStore& store,
                                              absl::string_view backup_id);

// `cause` is that an object of a published archive is missing:
// archive_not_found where the archive was deleted meanwhile, else
// archive_damaged.
absl::Status ExplainMissing(const Context& context, ObjectStore& store,
                            absl::string_view backup_id,
                            absl::string_view file);

// archive_damaged, and what is wrong with the archive.
absl::Status ArchiveDamaged(absl::string_view backup_id,
                            absl::string_view what);

// Streams payload_ids and checks hash, order and count; OK only where all of it
// was right. Stops at the callback's first error and returns it.
absl::Status StreamPayloadIds(
    const Context& context, ObjectStore& store, const Manifest& manifest,
    const std::function<absl::Status(absl::string_view)>& callback);

}  // namespace sluice

#endif  // SLUICE_DESTINATIONS_ARCHIVE_READ_LOAD_H_
