#include "sluice/destinations/archive/protocol/fence.h"

#include "sluice/base/error.h"
#include "sluice/destinations/archive/format/limits.h"
#include "sluice/destinations/archive/format/manifest.h"
#include "sluice/destinations/archive/format/names.h"
#include "sluice/executor/ulid.h"

namespace sluice {

CommitOutcome CommitTombstone(const Context& context, ObjectStore& store,
                              absl::string_view backup_id,
                              absl::string_view reason, absl::string_view owner,
                              absl::Time now, CommitMode mode) {
  const absl::StatusOr<std::string> bytes = EncodeManifest(
      MakeTombstone(backup_id, reason, owner, FormatTimestamp(now)));
  if (!bytes.ok()) return {CommitOutcome::kAbsent, bytes.status()};
  return StoreObject(context, store, ObjectName(backup_id, kManifestFile),
                     *bytes, mode);
}

absl::StatusOr<NameState> ReadNameState(const Context& context,
                                        ObjectStore& store,
                                        absl::string_view backup_id) {
  const absl::StatusOr<std::string> bytes = ReadObject(
      context, store, ObjectName(backup_id, kManifestFile), kMaxManifestBytes);
  if (absl::IsNotFound(bytes.status())) return NameState::kFree;
  // Larger than a manifest may be: damage, and surely no tombstone.
  if (ErrorCodeOf(bytes.status()) == kArchiveDamaged)
    return NameState::kArchive;
  if (!bytes.ok()) return bytes.status();
  const absl::StatusOr<Manifest> manifest = ParseManifest(*bytes, backup_id);
  return manifest.ok() && manifest->has_tombstone() ? NameState::kTombstone
                                                    : NameState::kArchive;
}

}  // namespace sluice
