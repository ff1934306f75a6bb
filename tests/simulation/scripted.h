#ifndef SLUICE_TESTS_SIMULATION_SCRIPTED_H_
#define SLUICE_TESTS_SIMULATION_SCRIPTED_H_

// The parties of a simulated run: a store that follows a script, and decorators
// that make a step of every call to a place and to a job store.

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "sluice/destinations/archive/object_store.h"
#include "sluice/executor/backupable.h"
#include "sluice/executor/job_store.h"
#include "sluice/tests/simulation/fault_script.h"

namespace sluice {

// Writes its pieces, one a step, and can misbehave. As a target it stages what
// it reads and shows it only at the end.
class ScriptedStore final : public Backupable {
 public:
  enum class Manner {
    kProper,
    kReturnsWithoutEnd,
    kThrows,
    kSwallowsErrors,  // goes on after a failed write, then says that all is
                      // well
    kHangs,           // does not return before Free() once it is cancelled
  };

  ScriptedStore(FaultScript* script, std::vector<std::string> pieces,
                Manner manner)
      : script_(script), pieces_(std::move(pieces)), manner_(manner) {}

  std::string store_kind() const override { return "memory"; }
  absl::StatusOr<StoreInfo> Describe(const Context& context) override;
  absl::Status Backup(const Context& context, BackupBase* base,
                      PayloadSink& sink) override;
  absl::Status Restore(const Context& context, absl::string_view store_id,
                       absl::Span<RestorePayload> chain,
                       WarningSink& warnings) override;

  // Ends a hang, from the scheduler's main thread.
  void Free() { freed_ = true; }
  // All that the sink took.
  const std::string& written() const { return written_; }
  // All that a restore made visible.
  const std::string& content() const { return content_; }

 private:
  absl::Status WritePieces(const Context& context, PayloadSink& sink);

  FaultScript* const script_;
  const std::vector<std::string> pieces_;
  const Manner manner_;
  std::atomic<bool> freed_{false};
  std::string written_;
  std::string content_;
};

// Every call is a step of Party::kPlace.
std::shared_ptr<ObjectStore> StepEachCall(std::shared_ptr<ObjectStore> inner,
                                          FaultScript* script);

// Every call is a step of Party::kCatalog. Borrows both.
std::unique_ptr<JobStore> StepEachCall(JobStore* inner, FaultScript* script);

}  // namespace sluice

#endif  // SLUICE_TESTS_SIMULATION_SCRIPTED_H_
