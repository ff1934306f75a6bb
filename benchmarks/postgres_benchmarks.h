#ifndef SLUICE_BENCHMARKS_POSTGRES_BENCHMARKS_H_
#define SLUICE_BENCHMARKS_POSTGRES_BENCHMARKS_H_

// Backups and restores of a PostgreSQL database by the `sluice` command,
// against pg_dump, COPY and pg_restore of the same server: whole processes in
// interleaved pairs. See README.md.

#include <string>

#include "sluice/benchmarks/measure.h"

namespace sluice::benchmarks {

struct PostgresPlaces {
  // The command with its plugins beside it; by default that of this build.
  std::string command;
  // Of what is written: in memory, so that no disk is measured; 4 GiB of room.
  std::string folder = "/dev/shm";
  // Of the case of 8 GiB, 30 GiB of room.
  std::string large_folder = "/var/tmp";
};

// Registers the cases with Google Benchmark. Call once, before
// RunAndPrintTable. The server is started with the first case.
void RegisterPostgresBenchmarks(const Effort& effort, PostgresPlaces places);

}  // namespace sluice::benchmarks

#endif  // SLUICE_BENCHMARKS_POSTGRES_BENCHMARKS_H_
