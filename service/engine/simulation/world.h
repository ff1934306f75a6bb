#ifndef SLUICE_SERVICE_ENGINE_SIMULATION_WORLD_H_
#define SLUICE_SERVICE_ENGINE_SIMULATION_WORLD_H_

// Services over a real catalog, whose days pass in no time, and all that
// befalls machines meanwhile: they are restarted, killed between any two calls,
// put to sleep; their clocks jump; their disk fails; people pause, cancel, ask
// for runs. What runs is played: it takes its time, fails, is cancelled,
// publishes.
//
// One thread, no real time, no randomness but the seed's: what a seed brought
// to light once, it brings to light again.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "sluice/catalog/catalog.h"
#include "sluice/service/engine/simulation/reference.h"

namespace sluice::service {

struct SimCase {
  uint64_t seed = 0;
  int plans = 0;
  int days = 0;
  // One service over a disk that fails now and then; else two services beside
  // each other, over files of the machine.
  bool faulty_disk = false;
  // Nothing more often than once a day, and less befalls.
  bool slow = false;
};

struct SimPlan {
  Plan plan;
  SimSchedule schedule;
  absl::TimeZone zone;
  absl::Duration jitter;
  absl::Time created;
  absl::optional<absl::Time> removed;
  // By the wall clock, both ends included: nobody expects anything.
  std::vector<std::pair<absl::Time, absl::Time>> paused;
};

// A step of a scheduler that came to its end.
struct SimStep {
  // Grows whenever the wall clock is set: even while it is right, odd while it
  // is wrong.
  int64_t epoch = 0;
  absl::Time wall;
};

// What was asked for, and what was seen on the way.
struct SimHistory {
  std::vector<SimPlan> plans;
  std::vector<SimStep> steps;
  bool clock_was_set = false;
  std::map<std::string, int> published;  // by job
  absl::Time begin;
  absl::Time end;  // times until here are judged; all ended well after it
  std::vector<std::string> violations;
  std::map<std::string, int64_t> befell;
};

// Lives through it. The catalog as it is at last, all services gone.
class SimWorld {
 public:
  explicit SimWorld(const SimCase& sim_case);
  ~SimWorld();

  void Run();
  const SimHistory& history() const;
  // Opens it for a look; no fault strikes any more.
  Catalog* catalog();

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_ENGINE_SIMULATION_WORLD_H_
