#ifndef SLUICE_BASE_TESTING_CRASH_STATES_H_
#define SLUICE_BASE_TESTING_CRASH_STATES_H_

// The states that a power cut can leave behind.
//
// After each event of a trace the power may go. What was synced by then is
// there. Of the rest any selection may be: the kernel and the disk write in
// whatever order they like, folder entries apart from contents, and a write may
// arrive in part. Where the selections are few all are visited; where they are
// many: everything, nothing, each prefix in order, each change alone, all but
// each one, each torn form of each write with and without the others, and then
// selections drawn from a fixed seed, up to a bound. The enumeration is the
// same at each run.
//
// States that look the same and about which the same promises were made are
// visited once.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "sluice/base/testing/crash_trace.h"

namespace sluice {

struct CrashStateOptions {
  size_t max_states_per_point = 64;
  size_t max_states = 100000;
  uint64_t seed = 1;
};

struct CrashStateView {
  size_t point = 0;  // events that had happened
  size_t marks = 0;  // promises that had been made
  CrashTree tree;
  std::string text;  // what arrived of the unsynced changes, for people
};

struct CrashStateCount {
  size_t points = 0;      // all prefixes of the trace
  size_t selections = 0;  // states built
  size_t states = 0;      // of those different and visited
  bool stopped = false;   // by the visitor or by max_states
};

// Calls `visit` for each state, in order, until it says false. `initial` is
// what was there, durably, before the first event.
CrashStateCount ForEachCrashState(
    const CrashTree& initial, const std::vector<CrashEvent>& trace,
    const CrashStateOptions& options,
    absl::FunctionRef<bool(const CrashStateView&)> visit);

}  // namespace sluice

#endif  // SLUICE_BASE_TESTING_CRASH_STATES_H_
