// serve.

#include <malloc.h>

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
#include "sluice/cli/serve/api_front.h"
#include "sluice/cli/serve/serve_settings.h"
#include "sluice/cli/terminal/interrupt.h"
#include "sluice/cli/terminal/notify.h"
#include "sluice/cli/verbs/asking.h"
#include "sluice/cli/verbs/run_report.h"
#include "sluice/cli/verbs/verbs.h"
#include "sluice/service/engine/service.h"
#include "sluice/service/settings/machine.h"

namespace sluice::cli {
namespace {

void LogProblem(Console& console, absl::string_view what,
                const absl::Status& problem, absl::string_view job_id = "") {
  console.Log(LogLevel::kWarning, absl::StrCat(what, " failed"),
              {{"job_id", std::string(job_id)},
               {"error_code", ErrorCodeOf(problem)},
               {"error", std::string(problem.message())},
               {"hint", HintOf(problem)}});
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

service::ServiceOptions OptionsFor(Session& session, Catalog& catalog,
                                   const ServeSettings& settings,
                                   std::atomic<bool>& abandoned) {
  Console& console = session.console();
  service::ServiceOptions options;
  options.workers = settings.workers;
  options.notifications.channels = settings.config.notifications;
  options.machine_id = ThisMachine(session);
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

// One arena: each thread would grow one of its own, page by page, to the most
// that it ever needed. What a scrape has just given back the next one takes; the
// service returns it each minute.
void KeepOneArena() {
#ifdef __GLIBC__
  constexpr int kKeptBytes = 64 * 1024 * 1024;
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_TOP_PAD, 1024 * 1024);
  mallopt(M_MMAP_THRESHOLD, kKeptBytes / 2);
  mallopt(M_TRIM_THRESHOLD, kKeptBytes);
#endif
}

// One is under way at most; SIGHUP asks for another.
class Hangups {
 public:
  explicit Hangups(const Context& context)
      : told_(context.OnDone([this](const absl::Status&) { Wake(false); })),
        registered_([this] { Wake(true); }) {}

  // Whether one came; false once `patience` is over, or the context ended.
  bool Await(const Context& context, absl::Duration patience) {
    MutexLock lock(mutex_);
    if (!wanted_ && !context.done()) {
      Clock::Real()->WaitFor(changed_, lock, patience);
    }
    return std::exchange(wanted_, false);
  }

 private:
  void Wake(bool hung_up) {
    MutexLock lock(mutex_);
    wanted_ = wanted_ || hung_up;
    changed_.NotifyAll();
  }

  Mutex mutex_;
  CondVar changed_;
  bool wanted_ ABSL_GUARDED_BY(mutex_) = false;
  const Context::Registration told_;
  const Interrupt::HangupHandler registered_;
};

// The configuration and the certificate as they are now. What cannot be used
// changes nothing.
void Reload(Session& session, const ServeSettings& first, ApiFront& front) {
  Console& console = session.console();
  const absl::StatusOr<ServeSettings> now =
      ServeSettingsOf(session.command(), session.environment());
  const absl::Status status = now.ok() ? front.Reload(*now) : now.status();
  if (!status.ok()) return LogProblem(console, "reload", status);
  console.Log(LogLevel::kInfo, "reloaded", {{"config", now->config_path}});
  for (const std::string& key : NeedRestart(first, *now)) {
    console.Log(LogLevel::kWarning, "changed, and read at the start alone",
                {{"key", key}});
  }
}

// Until the session's context ends, fed to the watchdog as it wants it.
void AwaitSignal(Session& session, const char* socket,
                 const ServeSettings& settings, ApiFront& front) {
  const absl::Duration interval =
      WatchdogInterval(session.environment()("WATCHDOG_USEC"));
  Hangups hangups(session.context());
  while (!session.context().done()) {
    if (interval < absl::InfiniteDuration()) {
      NotifyManager(socket, "WATCHDOG=1");
    }
    if (!hangups.Await(session.context(), interval)) continue;
    NotifyManager(socket, "RELOADING=1");
    Reload(session, settings, front);
    NotifyManager(socket, "READY=1");
  }
}

}  // namespace

Outcome RunServeVerb(Session& session) {
  KeepOneArena();
  SLUICE_ASSIGN_OR_RETURN(
      const ServeSettings settings,
      ServeSettingsOf(session.command(), session.environment()));
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  SLUICE_ASSIGN_OR_RETURN(PluginHost* const host, session.host());
  Console& console = session.console();
  const std::string machine = ThisMachine(session);
  if (session.command().Has("take-over")) {
    const absl::Status taken = service::TakeOverCatalog(
        session.context(), *catalog, machine, *Clock::Real());
    NoteAudit(session, "take over", machine, taken);
    SLUICE_RETURN_IF_ERROR(taken);
  }
  const char* const socket = session.environment()("NOTIFY_SOCKET");
  std::atomic<bool> abandoned = false;
  // First: one that cannot listen must not begin jobs that it would end again.
  SLUICE_ASSIGN_OR_RETURN(
      const std::unique_ptr<ApiFront> front,
      ApiFront::Open(settings, machine, catalog, host, &console));
  SLUICE_ASSIGN_OR_RETURN(
      const std::unique_ptr<service::Service> service,
      service::Service::Start(
          catalog, host, OptionsFor(session, *catalog, settings, abandoned)));
  front->SetService(service.get());
  console.Log(LogLevel::kInfo, "serving",
              {{"workers", settings.workers}, {"owner", Owner()}});
  NotifyManager(socket, "READY=1");
  AwaitSignal(session, socket, settings, *front);
  NotifyManager(socket, "STOPPING=1");
  console.Log(LogLevel::kInfo, "stopping",
              {{"running", service->running()},
               {"cause", std::string(session.context().status().message())}});
  front->BeginDrain();
  service->Drain(settings.drain);
  front->Stop();
  console.Log(LogLevel::kInfo, "stopped", Json::object());
  return {absl::OkStatus(), absl::nullopt, abandoned};
}

}  // namespace sluice::cli
