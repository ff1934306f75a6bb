#ifndef SLUICE_DESTINATIONS_ARCHIVE_FORMAT_LIMITS_H_
#define SLUICE_DESTINATIONS_ARCHIVE_FORMAT_LIMITS_H_

// The limits of the stored format, as docs/format has them (archive.md,
// manifest.md, repo.md): what a reader accepts. A writer refuses what exceeds
// them, so that no archive is published that cannot be read.

#include <cstddef>
#include <cstdint>

#include "sluice/executor/limits.h"

namespace sluice {

inline constexpr uint64_t kMaxManifestBytes = uint64_t{32} << 20;
// Objects, lists and commas outside of strings, which is what a parser's memory
// goes by: 32 MiB of "{}" would take 840 MB. The largest manifest that can be
// written has fewer.
inline constexpr uint64_t kMaxManifestValues = 600'000;
inline constexpr int kMaxSegments = 100'000;
inline constexpr uint64_t kMaxSegmentBytes = uint64_t{1} << 46;
inline constexpr size_t kMaxWarningBytes = 4'096;
inline constexpr size_t kMaxTextBytes = 1'024;  // ids, kinds, names
inline constexpr size_t kMaxManifestCounts = 10'000;
inline constexpr size_t kMaxManifestMetadataBytes = size_t{8} << 20;
inline constexpr size_t kMaxObjectNameBytes = 512;

static_assert(kMaxCounts <= kMaxManifestCounts);
static_assert(kMaxMetadataBytes <= kMaxManifestMetadataBytes);
static_assert(kMaxMetadataNameBytes <= kMaxTextBytes);
static_assert(kMaxWarningMessageBytes <= kMaxWarningBytes);

}  // namespace sluice

#endif  // SLUICE_DESTINATIONS_ARCHIVE_FORMAT_LIMITS_H_
