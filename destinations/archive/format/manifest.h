#ifndef SLUICE_DESTINATIONS_ARCHIVE_FORMAT_MANIFEST_H_
#define SLUICE_DESTINATIONS_ARCHIVE_FORMAT_MANIFEST_H_

// manifest.json: the stock proto3 JSON of Manifest, bounded and checked.
//
// What a reader refuses, the writer refuses first (EncodeManifest checks its
// own bytes by the reader's rules), so no archive is published that cannot be
// read. Fields that this version does not know are passed over; a newer
// `version` is refused. docs/format/manifest.md says the same in words.
//
// Pure functions, any thread.

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/executor/models.pb.h"

namespace sluice {

// The newest that is known, which is that of an archive with an index; without
// one an archive, and every tombstone, is still of the first.
inline constexpr uint32_t kManifestVersion = 2;
inline constexpr uint32_t kFirstManifestVersion = 1;

// The bytes of manifest.json. INVALID_ARGUMENT where `manifest` is not valid,
// RESOURCE_EXHAUSTED where it is larger than a reader accepts.
absl::StatusOr<std::string> EncodeManifest(const Manifest& manifest);

// The manifest of archive `backup_id`, valid in every rule below, or a
// tombstone (has_tombstone()). archive_damaged where it is not;
// archive_unsupported where it is of a newer version, or stored in a way
// (compression, encryption) that this version cannot read.
absl::StatusOr<Manifest> ParseManifest(absl::string_view bytes,
                                       absl::string_view backup_id);

// Cuts warnings down to what a manifest may hold; the last then says how many
// are missing.
void BoundWarnings(Manifest& manifest);

// What `sha256` must be: of the one segment, else of the segments' digests one
// after the other. Segments' digests must be IsSha256Hex.
std::string PayloadSha256(const Manifest& manifest);

// A manifest that is no archive, but the mark of who ended it.
Manifest MakeTombstone(absl::string_view backup_id, absl::string_view reason,
                       absl::string_view owner, absl::string_view created_at);

}  // namespace sluice

#endif  // SLUICE_DESTINATIONS_ARCHIVE_FORMAT_MANIFEST_H_
