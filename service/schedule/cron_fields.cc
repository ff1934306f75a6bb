#include "sluice/service/schedule/cron_fields.h"

#include <algorithm>
#include <bit>

namespace sluice::service {
namespace {

constexpr int kMonthsOfTheCalendar = 400 * 12;
constexpr int kMinutesOfADay = 24 * 60;

bool Has(uint64_t set, int value) { return (set >> value & 1) != 0; }
// Values from `value` on, and up to it.
uint64_t From(uint64_t set, int value) { return set & (~uint64_t{0} << value); }
uint64_t UpTo(uint64_t set, int value) {
  return set & (~uint64_t{0} >> (63 - value));
}
int Lowest(uint64_t set) { return std::countr_zero(set); }
int Highest(uint64_t set) { return 63 - std::countl_zero(set); }

// The days of `month` that are named, bit n for day n.
uint32_t DaysOf(const CronFields& fields, absl::CivilMonth month) {
  if (!Has(fields.months, month.month())) return 0;
  const absl::CivilDay first(month);
  const int64_t length = absl::CivilDay(month + 1) - first;
  // absl counts weekdays from Monday.
  const int weekday = (static_cast<int>(absl::GetWeekday(first)) + 1) % 7;
  uint64_t weeks = 0;
  for (int week = 0; week < 6; ++week) {
    weeks |= uint64_t{fields.weekdays} << (7 * week);
  }
  const uint64_t by_weekday = weeks >> weekday << 1;
  const uint64_t by_day = fields.days;
  const uint64_t named = fields.any_day || fields.any_weekday
                             ? by_day & by_weekday
                             : by_day | by_weekday;
  const uint64_t there = ((uint64_t{1} << length) - 1) << 1;
  return static_cast<uint32_t>(named & there);
}

// The first time of day from hour:minute on, in minutes; -1 where it is over.
int FirstTime(const CronFields& fields, int hour, int minute) {
  if (Has(fields.hours, hour)) {
    const uint64_t minutes = From(fields.minutes, minute);
    if (minutes != 0) return hour * 60 + Lowest(minutes);
  }
  const uint64_t hours = From(fields.hours, hour + 1);
  return hours == 0 ? -1 : Lowest(hours) * 60 + Lowest(fields.minutes);
}

int LastTime(const CronFields& fields, int hour, int minute) {
  if (Has(fields.hours, hour)) {
    const uint64_t minutes = UpTo(fields.minutes, minute);
    if (minutes != 0) return hour * 60 + Highest(minutes);
  }
  const uint64_t hours = hour == 0 ? 0 : UpTo(fields.hours, hour - 1);
  return hours == 0 ? -1 : Highest(hours) * 60 + Highest(fields.minutes);
}

// How many times of day lie before hour:minute.
int64_t TimesBefore(const CronFields& fields, int hour, int minute) {
  const auto below = [](uint64_t set, int value) {
    return std::popcount(set & ((uint64_t{1} << value) - 1));
  };
  return int64_t{below(fields.hours, hour)} * std::popcount(fields.minutes) +
         (Has(fields.hours, hour) ? below(fields.minutes, minute) : 0);
}

absl::CivilMinute At(absl::CivilMonth month, int day, int time) {
  return absl::CivilMinute(month.year(), month.month(), day, time / 60,
                           time % 60);
}

}  // namespace

bool EverMatches(const CronFields& fields) {
  // Days or weekdays: some Monday comes. Days and weekdays: each date, February
  // 29 too, has each weekday in some year.
  if (!fields.any_day && !fields.any_weekday) return true;
  constexpr int kLongest[] = {0,  31, 29, 31, 30, 31, 30,
                              31, 31, 30, 31, 30, 31};
  for (int month = 1; month <= 12; ++month) {
    if (Has(fields.months, month) && Lowest(fields.days) <= kLongest[month]) {
      return true;
    }
  }
  return false;
}

absl::optional<absl::CivilMinute> FirstMatch(const CronFields& fields,
                                             absl::CivilMinute from) {
  const absl::CivilMonth first_month(from);
  for (absl::CivilMonth month = first_month;
       month - first_month <= kMonthsOfTheCalendar; ++month) {
    uint64_t days = DaysOf(fields, month);
    if (month == first_month) days = From(days, from.day());
    for (; days != 0; days &= days - 1) {
      const int day = Lowest(days);
      const bool today = month == first_month && day == from.day();
      const int time =
          FirstTime(fields, today ? from.hour() : 0, today ? from.minute() : 0);
      if (time >= 0) return At(month, day, time);
    }
  }
  return absl::nullopt;
}

absl::optional<absl::CivilMinute> LastMatch(const CronFields& fields,
                                            absl::CivilMinute until) {
  const absl::CivilMonth last_month(until);
  for (absl::CivilMonth month = last_month;
       last_month - month <= kMonthsOfTheCalendar; --month) {
    uint64_t days = DaysOf(fields, month);
    if (month == last_month) days = UpTo(days, until.day());
    while (days != 0) {
      const int day = Highest(days);
      const bool today = month == last_month && day == until.day();
      const int time = LastTime(fields, today ? until.hour() : 23,
                                today ? until.minute() : 59);
      if (time >= 0) return At(month, day, time);
      days ^= uint64_t{1} << day;
    }
  }
  return absl::nullopt;
}

int64_t CountMatches(const CronFields& fields, absl::CivilMinute from,
                     absl::CivilMinute until) {
  if (from >= until) return 0;
  // All before a minute, counted from the first day of from's month.
  const absl::CivilMonth first_month(from);
  const int64_t a_day =
      int64_t{std::popcount(fields.hours)} * std::popcount(fields.minutes);
  const auto before = [&](absl::CivilMinute minute) {
    const absl::CivilMonth last_month(minute);
    int64_t days = 0;
    for (absl::CivilMonth month = first_month; month < last_month; ++month) {
      days += std::popcount(DaysOf(fields, month));
    }
    const uint64_t of_last = DaysOf(fields, last_month);
    days += std::popcount(UpTo(of_last, minute.day() - 1));
    return days * a_day +
           (Has(of_last, minute.day())
                ? TimesBefore(fields, minute.hour(), minute.minute())
                : 0);
  };
  return before(until) - before(from);
}

absl::Duration ShortestDistance(const CronFields& fields) {
  int first = -1;
  int last = -1;
  int shortest = kMinutesOfADay;
  for (int time = FirstTime(fields, 0, 0); time >= 0;) {
    if (first < 0) first = time;
    if (last >= 0) shortest = std::min(shortest, time - last);
    last = time;
    const int next = time + 1;
    time = next < kMinutesOfADay ? FirstTime(fields, next / 60, next % 60) : -1;
  }
  return absl::Minutes(std::min(shortest, kMinutesOfADay - last + first));
}

}  // namespace sluice::service
