#ifndef SLUICE_SERVICE_RETENTION_WANTED_H_
#define SLUICE_SERVICE_RETENTION_WANTED_H_

// What the rules want, and whether the store seems to have shrunk. Private to
// retention.

#include <vector>

#include "absl/types/optional.h"
#include "sluice/service/retention/chains.h"
#include "sluice/service/retention/retention.h"

namespace sluice::service {

// The reasons of one archive, in the order of their kinds.
using RetentionReasons = std::vector<RetentionReason>;

// Adds to each archive, by its place in `chains`, the rules that want it.
void AddWantedReasons(const RetentionInput& input, const ArchiveChains& chains,
                      std::vector<RetentionReasons>& reasons);

// Why removal is suspended where the newest full archive shrank.
absl::optional<RetentionSuspension> FindShrink(const RetentionInput& input,
                                               const ArchiveChains& chains);

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_RETENTION_WANTED_H_
