#ifndef SLUICE_SERVICE_ENGINE_SIMULATION_JUDGE_H_
#define SLUICE_SERVICE_ENGINE_SIMULATION_JUDGE_H_

// Whether a catalog holds what its plans were due for: nothing lost, nothing
// doubled, and for each due time that did not run a reason that is true.
//
// Judged, by a reference that does not share the scheduler's arithmetic:
//
//   - Each due time has one row, but where its plan was paused or removed; of a
//     long outage, and of what a clock that read 2030 passed over, the oldest
//     may be counted in the totals instead. The totals of a plan that was
//     removed are gone, so nothing is asked of those.
//   - What a step saw in its time, by a clock that was right, has run, or gave
//     way to another run; a clock that was wrong before or after changes none
//     of that.
//   - A row has one success at most, as many jobs as attempts, and the success
//     exactly where it says so. A job succeeded where it published, once.
//   - A failure has used up its attempts, or another would have been in vain.
//   - A missed or skipped time has a reason that the plan and the times bear
//     out. What was missed under a wrong clock says what that clock showed.
//   - Runs of a target never overlap; jobs, events and totals say the same.
//
// Not judged: whether a run that is late begins as early as it could; what was
// tried while a wrong clock was on, beyond the above; which of several times
// that are due at once the workers take first.

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

// The same for two catalogs that hold the same rows.
uint64_t FingerprintOf(Catalog& catalog);

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_ENGINE_SIMULATION_JUDGE_H_
