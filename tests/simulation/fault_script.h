#ifndef SLUICE_TESTS_SIMULATION_FAULT_SCRIPT_H_
#define SLUICE_TESTS_SIMULATION_FAULT_SCRIPT_H_

// What goes wrong, and at which step of which party.
//
//   FaultScript script(&scheduler, cancel);
//   script.Plan(Party::kPlace, 7, FaultKind::kAfter);
//   absl::Status status = script.Around(Party::kPlace, "commit", [&] {
//     return inner.Commit();
//   });
//
// Every step of a party has a number, from 1. A first run without a plan counts
// them. Thread-safe.

#include <atomic>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "sluice/tests/simulation/sim_scheduler.h"

namespace sluice {

enum class Party { kStore, kPlace, kCatalog };
inline constexpr Party kAllParties[] = {Party::kStore, Party::kPlace,
                                        Party::kCatalog};
absl::string_view PartyName(Party party);

enum class FaultKind {
  kBefore,  // fails, and nothing was done
  kAfter,   // was done, and the answer is lost
  kCancel,  // the user cancels right before
  kGone,    // this party answers nothing but errors from here on
};
inline constexpr FaultKind kAllFaultKinds[] = {
    FaultKind::kBefore, FaultKind::kAfter, FaultKind::kCancel,
    FaultKind::kGone};
absl::string_view FaultKindName(FaultKind kind);

struct PlannedFault {
  Party party;
  int64_t step;
  FaultKind kind;
};

class FaultScript {
 public:
  // Borrows the scheduler. `cancel` is what the user's cancel does.
  FaultScript(SimScheduler* scheduler, std::function<void()> cancel)
      : scheduler_(scheduler), cancel_(std::move(cancel)) {}

  // Before the run.
  void Plan(const PlannedFault& fault) { plan_.push_back(fault); }

  // A step of `party`: others may go on first, then `call`, or a fault.
  absl::Status Around(Party party, absl::string_view what,
                      absl::FunctionRef<absl::Status()> call);

  int64_t steps(Party party) const {
    return counts_[static_cast<int>(party)].load();
  }
  bool struck() const { return struck_.load(); }

  // The error that a planned fault answers; its message begins with
  // kInjectedText.
  static absl::Status Injected(Party party, bool lost);

 private:
  const PlannedFault* Next(Party party);

  SimScheduler* const scheduler_;
  const std::function<void()> cancel_;
  std::vector<PlannedFault> plan_;
  std::atomic<int64_t> counts_[3] = {};
  std::atomic<bool> gone_[3] = {};
  std::atomic<bool> struck_{false};
};

inline constexpr absl::string_view kInjectedText = "simulated fault";

}  // namespace sluice

#endif  // SLUICE_TESTS_SIMULATION_FAULT_SCRIPT_H_
