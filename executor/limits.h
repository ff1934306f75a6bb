#ifndef SLUICE_EXECUTOR_LIMITS_H_
#define SLUICE_EXECUTOR_LIMITS_H_

// How much a run takes from a source beside its bytes. All of it ends up in the
// manifest, whose readers accept no less: destinations/archive/format/limits.h
// holds the two together.

#include <cstddef>

namespace sluice {

inline constexpr size_t kMaxCounts = 1000;
inline constexpr size_t kMaxMetadataEntries = 10000;
inline constexpr size_t kMaxMetadataBytes = size_t{1} << 20;  // keys and values
inline constexpr size_t kMaxMetadataNameBytes = 256;  // and that of a count
// With the one that says how many more there were.
inline constexpr int kMaxWarnings = 1000;
inline constexpr size_t kMaxWarningCodeBytes = 64;
inline constexpr size_t kMaxWarningMessageBytes = 1024;
inline constexpr size_t kMaxPayloadIdBytes = 1024;

}  // namespace sluice

#endif  // SLUICE_EXECUTOR_LIMITS_H_
