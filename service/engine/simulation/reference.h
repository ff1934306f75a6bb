#ifndef SLUICE_SERVICE_ENGINE_SIMULATION_REFERENCE_H_
#define SLUICE_SERVICE_ENGINE_SIMULATION_REFERENCE_H_

// When a plan is due, found without the scheduler's own arithmetic: the clock of
// a zone is looked at in each minute of real time, and the latest minute that
// it has shown is remembered, as Vixie's daemon does.

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace sluice::service {

// A schedule as its meaning; fields that are empty mean each value. One with a
// period is @every.
struct SimSchedule {
  std::string text;
  std::set<int> minutes;
  std::set<int> hours;
  std::set<int> days;      // of the month
  std::set<int> weekdays;  // 0 is Sunday
  bool real_time = false;  // the hours began with "*"
  absl::Duration period;
  absl::Time anchor;  // of a period
};

class SimReference {
 public:
  // Of times in (begin, end]; both whole minutes.
  SimReference(absl::Time begin, absl::Time end) : begin_(begin), end_(end) {}

  // All of them, ascending.
  std::vector<absl::Time> Times(const SimSchedule& schedule,
                                absl::TimeZone zone);
  // Whether `time`, wherever it lies, is one.
  static bool IsDue(const SimSchedule& schedule, absl::TimeZone zone,
                    absl::Time time);

 private:
  // The minutes that the zone's clock shows, counted from 1970 as if it never
  // changed; from a day before `begin_`.
  const std::vector<int64_t>& Shown(absl::TimeZone zone);

  const absl::Time begin_;
  const absl::Time end_;
  std::map<std::string, std::vector<int64_t>> shown_;
};

// Whether the zone's clock shows a time in the window "HH:MM-HH:MM".
bool InWindow(absl::string_view window, absl::TimeZone zone, absl::Time time);

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_ENGINE_SIMULATION_REFERENCE_H_
