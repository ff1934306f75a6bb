// PostgreSQL databases, in full. See README.md.

#include "sluice/benchmarks/measure.h"
#include "sluice/benchmarks/postgres_benchmarks.h"

int main(int argc, char** argv) {
  sluice::benchmarks::RegisterPostgresBenchmarks({}, {});
  return sluice::benchmarks::RunAndPrintTable(argc, argv);
}
