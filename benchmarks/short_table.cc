// Every benchmark, briefly: one table in under a minute. It checks that all of
// them run; its figures are rough. See README.md.

#include "sluice/benchmarks/badger_benchmarks.h"
#include "sluice/benchmarks/measure.h"
#include "sluice/benchmarks/pipe_benchmarks.h"
#include "sluice/benchmarks/postgres_benchmarks.h"
#include "sluice/benchmarks/run_benchmarks.h"

int main(int argc, char** argv) {
  sluice::benchmarks::Effort effort;
  effort.brief = true;
  sluice::benchmarks::RegisterPipeBenchmarks(effort);
  sluice::benchmarks::RegisterRunBenchmarks(effort, {});
  sluice::benchmarks::RegisterBadgerBenchmarks(effort, {});
  sluice::benchmarks::RegisterPostgresBenchmarks(effort, {});
  return sluice::benchmarks::RunAndPrintTable(argc, argv);
}
