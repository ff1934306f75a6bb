// Schedules against a reference that knows nothing of fields, jumps or gaps: it
// does what Vixie's daemon does, looks at the clock each minute of real time,
// and remembers the latest minute that the clock has shown.

#include <cstdlib>
#include <iostream>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "gtest/gtest.h"
#include "sluice/service/schedule/schedule_testing.h"

namespace sluice::service {
namespace {

constexpr int kDays = 3;

// A field as text, and what it means.
struct Field {
  std::string text;
  std::set<int> values;
  bool star = false;
};

class Draw {
 public:
  explicit Draw(uint64_t seed) : random_(seed) {}

  int Number(int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(random_);
  }
  bool OneIn(int count) { return Number(1, count) == 1; }

  Field AnyField(int low, int high, int stars) {
    Field field;
    if (stars > 0 && !OneIn(stars)) {
      field.text = "*";
      field.star = true;
      AddAll(low, high, 1, field);
      return field;
    }
    std::vector<std::string> items;
    for (int count = Number(1, 3); count > 0; --count) {
      const int first = Number(low, high);
      const int last = Number(first, high);
      const int step = Number(1, (high - low) / 2);
      switch (Number(1, 4)) {
        case 1:
          items.push_back(absl::StrCat(first));
          field.values.insert(first);
          break;
        case 2:
          items.push_back(absl::StrCat(first, "-", last));
          AddAll(first, last, 1, field);
          break;
        case 3:
          items.push_back(absl::StrCat(first, "-", last, "/", step));
          AddAll(first, last, step, field);
          break;
        default:
          items.push_back(absl::StrCat("*/", step));
          field.star = field.star || items.size() == 1;
          AddAll(low, high, step, field);
      }
    }
    field.text = absl::StrJoin(items, ",");
    return field;
  }

 private:
  static void AddAll(int first, int last, int step, Field& field) {
    for (int value = first; value <= last; value += step) {
      field.values.insert(value);
    }
  }

  std::mt19937_64 random_;
};

struct Reference {
  Field minute, hour, day, month, weekday;

  std::string text() const {
    return absl::StrCat(minute.text, " ", hour.text, " ", day.text, " ",
                        month.text, " ", weekday.text);
  }

  bool Names(absl::CivilMinute shown) const {
    if (minute.values.count(shown.minute()) == 0) return false;
    if (hour.values.count(shown.hour()) == 0) return false;
    if (month.values.count(shown.month()) == 0) return false;
    const int number =
        (static_cast<int>(absl::GetWeekday(absl::CivilDay(shown))) + 1) % 7;
    const bool on_day = day.values.count(shown.day()) > 0;
    const bool on_weekday = weekday.values.count(number) > 0 ||
                            (number == 0 && weekday.values.count(7) > 0);
    return day.star || weekday.star ? on_day && on_weekday
                                    : on_day || on_weekday;
  }

  // The times in (begin, begin + minutes].
  std::vector<absl::Time> TimesIn(absl::Time begin, int minutes,
                                  absl::TimeZone zone) const {
    const bool wild = minute.star || hour.star;
    std::vector<absl::Time> times;
    // A day before, for what had been shown already.
    constexpr int kBefore = 24 * 60;
    absl::CivilMinute latest =
        absl::ToCivilMinute(begin - absl::Minutes(kBefore), zone);
    for (int i = 1 - kBefore; i <= minutes; ++i) {
      const absl::Time now = begin + absl::Minutes(i);
      const absl::CivilMinute shown = absl::ToCivilMinute(now, zone);
      bool due = wild && Names(shown);
      for (; latest < shown; ++latest) {
        due = due || (!wild && Names(latest + 1));
      }
      if (due && i > 0) times.push_back(now);
    }
    return times;
  }
};

Reference AnySchedule(Draw& draw) {
  Reference schedule;
  schedule.minute = draw.AnyField(0, 59, draw.OneIn(2) ? 2 : 0);
  schedule.hour = draw.AnyField(0, 23, draw.OneIn(2) ? 2 : 0);
  schedule.day = draw.AnyField(1, 31, 3);
  schedule.month = draw.AnyField(1, 12, 8);
  schedule.weekday = draw.AnyField(0, 7, 3);
  return schedule;
}

// Near a change of the clock where the zone has some.
absl::Time AnyTime(absl::TimeZone zone, Draw& draw) {
  const absl::Time time = absl::FromUnixSeconds(
      int64_t{60} * draw.Number(14 * 525960, 70 * 525960));
  absl::TimeZone::CivilTransition change;
  if (!zone.NextTransition(time, &change)) return time;
  const absl::Time about = absl::FromCivil(change.to, zone);
  return about - absl::Minutes(draw.Number(0, kDays * 24 * 60));
}

// Fewer in a sanitizer's build, as of simulations.
int Schedules() {
  const char* given = std::getenv("SLUICE_SIM_SEEDS");
  int count = 0;
  return given != nullptr && absl::SimpleAtoi(given, &count) ? count : 400;
}

uint64_t Seed() {
  const char* given = std::getenv("SLUICE_SCHEDULE_SEED");
  uint64_t seed = 0;
  if (given == nullptr || !absl::SimpleAtoi(given, &seed)) {
    seed = std::random_device()();
  }
  std::cout << "SLUICE_SCHEDULE_SEED=" << seed << std::endl;
  return seed;
}

TEST(ReferenceTest, RandomSchedulesInRandomZonesDoWhatVixiesDaemonDoes) {
  Draw draw(Seed());
  const std::vector<std::string> zones = TimeZoneNames();
  ASSERT_FALSE(zones.empty());
  int64_t compared = 0;
  for (int i = 0; i < Schedules(); ++i) {
    const std::string name =
        zones[static_cast<size_t>(draw.Number(0, int(zones.size()) - 1))];
    const absl::TimeZone zone = ZoneNamed(name);
    const Reference reference = AnySchedule(draw);
    const auto schedule = Schedule::Parse(reference.text(), zone);
    // Some 30 2.
    if (!schedule.ok()) continue;
    const absl::Time begin = AnyTime(zone, draw);
    const absl::Time end = begin + absl::Hours(kDays * 24);
    const std::vector<absl::Time> expected =
        reference.TimesIn(begin, kDays * 24 * 60, zone);
    SCOPED_TRACE(absl::StrCat(reference.text(), " in ", name, " from ",
                              TextOf(begin, zone)));

    std::vector<absl::Time> forward;
    for (absl::Time time = schedule->Next(begin); time <= end;
         time = schedule->Next(time)) {
      forward.push_back(time);
    }
    ASSERT_EQ(forward, expected);
    std::vector<absl::Time> backward;
    for (absl::Time time = schedule->Previous(end + absl::Seconds(1));
         time > begin; time = schedule->Previous(time)) {
      backward.insert(backward.begin(), time);
    }
    ASSERT_EQ(backward, expected);
    ASSERT_EQ(schedule->Count(begin, end),
              static_cast<int64_t>(expected.size()));
    // From any instant between, too.
    const absl::Time between =
        begin + absl::Seconds(draw.Number(0, kDays * 86400));
    int64_t until = 0;
    for (absl::Time time : expected) until += time <= between ? 1 : 0;
    ASSERT_EQ(schedule->Count(begin, between), until) << TextOf(between);
    ASSERT_EQ(schedule->Count(between, end),
              static_cast<int64_t>(expected.size()) - until)
        << TextOf(between);
    compared += static_cast<int64_t>(expected.size());
  }
  std::cout << compared << " times compared" << std::endl;
  EXPECT_GT(compared, 1000);
}

}  // namespace
}  // namespace sluice::service
