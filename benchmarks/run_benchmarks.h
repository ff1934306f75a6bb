#ifndef SLUICE_BENCHMARKS_RUN_BENCHMARKS_H_
#define SLUICE_BENCHMARKS_RUN_BENCHMARKS_H_

// Whole runs: backup, restore, verify, their memory and their fixed cost.
// README.md says what each figure means.

#include <string>

#include "sluice/benchmarks/measure.h"

namespace sluice::benchmarks {

struct RunFolders {
  std::string memory = "/dev/shm";  // a tmpfs
  std::string disk = "/var/tmp";    // on a disk
};

// Registers the cases with Google Benchmark. Call once, before
// RunAndPrintTable.
void RegisterRunBenchmarks(const Effort& effort, const RunFolders& folders);

}  // namespace sluice::benchmarks

#endif  // SLUICE_BENCHMARKS_RUN_BENCHMARKS_H_
