#ifndef SLUICE_SERVICE_ENGINE_SERVICE_H_
#define SLUICE_SERVICE_ENGINE_SERVICE_H_

// What runs backups by itself: schedules, workers, housekeeping, over a catalog
// that other processes work on too. `sluice serve` is this with an API before
// it; a service of yours links it.
//
// Example:
//
//   ServiceOptions options;
//   options.workers = 2;
//   SLUICE_ASSIGN_OR_RETURN(const std::unique_ptr<Service> service,
//                           Service::Start(catalog, host, options));
//   AwaitSignal();
//   service->Drain(absl::Seconds(30));
//
// Thread-safe. Costs a thread for time, one for notifications, one for what
// repos are to be told of plans and pins, and one for each worker, which wait
// while there is nothing to do: four small looks at the catalog a second. A run is
// done in this process, so a plugin that crashes ends it; the next service to
// start ends the job, and tries it again.

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/random/random.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sluice/base/clock.h"
#include "sluice/base/mutex.h"
#include "sluice/base/thread.h"
#include "sluice/catalog/catalog.h"
#include "sluice/executor/context.h"
#include "sluice/plugins/host/plugin_host.h"
#include "sluice/service/engine/housekeeping.h"
#include "sluice/service/engine/presence.h"
#include "sluice/service/engine/scheduler.h"
#include "sluice/service/notify/notifier.h"
#include "sluice/service/work/job_runner.h"

namespace sluice::service {

struct ServiceOptions {
  int workers = 2;
  // This machine, as MachineOf has it: a catalog that belongs to another one is
  // waited at, and nothing is done, until somebody takes it over. Empty: it may
  // be any machine's.
  std::string machine_id;
  // Running jobs that one repo may have at the same time; 0: any number.
  size_t per_repo = 0;
  // How often a look is taken for what other processes have asked for.
  absl::Duration poll = absl::Milliseconds(250);
  absl::Duration dead_jobs_every = absl::Minutes(1);
  absl::Duration pass_every = absl::Hours(24);
  Clock* clock = Clock::Real();
  SchedulerOptions scheduler;
  JobRunnerOptions runner;
  HousekeepingOptions housekeeping;
  // Whom to tell of what; without channels, heartbeats alone are sent.
  NotifierOptions notifications;
  // Told of what cannot be done now (the catalog is away), from any thread. May
  // be empty.
  std::function<void(absl::string_view what, const absl::Status&)> on_problem;
  // Told when a job is claimed, and how it ended. May be empty.
  std::function<void(const BackupJob&)> on_job_started;
  std::function<void(const BackupJob&, const absl::Status&)> on_job_ended;
};

class Service {
 public:
  // Borrows catalog and host. resource_exhausted where there is no thread.
  static absl::StatusOr<std::unique_ptr<Service>> Start(Catalog* catalog,
                                                        PluginHost* host,
                                                        ServiceOptions options);
  // Drains, without patience.
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  // Something was asked for in this process: look at once.
  void Wake();
  // OK while schedules and workers reach the catalog; else why not, as
  // catalog_cloned.
  absl::Status health() const;
  // Jobs that run here now.
  int running() const;

  // Is there no more for those who look for a service, and claims nothing more;
  // returns when all runs here are over. Those that are
  // not after `patience` end as interrupted (shutdown). Any number of times.
  void Drain(absl::Duration patience);

 private:
  Service(Catalog* catalog, PluginHost* host, ServiceOptions options);

  // By the boot clock.
  struct Deadlines {
    absl::Duration dead_jobs = -absl::InfiniteDuration();
    absl::Duration pass = -absl::InfiniteDuration();
    absl::Time next = absl::InfinitePast();  // by the wall clock
  };

  absl::Status StartThreads();
  NotifierOptions NotifierOptionsOf() const;
  void KeepTime();
  void EndAndFire(Deadlines& deadlines);
  // Whether this machine may work on the catalog; seen anew at each call.
  bool MayWork();
  absl::Status BePresent();
  void KeepSettings();
  void Work();
  bool Claim(absl::optional<QueuedRun>& run);
  void Report(absl::string_view what, const absl::Status& status);
  // Whether the catalog changed, or time has come. Waits for a poll at most.
  bool AwaitNews(absl::Time next);

  Catalog* const catalog_;
  PluginHost* const host_;
  const ServiceOptions options_;
  absl::BitGen random_;
  Scheduler scheduler_;
  Housekeeping housekeeping_;
  JobRunner runner_;
  const std::pair<Context, Context::CancelFunction> runs_;     // of the jobs
  const std::pair<Context, Context::CancelFunction> looking_;  // of all else

  mutable Mutex mutex_;
  CondVar changed_;
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
  uint64_t woken_ ABSL_GUARDED_BY(mutex_) = 0;
  int running_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status health_ ABSL_GUARDED_BY(mutex_);
  bool may_work_ ABSL_GUARDED_BY(mutex_) = false;
  std::unique_ptr<NodePresence> presence_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<Notifier> notifier_ ABSL_GUARDED_BY(mutex_);
  // Of the thread that keeps time.
  int64_t data_version_ = -1;
  uint64_t seen_wakes_ = 0;

  std::vector<Thread> threads_;
};

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_ENGINE_SERVICE_H_
