// Badger databases, in full. See README.md.

#include "sluice/benchmarks/badger_benchmarks.h"
#include "sluice/benchmarks/measure.h"

int main(int argc, char** argv) {
  sluice::benchmarks::RegisterBadgerBenchmarks({}, {});
  return sluice::benchmarks::RunAndPrintTable(argc, argv);
}
