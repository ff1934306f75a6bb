#ifndef SLUICE_SERVICE_RETENTION_FLOORS_H_
#define SLUICE_SERVICE_RETENTION_FLOORS_H_

// What holds archives whatever the rules say. Private to retention.

#include <vector>

#include "sluice/service/retention/chains.h"
#include "sluice/service/retention/retention.h"
#include "sluice/service/retention/wanted.h"

namespace sluice::service {

// Adds the floors that hold an archive whatever becomes of the others: newest,
// newest verified, pinned, in use. What is in use holds all that it builds on.
void AddFloorReasons(const RetentionInput& input, const ArchiveChains& chains,
                     std::vector<RetentionReasons>& reasons);

// Takes from `goes` what is a base of something that stays, and adds why.
void AddBaseReasons(const ArchiveChains& chains,
                    std::vector<RetentionReasons>& reasons,
                    std::vector<bool>& goes);

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_RETENTION_FLOORS_H_
