#ifndef SLUICE_BENCHMARKS_PIPE_BENCHMARKS_H_
#define SLUICE_BENCHMARKS_PIPE_BENCHMARKS_H_

// The pipe alone: throughput by copy and by view, hand-off latency, processor
// time while blocked, and the pipe with a hash behind it. README.md says what
// each figure means.

#include "sluice/benchmarks/measure.h"

namespace sluice::benchmarks {

// Registers the cases with Google Benchmark. Call once, before
// RunAndPrintTable.
void RegisterPipeBenchmarks(const Effort& effort);

}  // namespace sluice::benchmarks

#endif  // SLUICE_BENCHMARKS_PIPE_BENCHMARKS_H_
