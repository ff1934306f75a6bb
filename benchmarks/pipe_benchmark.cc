// The pipe's benchmarks, in full. See README.md.

#include "sluice/benchmarks/measure.h"
#include "sluice/benchmarks/pipe_benchmarks.h"

int main(int argc, char** argv) {
  sluice::benchmarks::RegisterPipeBenchmarks({});
  return sluice::benchmarks::RunAndPrintTable(argc, argv);
}
