#ifndef SLUICE_SERVICE_PLAN_PLAN_RUN_H_
#define SLUICE_SERVICE_PLAN_PLAN_RUN_H_

// A run that a plan asks for, as the queue takes it.

#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sluice/catalog/plan.pb.h"
#include "sluice/catalog/plan_store.h"

namespace sluice::service {

// A backup by `plan` into one of its repos, asked for now: whoever asks adds
// who it is, and when it may begin. Pure.
QueuedRun BackupRunOf(const Plan& plan, absl::string_view repo_id,
                      const std::string& job_id, absl::Time now);

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_PLAN_PLAN_RUN_H_
