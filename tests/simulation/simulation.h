#ifndef SLUICE_TESTS_SIMULATION_SIMULATION_H_
#define SLUICE_TESTS_SIMULATION_SIMULATION_H_

// One simulated run of one verb: the real executor, archive stage and catalog,
// on a virtual clock, with a scripted store over a scripted place, in an order
// that follows from a seed, with the faults of a plan; then recovery, and every
// invariant.
//
//   Simulation simulation(PlaceKind::kLocal);           // prepares once
//   SimResult result = simulation.Run({.seed = 7, .verb = SimVerb::kBackup});
//   EXPECT_THAT(result.violations, IsEmpty());
//
// The same case gives the same result. One thread.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "sluice/tests/simulation/fault_script.h"
#include "sluice/tests/simulation/scripted.h"

namespace sluice {

enum class SimVerb { kBackup, kRestore, kDelete, kSweep, kReconcile };
inline constexpr SimVerb kAllSimVerbs[] = {SimVerb::kBackup, SimVerb::kRestore,
                                           SimVerb::kDelete, SimVerb::kSweep,
                                           SimVerb::kReconcile};
absl::string_view SimVerbName(SimVerb verb);

// The local destination over a file system in memory, or objects with S3's
// manners.
enum class PlaceKind { kLocal, kObjects };

struct SimCase {
  uint64_t seed = 0;
  SimVerb verb = SimVerb::kBackup;
  ScriptedStore::Manner manner = ScriptedStore::Manner::kProper;
  std::vector<PlannedFault> faults;

  std::string Text() const;
};

struct SimResult {
  std::vector<std::string> violations;
  int64_t steps[3] = {};  // by Party
  bool struck = false;    // a planned fault was reached
  bool succeeded = false;
  bool abandoned = false;          // the store did not return in time
  std::string code;                // of the error that the user was told
  std::vector<std::string> trace;  // every step, in order
};

class Simulation {
 public:
  explicit Simulation(PlaceKind place);
  ~Simulation();

  SimResult Run(const SimCase& sim_case) const;

 private:
  struct Prepared;
  class Attempt;
  std::unique_ptr<Prepared> prepared_;
};

}  // namespace sluice

#endif  // SLUICE_TESTS_SIMULATION_SIMULATION_H_
