// What a tick of the service costs: the next times of 10,000 plans, and what is
// to be done after years asleep. See README.md.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "benchmark/benchmark.h"
#include "sluice/benchmarks/measure.h"
#include "sluice/service/schedule/cron.h"
#include "sluice/service/schedule/due.h"
#include "sluice/service/schedule/zone.h"

namespace {

using sluice::service::Schedule;

constexpr int kPlans = 10'000;
constexpr int64_t kNow = 1'806'100'000;  // the day before Europe's change

Schedule ScheduleOf(const std::string& text, const std::string& zone) {
  const auto found = sluice::service::FindTimeZone(zone);
  sluice::benchmarks::DieUnlessOk(found.status(), zone);
  auto schedule = Schedule::Parse(text, *found);
  sluice::benchmarks::DieUnlessOk(schedule.status(), text);
  return *std::move(schedule);
}

const char* const kTexts[] = {"30 2 * * *",   "0 * * * *",
                              "*/15 * * * *", "@daily",
                              "0 3 * * 0",    "15 1 1 * *",
                              "@every 90m",   "0 */4 * * 1-5",
                              "45 23 * 12 5", "0,30 8-18 * * mon-fri"};
const char* const kZones[] = {"UTC", "Europe/Berlin", "America/New_York",
                              "Asia/Tokyo", "Australia/Lord_Howe"};

const std::vector<Schedule>& Plans() {
  static const auto* const plans = [] {
    auto* made = new std::vector<Schedule>();
    for (int i = 0; i < kPlans; ++i) {
      made->push_back(ScheduleOf(kTexts[i % 10], kZones[i / 10 % 5]));
    }
    return made;
  }();
  return *plans;
}

// The reference: from an instant to what the clock shows, and back.
void TenThousandClocks(benchmark::State& state) {
  const std::vector<Schedule>& plans = Plans();
  for (auto _ : state) {
    absl::Time now = absl::FromUnixSeconds(kNow);
    for (const Schedule& plan : plans) {
      now += absl::Seconds(1);
      benchmark::DoNotOptimize(
          absl::FromCivil(absl::ToCivilSecond(now, plan.zone()), plan.zone()));
    }
  }
}
BENCHMARK(TenThousandClocks)->Unit(benchmark::kMillisecond);

void TenThousandNextTimes(benchmark::State& state) {
  const std::vector<Schedule>& plans = Plans();
  for (auto _ : state) {
    absl::Time now = absl::FromUnixSeconds(kNow);
    for (const Schedule& plan : plans) {
      now += absl::Seconds(1);
      benchmark::DoNotOptimize(plan.Next(now));
    }
  }
}
BENCHMARK(TenThousandNextTimes)->Unit(benchmark::kMillisecond);

void TenThousandDecisions(benchmark::State& state) {
  const std::vector<Schedule>& plans = Plans();
  const absl::Time now = absl::FromUnixSeconds(kNow);
  for (auto _ : state) {
    for (const Schedule& plan : plans) {
      benchmark::DoNotOptimize(sluice::service::DecideDue(
          plan, {}, {plan.Previous(now), absl::nullopt}, now));
    }
  }
}
BENCHMARK(TenThousandDecisions)->Unit(benchmark::kMillisecond);

void NextOf(benchmark::State& state, const char* text) {
  const Schedule plan = ScheduleOf(text, "Europe/Berlin");
  absl::Time now = absl::FromUnixSeconds(kNow);
  for (auto _ : state) {
    now = plan.Next(now);
    if (now > absl::FromUnixSeconds(2 * kNow)) {
      now = absl::FromUnixSeconds(kNow);
    }
    benchmark::DoNotOptimize(now);
  }
}
BENCHMARK_CAPTURE(NextOf, each_minute, "* * * * *");
BENCHMARK_CAPTURE(NextOf, nightly, "30 2 * * *");
BENCHMARK_CAPTURE(NextOf, leap_days, "0 0 29 2 *");
BENCHMARK_CAPTURE(NextOf, leap_days_each_minute, "* * 29 2 *");
BENCHMARK_CAPTURE(NextOf, every, "@every 90m");

void TenYearsAsleep(benchmark::State& state, const char* text) {
  const Schedule plan = ScheduleOf(text, "Europe/Berlin");
  const absl::Time now = absl::FromUnixSeconds(kNow);
  for (auto _ : state) {
    benchmark::DoNotOptimize(sluice::service::DecideDue(
        plan, {}, {now - absl::Hours(24 * 3652), absl::nullopt}, now));
  }
}
BENCHMARK_CAPTURE(TenYearsAsleep, each_minute, "* * * * *")
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(TenYearsAsleep, nightly, "30 2 * * *")
    ->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
