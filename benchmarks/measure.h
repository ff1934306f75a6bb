#ifndef SLUICE_BENCHMARKS_MEASURE_H_
#define SLUICE_BENCHMARKS_MEASURE_H_

// How every benchmark here measures: never a time alone, always a ratio to a
// reference that ran just before or just after it.
//
//   ComparePairs(state, {bytes, pairs}, [&] { return SecondsOfReference(); },
//                [&] { return SecondsOfSubject(); });
//
// Other work on the machine, a warm or a throttled processor then strike both
// sides alike. The figure is the median of the pairs' ratios; its spread (the
// lowest and the highest) says how far to trust it.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "benchmark/benchmark.h"

namespace sluice::benchmarks {

// How much is measured. `brief` is for a check of a minute: fewer bytes, fewer
// pairs, the same code.
struct Effort {
  bool brief = false;

  int pairs() const { return brief ? 3 : 9; }
  uint64_t Scale(uint64_t bytes) const { return brief ? bytes / 8 : bytes; }
};

struct Spread {
  double median = 0;
  double low = 0;
  double high = 0;
};

// Of at least one value.
Spread SpreadOf(std::vector<double> values);
// The value that a share of `fraction` (0 to 1) does not exceed.
double Percentile(std::vector<double> values, double fraction);

double MonotonicSeconds();
// Processor time that the calling thread, or the whole process, has used.
double ThreadCpuSeconds();
double ProcessCpuSeconds();

// A benchmark that times itself, once.
template <typename Function>
void Register(const std::string& name, Function run) {
  benchmark::RegisterBenchmark(name.c_str(), run)
      ->Iterations(1)
      ->UseManualTime()
      ->Unit(benchmark::kMillisecond);
}

// Runs `reference` and `subject` in interleaved pairs; each returns the seconds
// it took for `bytes` bytes. Sets the manual time of `state` (one iteration)
// and its counters: ratio, low, high (speed of the subject as a multiple of the
// reference's; spread over the pairs), GiBps and reference_GiBps (medians).
struct PairOptions {
  uint64_t bytes = 0;
  int pairs = 9;
};
void ComparePairs(benchmark::State& state, const PairOptions& options,
                  absl::FunctionRef<double()> reference,
                  absl::FunctionRef<double()> subject);

// Registers a case that measures itself: one iteration, its own time; `label`
// follows its figures.
void RegisterCase(const std::string& name, const std::string& label,
                  std::function<void(benchmark::State&)> run);

// Ends the process with `what` and the status: a benchmark that can't work has
// no figure.
void DieUnlessOk(const absl::Status& status, absl::string_view what);

// Runs what was registered, prints one table, and returns main's exit code.
int RunAndPrintTable(int argc, char** argv);

}  // namespace sluice::benchmarks

#endif  // SLUICE_BENCHMARKS_MEASURE_H_
