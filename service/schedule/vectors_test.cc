// Schedules against what croner and cron-parser give around each clock change
// of each zone from 2024 to 2034. testdata/README.md says what differs, and
// why; here each difference must be one of those.

#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "sluice/service/schedule/schedule_testing.h"

namespace sluice::service {
namespace {

using Minutes = std::vector<int>;

struct Change {
  std::string zone_name;
  absl::TimeZone zone;
  absl::Time at;
  int gap = 0;  // minutes; negative where time is repeated
  // This machine's tzdata has it, too.
  bool known = false;
};

struct Looked {
  int before = 0;  // minutes
  int after = 0;
};

int NumberOf(absl::string_view text) {
  int number = 0;
  EXPECT_TRUE(absl::SimpleAtoi(text, &number)) << text;
  return number;
}

std::vector<std::string> LinesOf(const std::string& name) {
  std::ifstream file("service/schedule/testdata/" + name);
  EXPECT_TRUE(file.good()) << name;
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line.front() != '#') lines.push_back(line);
  }
  return lines;
}

Change ChangeOf(const std::vector<std::string>& words) {
  Change change;
  change.zone_name = words.at(2);
  int64_t seconds = 0;
  EXPECT_TRUE(absl::SimpleAtoi(words.at(3), &seconds));
  change.at = absl::FromUnixSeconds(seconds);
  const int before = NumberOf(words.at(4));
  const int after = NumberOf(words.at(5));
  change.gap = (after - before) / 60;
  const auto zone = FindTimeZone(change.zone_name);
  if (!zone.ok()) return change;
  change.zone = *zone;
  change.known = zone->At(change.at - absl::Seconds(1)).offset == before &&
                 zone->At(change.at).offset == after;
  return change;
}

// "-5,0+30*3": -5, 0, 30, 60.
Minutes MinutesOf(absl::string_view text) {
  Minutes minutes;
  for (absl::string_view run : absl::StrSplit(text, ',', absl::SkipEmpty())) {
    const size_t plus = run.find('+');
    const size_t times = run.find('*');
    int time = NumberOf(run.substr(0, plus));
    int count = 1;
    int step = 0;
    if (plus != absl::string_view::npos) {
      step = NumberOf(run.substr(plus + 1, times - plus - 1));
      count = NumberOf(run.substr(times + 1));
    }
    for (; count > 0; --count, time += step) minutes.push_back(time);
  }
  return minutes;
}

std::vector<int> NumbersOf(absl::string_view ranges) {
  std::vector<int> numbers;
  for (absl::string_view range : absl::StrSplit(ranges, ',')) {
    const std::vector<absl::string_view> ends = absl::StrSplit(range, '-');
    for (int i = NumberOf(ends.front()); i <= NumberOf(ends.back()); ++i) {
      numbers.push_back(i);
    }
  }
  return numbers;
}

int MinutesBetween(absl::Time from, absl::Time to) {
  return static_cast<int>((to - from) / absl::Minutes(1));
}

Minutes OursAround(const Schedule& schedule, const Change& change,
                   const Looked& looked) {
  Minutes minutes;
  const absl::Time end = change.at + absl::Minutes(looked.after);
  for (absl::Time time =
           schedule.Next(change.at - absl::Minutes(looked.before));
       time <= end; time = schedule.Next(time)) {
    minutes.push_back(MinutesBetween(change.at, time));
  }
  return minutes;
}

// The minutes in (from, to], counted from the change, at which a clock that is
// `offset` minutes ahead of the one before it shows what the schedule names.
Minutes Shown(const Schedule& schedule, const Change& change, int from, int to,
              int offset) {
  const absl::CivilMinute zero =
      absl::CivilMinute(
          absl::ToCivilSecond(change.at - absl::Seconds(1), change.zone) + 1) +
      offset;
  Minutes minutes;
  auto found = schedule.FirstOnTheWall(zero + from + 1, zero + to + 1);
  while (found.has_value()) {
    minutes.push_back(static_cast<int>(*found - zero));
    found = schedule.FirstOnTheWall(*found + 1, zero + to + 1);
  }
  return minutes;
}

// What any schedule would do that followed real time.
Minutes RealAround(const Schedule& schedule, const Change& change,
                   const Looked& looked) {
  Minutes minutes = Shown(schedule, change, -looked.before, -1, 0);
  const Minutes then = Shown(schedule, change, -1, looked.after, change.gap);
  minutes.insert(minutes.end(), then.begin(), then.end());
  return minutes;
}

Minutes Without(const Minutes& all, const Minutes& taken) {
  Minutes rest;
  std::set_difference(all.begin(), all.end(), taken.begin(), taken.end(),
                      std::back_inserter(rest));
  return rest;
}

// Takes those in [first, end) out.
void Drop(int first, int end, Minutes& minutes) {
  minutes.erase(std::remove_if(minutes.begin(), minutes.end(),
                               [&](int minute) {
                                 return first <= minute && minute < end;
                               }),
                minutes.end());
}

// Whether the gap leads from one day into the next.
bool GapReachesMidnight(const Change& change) {
  const absl::CivilSecond from =
      absl::ToCivilSecond(change.at - absl::Seconds(1), change.zone) + 1;
  return change.gap > 0 &&
         absl::CivilDay(from) != absl::ToCivilDay(change.at, change.zone);
}

// croner: a fixed time is one time of day. What names several follows real
// time. A gap that reaches midnight catches nothing up.
Minutes ExplainedCroner(const Schedule& schedule, const Change& change,
                        const Looked& looked, const Minutes& ours) {
  const bool one = schedule.shortest_interval() == absl::Hours(24);
  if (!one || GapReachesMidnight(change)) {
    return RealAround(schedule, change, looked);
  }
  return ours;
}

bool BeginsOnTheHour(const Change& change) {
  return absl::ToCivilSecond(change.at - absl::Seconds(1), change.zone)
             .minute() == 59;
}

// cron-parser: a skipped time may come at the end of the gap, at its own minute
// of the hour after it, or both; of a repeated one either may come. It loses a
// day whose last hour is taken, and goes astray for some hours at a gap that
// does not lead from one full hour to another.
bool ExplainsParser(const Schedule& schedule, const Change& change,
                    const Minutes& ours, const Minutes& parsers) {
  Minutes extra = Without(parsers, ours);
  Minutes missing = Without(ours, parsers);
  Minutes touched;
  if (change.gap > 0) {
    // On the old clock the gap lies right after the change.
    for (int skipped : Shown(schedule, change, -1, change.gap - 1, 0)) {
      touched.insert(touched.end(), {0, skipped % 60});
    }
    if (GapReachesMidnight(change)) Drop(-24 * 60, 0, missing);
    if (change.gap % 60 != 0 || !BeginsOnTheHour(change)) {
      Drop(-60, 120, missing);
      Drop(-60, 120, extra);
    }
  } else {
    touched = Shown(schedule, change, change.gap - 1, -1, 0);
    const Minutes again =
        Shown(schedule, change, -1, -change.gap - 1, change.gap);
    touched.insert(touched.end(), again.begin(), again.end());
  }
  std::sort(touched.begin(), touched.end());
  return Without(extra, touched).empty() && Without(missing, touched).empty();
}

TEST(VectorsTest, DifferFromTwoOtherImplementationsOnlyAsIsExplained) {
  std::map<std::string, Looked> looked_at;
  for (const std::string& line : LinesOf("schedules.txt")) {
    const std::vector<std::string> words =
        absl::StrSplit(line, absl::MaxSplits(' ', 2));
    looked_at[words.at(2)] = {NumberOf(words.at(0)), NumberOf(words.at(1))};
  }
  std::vector<Change> changes;
  int64_t compared = 0;
  int64_t as_croner = 0;
  int64_t as_parser = 0;
  int64_t failed = 0;
  int64_t unknown = 0;
  for (const std::string& line : LinesOf("vectors.txt")) {
    if (absl::StartsWith(line, "change ")) {
      changes.push_back(ChangeOf(absl::StrSplit(line, ' ')));
      unknown += changes.back().known ? 0 : 1;
      continue;
    }
    const std::vector<std::string> parts = absl::StrSplit(line, '|');
    ASSERT_EQ(parts.size(), 4) << line;
    ASSERT_EQ(looked_at.count(parts[0]), 1) << line;
    const Looked& looked = looked_at[parts[0]];
    const Minutes croners = MinutesOf(parts[1]);
    const bool parser_failed = parts[2] == "failed";
    const Minutes parsers = parts[2] == "=" ? croners
                            : parser_failed ? Minutes()
                                            : MinutesOf(parts[2]);
    for (const int number : NumbersOf(parts[3])) {
      const Change& change = changes.at(static_cast<size_t>(number));
      if (!change.known) continue;
      const auto schedule = Schedule::Parse(parts[0], change.zone);
      ASSERT_TRUE(schedule.ok()) << schedule.status();
      const Minutes ours = OursAround(*schedule, change, looked);
      ++compared;
      as_croner += ours == croners ? 1 : 0;
      failed += parser_failed ? 1 : 0;
      as_parser += !parser_failed && ours == parsers ? 1 : 0;
      EXPECT_EQ(ExplainedCroner(*schedule, change, looked, ours), croners)
          << line << " " << change.zone_name << " " << TextOf(change.at);
      EXPECT_TRUE(parser_failed || ours == parsers ||
                  ExplainsParser(*schedule, change, ours, parsers))
          << line << " " << change.zone_name << " " << TextOf(change.at)
          << ::testing::PrintToString(ours);
    }
  }
  std::cout << compared << " lists around " << changes.size() - unknown
            << " clock changes compared (" << unknown
            << " that this machine's tzdata lacks left out): " << as_croner
            << " as croner's, " << as_parser
            << " as cron-parser's, which fails at " << failed << std::endl;
  EXPECT_LT(unknown * 4, static_cast<int64_t>(changes.size()));
  EXPECT_GT(compared, 10000);
}

}  // namespace
}  // namespace sluice::service
