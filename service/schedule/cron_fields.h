#ifndef SLUICE_SERVICE_SCHEDULE_CRON_FIELDS_H_
#define SLUICE_SERVICE_SCHEDULE_CRON_FIELDS_H_

// The five fields of a cron line as sets of bits, and which minutes of the
// calendar they name. Knows no zone: a minute here is what a clock on the wall
// shows. Pure.
//
// All searches jump: by months that are not named, then by days and hours, each
// a bit to find. None takes more than the 4,800 months after which the calendar
// repeats itself, and for most schedules it is one.

#include <cstdint>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"

namespace sluice::service {

// Bit n of a set is the value n. Sunday is weekday 0.
struct CronFields {
  uint64_t minutes = 0;
  uint32_t hours = 0;
  uint32_t days = 0;
  uint32_t months = 0;
  uint32_t weekdays = 0;
  // The field begins with "*". Vixie's rules go by the text, not by the set.
  bool any_minute = false;
  bool any_hour = false;
  bool any_day = false;
  bool any_weekday = false;
};

// Whether there is such a date at all: not on February 30.
bool EverMatches(const CronFields& fields);

// The first one from `from` on, itself included.
absl::optional<absl::CivilMinute> FirstMatch(const CronFields& fields,
                                             absl::CivilMinute from);
// The last one until `until`, itself included.
absl::optional<absl::CivilMinute> LastMatch(const CronFields& fields,
                                            absl::CivilMinute until);

// How many there are in [from, until). Takes a step for each month between.
int64_t CountMatches(const CronFields& fields, absl::CivilMinute from,
                     absl::CivilMinute until);

// The shortest distance of two of them, as if each day were one of theirs.
absl::Duration ShortestDistance(const CronFields& fields);

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_SCHEDULE_CRON_FIELDS_H_
