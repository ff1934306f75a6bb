#ifndef SLUICE_SERVICE_SCHEDULE_SCHEDULE_TESTING_H_
#define SLUICE_SERVICE_SCHEDULE_SCHEDULE_TESTING_H_

// What the tests of this room write times and schedules with.

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "sluice/service/schedule/cron.h"
#include "sluice/service/schedule/zone.h"

namespace sluice::service {

inline absl::TimeZone ZoneNamed(absl::string_view name) {
  const auto zone = FindTimeZone(name);
  EXPECT_TRUE(zone.ok()) << zone.status();
  return zone.value_or(absl::UTCTimeZone());
}

// One that is known to parse.
inline Schedule ScheduleOf(absl::string_view text,
                           absl::Time anchor = absl::UnixEpoch()) {
  auto schedule = Schedule::Parse(text, absl::UTCTimeZone(), anchor);
  EXPECT_TRUE(schedule.ok()) << text << ": " << schedule.status();
  return schedule.ok() ? *schedule : *Schedule::Parse("@daily");
}

// "2027-03-28T03:00:00+02:00".
inline absl::Time TimeOf(absl::string_view text) {
  absl::Time time;
  std::string error;
  EXPECT_TRUE(absl::ParseTime(absl::RFC3339_full, text, &time, &error))
      << text << ": " << error;
  return time;
}

inline std::string TextOf(absl::Time time,
                          absl::TimeZone zone = absl::UTCTimeZone()) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%S%Ez", time, zone);
}

// The first `count` times after `after`, in the schedule's zone.
inline std::vector<std::string> TimesAfter(const Schedule& schedule,
                                           absl::string_view after, int count) {
  std::vector<std::string> times;
  absl::Time time = TimeOf(after);
  while (count-- > 0) {
    time = schedule.Next(time);
    times.push_back(TextOf(time, schedule.zone()));
  }
  return times;
}

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_SCHEDULE_SCHEDULE_TESTING_H_
