#include "sluice/service/engine/simulation/reference.h"

#include "absl/strings/numbers.h"
#include "absl/time/civil_time.h"

namespace sluice::service {
namespace {

constexpr int kMinutesOfDay = 24 * 60;

int64_t ShownAt(absl::TimeZone zone, absl::Time time) {
  return absl::ToCivilMinute(time, zone) - absl::CivilMinute(1970);
}

std::vector<int64_t> ShownIn(absl::TimeZone zone, absl::Time begin,
                             absl::Time end) {
  std::vector<int64_t> shown;
  for (absl::Time time = begin - absl::Hours(24); time <= end;
       time += absl::Minutes(1)) {
    shown.push_back(ShownAt(zone, time));
  }
  return shown;
}

bool Has(const std::set<int>& field, int value) {
  return field.empty() || field.count(value) > 0;
}

bool Names(const SimSchedule& schedule, int64_t shown) {
  const int minute = static_cast<int>(shown % kMinutesOfDay);
  if (!Has(schedule.minutes, minute % 60)) return false;
  if (!Has(schedule.hours, minute / 60)) return false;
  const int64_t day = shown / kMinutesOfDay;
  // The first of 1970 was a Thursday.
  return Has(schedule.weekdays, static_cast<int>((day + 4) % 7)) &&
         (schedule.days.empty() ||
          Has(schedule.days, (absl::CivilDay(1970) + day).day()));
}

// The times of which `shown` tells, the first of its minutes being `first`, and
// the first day of it being for what had been shown already.
std::vector<absl::Time> TimesOf(const SimSchedule& schedule,
                                const std::vector<int64_t>& shown,
                                absl::Time first) {
  std::vector<absl::Time> times;
  int64_t latest = shown[0];
  for (size_t i = 1; i < shown.size(); ++i) {
    bool due = schedule.real_time && Names(schedule, shown[i]);
    for (; latest < shown[i]; ++latest) {
      due = due || (!schedule.real_time && Names(schedule, latest + 1));
    }
    if (due && i > kMinutesOfDay) {
      times.push_back(first + absl::Minutes(static_cast<int64_t>(i)));
    }
  }
  return times;
}

int MinuteOf(absl::string_view text) {
  int hour = 0;
  int minute = 0;
  (void)absl::SimpleAtoi(text.substr(0, 2), &hour);
  (void)absl::SimpleAtoi(text.substr(3, 2), &minute);
  return hour * 60 + minute;
}

}  // namespace

std::vector<absl::Time> SimReference::Times(const SimSchedule& schedule,
                                            absl::TimeZone zone) {
  if (schedule.period == absl::ZeroDuration()) {
    return TimesOf(schedule, Shown(zone), begin_ - absl::Hours(24));
  }
  std::vector<absl::Time> times;
  for (absl::Time time = schedule.anchor; time <= end_;
       time += schedule.period) {
    if (time > begin_) times.push_back(time);
  }
  return times;
}

bool SimReference::IsDue(const SimSchedule& schedule, absl::TimeZone zone,
                         absl::Time time) {
  if (schedule.period > absl::ZeroDuration()) {
    absl::Duration rest;
    absl::IDivDuration(time - schedule.anchor, schedule.period, &rest);
    return rest == absl::ZeroDuration();
  }
  const absl::Time before = time - absl::Minutes(1);
  return !TimesOf(schedule, ShownIn(zone, before, time),
                  before - absl::Hours(24))
              .empty();
}

const std::vector<int64_t>& SimReference::Shown(absl::TimeZone zone) {
  std::vector<int64_t>& shown = shown_[zone.name()];
  if (shown.empty()) shown = ShownIn(zone, begin_, end_);
  return shown;
}

bool InWindow(absl::string_view window, absl::TimeZone zone, absl::Time time) {
  const int minute = static_cast<int>(ShownAt(zone, time) % kMinutesOfDay);
  const int begin = MinuteOf(window);
  const int end = MinuteOf(window.substr(6));
  return begin < end ? begin <= minute && minute < end
                     : begin <= minute || minute < end;
}

}  // namespace sluice::service
