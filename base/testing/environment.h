#ifndef SLUICE_BASE_TESTING_ENVIRONMENT_H_
#define SLUICE_BASE_TESTING_ENVIRONMENT_H_

// What the environment says of how much a test tries. Test code only.

#include <algorithm>
#include <cstdint>
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

// Where a walk in steps of FaultStride() begins, so that over many runs each
// fault is met: below the stride. Print it.
inline int64_t FirstFault() {
  return static_cast<int64_t>(NumberFromEnvironment(
      "SLUICE_FAULT_FIRST", std::random_device{}() % FaultStride()));
}

}  // namespace sluice

#endif  // SLUICE_BASE_TESTING_ENVIRONMENT_H_
