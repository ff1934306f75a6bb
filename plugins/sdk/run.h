#ifndef SLUICE_PLUGINS_SDK_RUN_H_
#define SLUICE_PLUGINS_SDK_RUN_H_

// Whether the run that a call belongs to may go on.
//
// Example:
//
//   while (more) {
//     SLUICE_RETURN_IF_ERROR(run.status());
//     Work();
//   }
//
// Any thread. A copyable view, valid for the call (for a writer or reader: as
// long as that lives). Costs an atomic load.

#include "absl/status/status.h"
#include "sluice/base/error.h"
#include "sluice/plugins/abi/sluice_plugin.h"

namespace sluice::sdk {

class Run {
 public:
  // Never ends.
  Run() = default;
  explicit Run(const sluice_run* run) : run_(run) {}

  // One atomic load. A plugin that works without moving data looks at least ten
  // times a second, and returns within a second once it is true.
  bool cancelled() const {
    return run_ != nullptr && SLUICE_HAS(run_, sluice_run, cancelled) &&
           run_->cancelled(run_->self) != 0;
  }
  // OK while the run may go on, else CANCELLED. The host knows the true cause.
  absl::Status status() const {
    if (!cancelled()) return absl::OkStatus();
    return MakeError(absl::StatusCode::kCancelled, kCancelled,
                     "the run was cancelled");
  }

 private:
  const sluice_run* run_ = nullptr;
};

}  // namespace sluice::sdk

#endif  // SLUICE_PLUGINS_SDK_RUN_H_
