#ifndef SLUICE_BASE_TESTING_ENVIRONMENT_H_
#define SLUICE_BASE_TESTING_ENVIRONMENT_H_

// What the environment says of how much a test tries. Test code only.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "absl/strings/numbers.h"

namespace sluice {

// The number that variable `name` holds; `otherwise` where it holds none.
inline uint64_t NumberFromEnvironment(const char* name, uint64_t otherwise) {
  uint64_t value = 0;
  const char* const text = std::getenv(name);
  return text != nullptr && absl::SimpleAtoi(text, &value) ? value : otherwise;
}

// Of all faults, one in so many is tried: 1 where nothing is said, as in `bazel
// test` and `./check --full`; more in `./check`, and many more where sanitizers
// run (.bazelrc).
inline int64_t FaultStride() {
  return std::max<int64_t>(NumberFromEnvironment("SLUICE_FAULT_STRIDE", 1), 1);
}

// Whether this build takes many times as long for everything: a sanitizer's, or
// one that counts lines.
inline bool IsSlowBuild() { return FaultStride() > 10; }

// Where a walk in steps of FaultStride() begins, below it: another in each run,
// so that many runs meet each fault. Printed; SLUICE_FAULT_FIRST repeats it.
inline int64_t FirstFault() {
  static const int64_t first = [] {
    const int64_t stride = FaultStride();
    const uint64_t chosen =
        NumberFromEnvironment("SLUICE_FAULT_FIRST", std::random_device{}());
    if (stride > 1) {
      std::printf("SLUICE_FAULT_FIRST=%lld: one fault in %lld\n",
                  static_cast<long long>(chosen % stride),
                  static_cast<long long>(stride));
    }
    return static_cast<int64_t>(chosen % stride);
  }();
  return first;
}

}  // namespace sluice

#endif  // SLUICE_BASE_TESTING_ENVIRONMENT_H_
