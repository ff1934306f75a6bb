#include "sluice/benchmarks/measure.h"

#include <time.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <utility>

namespace sluice::benchmarks {
namespace {

double Seconds(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) +
         static_cast<double>(now.tv_nsec) * 1e-9;
}

// One line a case: the ratio with its spread first, then what else it counted.
class TableReporter : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context& context) override {
    std::printf(
        "%d processors at %.0f MHz, load %.2f\n", context.cpu_info.num_cpus,
        context.cpu_info.cycles_per_second / 1e6,
        context.cpu_info.load_avg.empty() ? 0.0
                                          : context.cpu_info.load_avg.front());
    std::printf("%-34s %7s %15s %9s  %s\n", "case", "ratio", "spread", "GiB/s",
                "of / other figures");
    return true;
  }

  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) ReportRun(run);
    std::fflush(stdout);
  }

  bool failed() const { return failed_; }

 private:
  void ReportRun(const Run& run) {
    std::string name = run.run_name.function_name;
    if (run.error_occurred) {
      failed_ = true;
      std::printf("%-34s FAILED: %s\n", name.c_str(),
                  run.error_message.c_str());
      return;
    }
    std::printf("%-34s", name.c_str());
    const auto value = [&](const char* key, double* out) {
      const auto found = run.counters.find(key);
      if (found == run.counters.end()) return false;
      *out = found->second;
      return true;
    };
    double ratio, low, high, speed;
    if (value("ratio", &ratio) && value("low", &low) && value("high", &high)) {
      std::printf(" %7.2f %7.2f-%-7.2f", ratio, low, high);
    } else {
      std::printf(" %7s %15s", "", "");
    }
    if (value("GiBps", &speed)) {
      std::printf(" %9.2f", speed);
    } else {
      std::printf(" %9s", "");
    }
    std::printf("  %s", run.report_label.c_str());
    for (const auto& [key, counter] : run.counters) {
      if (key == "ratio" || key == "low" || key == "high" || key == "GiBps") {
        continue;
      }
      std::printf(" %s=%.4g", key.c_str(), counter.value);
    }
    std::printf("\n");
  }

  bool failed_ = false;
};

}  // namespace

Spread SpreadOf(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return {values[values.size() / 2], values.front(), values.back()};
}

double Percentile(std::vector<double> values, double fraction) {
  std::sort(values.begin(), values.end());
  const double rank = std::ceil(fraction * static_cast<double>(values.size()));
  const size_t at = rank < 1 ? 0 : static_cast<size_t>(rank) - 1;
  return values[std::min(at, values.size() - 1)];
}

double MonotonicSeconds() { return Seconds(CLOCK_MONOTONIC); }
double ThreadCpuSeconds() { return Seconds(CLOCK_THREAD_CPUTIME_ID); }
double ProcessCpuSeconds() { return Seconds(CLOCK_PROCESS_CPUTIME_ID); }

void ComparePairs(benchmark::State& state, const PairOptions& options,
                  absl::FunctionRef<double()> reference,
                  absl::FunctionRef<double()> subject) {
  std::vector<double> ratios, speeds, reference_speeds;
  const double gib = static_cast<double>(options.bytes) / (1 << 30);
  for (auto _ : state) {
    double total = 0;
    for (int pair = 0; pair < options.pairs; ++pair) {
      double reference_seconds, subject_seconds;
      // Each goes first in turn, so that neither always finds what the other
      // has left in the caches.
      if (pair % 2 == 0) {
        reference_seconds = reference();
        subject_seconds = subject();
      } else {
        subject_seconds = subject();
        reference_seconds = reference();
      }
      ratios.push_back(reference_seconds / subject_seconds);
      speeds.push_back(gib / subject_seconds);
      reference_speeds.push_back(gib / reference_seconds);
      total += subject_seconds;
    }
    state.SetIterationTime(total);
  }
  const Spread ratio = SpreadOf(ratios);
  state.counters["ratio"] = ratio.median;
  state.counters["low"] = ratio.low;
  state.counters["high"] = ratio.high;
  state.counters["GiBps"] = SpreadOf(speeds).median;
  state.counters["reference_GiBps"] = SpreadOf(reference_speeds).median;
}

void RegisterCase(const std::string& name, const std::string& label,
                  std::function<void(benchmark::State&)> run) {
  benchmark::RegisterBenchmark(
      name.c_str(),
      [run = std::move(run), label](benchmark::State& state) {
        run(state);
        state.SetLabel(label);
      })
      ->Iterations(1)
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond);
}

void DieUnlessOk(const absl::Status& status, absl::string_view what) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s: %s\n", std::string(what).c_str(),
               status.ToString().c_str());
  std::exit(1);
}

int RunAndPrintTable(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  TableReporter reporter;
  const size_t ran = benchmark::RunSpecifiedBenchmarks(&reporter);
  benchmark::Shutdown();
  return reporter.failed() || ran == 0 ? 1 : 0;
}

}  // namespace sluice::benchmarks
