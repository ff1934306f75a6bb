// Whole runs, in full. See README.md.

#include "sluice/benchmarks/measure.h"
#include "sluice/benchmarks/run_benchmarks.h"

int main(int argc, char** argv) {
  sluice::benchmarks::RegisterRunBenchmarks({}, {});
  return sluice::benchmarks::RunAndPrintTable(argc, argv);
}
