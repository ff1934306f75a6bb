#ifndef SLUICE_SERVICE_ENGINE_SIMULATION_JUDGE_H_
#define SLUICE_SERVICE_ENGINE_SIMULATION_JUDGE_H_

// Whether a catalog holds what its plans were due for: nothing lost, nothing
// doubled, and for each due time that did not run a reason that is true.

#include <cstdint>
#include <string>
#include <vector>

#include "sluice/catalog/catalog.h"
#include "sluice/service/engine/simulation/world.h"

namespace sluice::service {

struct SimVerdict {
  std::vector<std::string> violations;
  int64_t due = 0;        // times that had to have a row
  int64_t succeeded = 0;  // of rows
  int64_t failed = 0;
  int64_t interrupted = 0;
  int64_t skipped = 0;
  int64_t missed = 0;
  int64_t late = 0;  // rows that ran after their time
};

SimVerdict Judge(Catalog& catalog, const SimHistory& history);

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_ENGINE_SIMULATION_JUDGE_H_
