#ifndef SLUICE_BENCHMARKS_PROCESS_MEMORY_H_
#define SLUICE_BENCHMARKS_PROCESS_MEMORY_H_

// What a piece of work costs in memory. Whole process: measure with nothing
// else under way.

#include <cstdint>

namespace sluice::benchmarks {

// The growth of the peak: begin, work, and ask. VmHWM is reset at the beginning
// (Linux 4.0 and later), so it is the peak of this work alone.
class PeakMemory {
 public:
  PeakMemory();
  // VmHWM now less the resident bytes at the beginning.
  uint64_t Bytes() const;

 private:
  uint64_t resident_before_;
};

// Bytes asked of operator new in this process so far, by any thread, and how
// often. Linking this library replaces operator new and delete.
uint64_t BytesAllocated();
uint64_t Allocations();

}  // namespace sluice::benchmarks

#endif  // SLUICE_BENCHMARKS_PROCESS_MEMORY_H_
