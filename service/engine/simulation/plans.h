#ifndef SLUICE_SERVICE_ENGINE_SIMULATION_PLANS_H_
#define SLUICE_SERVICE_ENGINE_SIMULATION_PLANS_H_

// Draws from a seed: numbers, and plans of all kinds in forty zones.

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "sluice/service/engine/simulation/world.h"

namespace sluice::service {

class SimDraw {
 public:
  explicit SimDraw(uint64_t seed) : random_(seed) {}

  int64_t Number(int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random_);
  }
  bool OneIn(int64_t count) { return Number(1, count) == 1; }
  // Between them, in whole milliseconds.
  absl::Duration Span(absl::Duration low, absl::Duration high) {
    return absl::Milliseconds(Number(absl::ToInt64Milliseconds(low),
                                     absl::ToInt64Milliseconds(high)));
  }
  template <typename T>
  const T& Any(const std::vector<T>& of) {
    return of[static_cast<size_t>(Number(0, int64_t(of.size()) - 1))];
  }
  std::mt19937_64& generator() { return random_; }

 private:
  std::mt19937_64 random_;
};

// The `index`-th plan, made at `now`.
SimPlan DrawPlan(int index, bool slow, absl::Time now, SimDraw& draw);
// Some days or weeks before clocks change somewhere.
absl::Time DrawBegin(SimDraw& draw);

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_ENGINE_SIMULATION_PLANS_H_
