// serve.

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "sluice/base/clock.h"
#include "sluice/base/error.h"
#include "sluice/base/mutex.h"
#include "sluice/base/status_macros.h"
#include "sluice/cli/terminal/notify.h"
#include "sluice/cli/verbs/run_report.h"
#include "sluice/cli/verbs/serve.h"
#include "sluice/cli/verbs/verbs.h"
#include "sluice/service/engine/service.h"
#include "sluice/service/plan/span.h"

namespace sluice::cli {
namespace {

constexpr absl::Duration kDefaultDrain = absl::Seconds(30);
constexpr uint64_t kDefaultWorkers = 2;
constexpr uint64_t kMaxWorkers = 256;

void LogProblem(Console& console, absl::string_view what,
                const absl::Status& problem, absl::string_view job_id = "") {
  console.Log(LogLevel::kWarning, absl::StrCat(what, " failed"),
              {{"job_id", std::string(job_id)},
               {"error_code", ErrorCodeOf(problem)},
               {"error", std::string(problem.message())}});
}

void LogEnded(Console& console, Catalog& catalog, const BackupJob& claimed,
              const absl::Status& status) {
  const Context context = Context::WithTimeout(Context::Background(),
                                               Clock::Real(), kCatalogPatience)
                              .first;
  const absl::StatusOr<CatalogJob> row = catalog.GetJob(context, claimed.id());
  const BackupJob& job = row.ok() ? row->job : claimed;
  const absl::StatusOr<BackupRepo> repo =
      catalog.GetRepo(context, job.repo_id());
  LogJobFinished(console, repo.ok() ? repo->name() : job.repo_id(), job, status,
                 absl::Milliseconds(std::max<int64_t>(
                     job.finished_at_ms() - job.started_at_ms(), 0)));
}

service::ServiceOptions OptionsFor(Console& console, Catalog& catalog,
                                   int workers, std::atomic<bool>& abandoned) {
  service::ServiceOptions options;
  options.workers = workers;
  options.runner.owner = Owner();
  options.runner.host_name = HostName();
  options.runner.on_problem = [&console](const BackupJob& job,
                                         const absl::Status& problem) {
    LogProblem(console, "part of a job", problem, job.id());
  };
  options.runner.on_abandoned = [&abandoned](const BackupJob&) {
    abandoned = true;
  };
  options.housekeeping.owner = Owner();
  options.housekeeping.on_problem = [&console](absl::string_view what,
                                               const absl::Status& problem) {
    LogProblem(console, what, problem);
  };
  options.on_problem = options.housekeeping.on_problem;
  options.scheduler.on_unusable_plan = [&console](const Plan& plan,
                                                  const absl::Status& problem) {
    LogProblem(console, absl::StrCat("plan ", plan.name()), problem);
  };
  options.on_job_started = [&console](const BackupJob& job) {
    console.Log(LogLevel::kInfo, "job started",
                {{"job_id", job.id()},
                 {"kind", KindName(job.kind())},
                 {"plan_id", job.plan_id()},
                 {"repo_id", job.repo_id()}});
  };
  options.on_job_ended = [&console, &catalog](const BackupJob& job,
                                              const absl::Status& status) {
    LogEnded(console, catalog, job, status);
  };
  return options;
}

// Until the session's context ends, fed to the watchdog as it wants it.
void AwaitSignal(Session& session, const char* socket) {
  const absl::Duration interval =
      WatchdogInterval(session.environment()("WATCHDOG_USEC"));
  Mutex mutex;
  CondVar ended;
  const Context::Registration told =
      session.context().OnDone([&](const absl::Status&) {
        MutexLock lock(mutex);
        ended.NotifyAll();
      });
  MutexLock lock(mutex);
  while (!session.context().done()) {
    if (interval < absl::InfiniteDuration()) {
      NotifyManager(socket, "WATCHDOG=1");
    }
    Clock::Real()->WaitFor(ended, lock, interval);
  }
}

}  // namespace

absl::StatusOr<absl::Duration> DrainOf(const Command& command) {
  if (!command.Has("drain")) return kDefaultDrain;
  if (command.Get("drain") == "wait") return absl::InfiniteDuration();
  return service::ParseSpan(command.Get("drain"));
}

Outcome RunServeVerb(Session& session) {
  SLUICE_ASSIGN_OR_RETURN(const absl::Duration drain,
                          DrainOf(session.command()));
  SLUICE_ASSIGN_OR_RETURN(
      const uint64_t workers,
      session.command().GetCount("workers", kDefaultWorkers));
  if (workers > kMaxWorkers) {
    return InvalidArgument(absl::StrCat("--workers ", workers, " is too many"),
                           absl::StrCat(kMaxWorkers, " at most"));
  }
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  SLUICE_ASSIGN_OR_RETURN(PluginHost* const host, session.host());
  Console& console = session.console();
  const char* const socket = session.environment()("NOTIFY_SOCKET");
  std::atomic<bool> abandoned = false;
  SLUICE_ASSIGN_OR_RETURN(
      const std::unique_ptr<service::Service> service,
      service::Service::Start(
          catalog, host,
          OptionsFor(console, *catalog, static_cast<int>(workers), abandoned)));
  console.Log(LogLevel::kInfo, "serving",
              {{"workers", workers}, {"owner", Owner()}});
  NotifyManager(socket, "READY=1");
  AwaitSignal(session, socket);
  NotifyManager(socket, "STOPPING=1");
  console.Log(LogLevel::kInfo, "stopping",
              {{"running", service->running()},
               {"cause", std::string(session.context().status().message())}});
  service->Drain(drain);
  console.Log(LogLevel::kInfo, "stopped", Json::object());
  return {absl::OkStatus(), absl::nullopt, abandoned};
}

}  // namespace sluice::cli
