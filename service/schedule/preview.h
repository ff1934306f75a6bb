#ifndef SLUICE_SERVICE_SCHEDULE_PREVIEW_H_
#define SLUICE_SERVICE_SCHEDULE_PREVIEW_H_

// The next times of a plan as people read them, with what a change of the clock
// does to each.
//
// Example:
//
//   for (const PlannedTime& time : PreviewTimes(schedule, now, 5)) {
//     time.local;  // "2027-03-28T03:00:00+02:00"
//     time.zone;   // "CEST"
//     time.utc;    // "2027-03-28T01:00:00Z"
//     time.note;   // "02:30 does not exist on 2027-03-28: runs at 03:00 CEST"
//   }
//
// Any thread; nothing fails. Allocates.

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "sluice/service/schedule/cron.h"

namespace sluice::service {

struct PlannedTime {
  absl::Time nominal;
  std::string local;
  std::string zone;
  std::string utc;
  // Empty where no clock changes.
  std::string note;
};

// The first `count` times after `after`; fewer where the years end.
std::vector<PlannedTime> PreviewTimes(const Schedule& schedule,
                                      absl::Time after, int count);

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_SCHEDULE_PREVIEW_H_
