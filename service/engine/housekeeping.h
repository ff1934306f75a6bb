#ifndef SLUICE_SERVICE_ENGINE_HOUSEKEEPING_H_
#define SLUICE_SERVICE_ENGINE_HOUSEKEEPING_H_

// What has to be done now and then, whether runs succeed or not: dead jobs are
// ended, retention removes, archives are verified again, old rows go.
//
// Example:
//
//   Housekeeping housekeeping(catalog, host, {.owner = "host/42"});
//   housekeeping.EndDeadJobs(context);  // each minute
//   housekeeping.DailyPass(context);
//
// One thread at a time; beside any other process. Both block for catalog and
// repos. What fails is told, and the next pass tries again.

#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sluice/base/clock.h"
#include "sluice/catalog/catalog.h"
#include "sluice/executor/context.h"
#include "sluice/plugins/host/plugin_host.h"
#include "sluice/service/engine/steady_clock_watch.h"

namespace sluice::service {

struct HousekeepingOptions {
  std::string owner;  // "host/pid", for people who look at what writes
  absl::Duration keep_jobs = absl::Hours(24 * 30);
  absl::Duration keep_events = absl::Hours(24 * 30);
  absl::Duration keep_firings = absl::Hours(24 * 400);
  // Of notifications that were given up.
  absl::Duration keep_notifications = absl::Hours(24 * 30);
  Clock* clock = Clock::Real();
  // Told of what could not be done, and of what. May be empty.
  std::function<void(absl::string_view what, const absl::Status&)> on_problem;
};

class Housekeeping {
 public:
  // Borrows catalog and host.
  Housekeeping(Catalog* catalog, PluginHost* host, HousekeepingOptions options);

  // Ends running jobs that nobody runs any more: from the catalog alone where
  // their process is provably gone and had not begun to publish, else by what
  // the repo says.
  void EndDeadJobs(const Context& context);
  // Retention in every repo that a plan writes to, and a job for what the plans'
  // rules want verified today. Jobs, events and firings that are old enough go
  // with it, or with the next EndDeadJobs for which the clock has been steady.
  void DailyPass(const Context& context);

 private:
  void Tell(absl::string_view what, const absl::Status& status);
  void AskForVerification(const Context& context,
                          const std::vector<PlanTarget>& targets);
  void DeleteOldRows(const Context& context);
  void ReconcileRepo(const Context& context, const std::string& repo_id);

  Catalog* const catalog_;
  PluginHost* const host_;
  const HousekeepingOptions options_;
  SteadyClockWatch watch_;
  bool old_rows_wait_ = false;
};

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_ENGINE_HOUSEKEEPING_H_
