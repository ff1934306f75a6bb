#ifndef SLUICE_BENCHMARKS_BADGER_BENCHMARKS_H_
#define SLUICE_BENCHMARKS_BADGER_BENCHMARKS_H_

// Backups and restores of Badger databases by the `sluice` command, against
// Debian's `badger` (2.2007): whole processes in interleaved pairs. See
// README.md.

#include <string>

#include "sluice/benchmarks/measure.h"

namespace sluice::benchmarks {

struct BadgerPlaces {
  // The command with its plugins beside it; by default that of this build.
  std::string command;
  std::string folder = "/var/tmp";  // on a disk, with some 30 GiB of room
};

// Registers the cases with Google Benchmark. Call once, before
// RunAndPrintTable.
void RegisterBadgerBenchmarks(const Effort& effort, BadgerPlaces places);

}  // namespace sluice::benchmarks

#endif  // SLUICE_BENCHMARKS_BADGER_BENCHMARKS_H_
