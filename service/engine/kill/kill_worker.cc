// A process at somebody's catalog, for kill_test.cc and deaths_test.cc. FOLDER
// is a TestHouse's. Speaks a line at a time on stdout.
//
//   kill_worker serve FOLDER
//       A service: "up", then "began" and "ended" of each run, until the end of
//       its stdin; then it drains.
//   kill_worker die FOLDER N
//       "ready"; upon a line fires what is due and claims a job, and dies
//       before the N-th call of SQLite's that this takes. "calls COUNT" where
//       it took less; it then goes, and its run with it.
//   kill_worker goon FOLDER
//       For each line, a plan's id: does all that a service does until that
//       plan's due time is settled, and says "settled".

#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include "absl/random/random.h"
#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "sluice/base/clock.h"
#include "sluice/base/mutex.h"
#include "sluice/catalog/settle.h"
#include "sluice/catalog/sqlite/sqlite_catalog.h"
#include "sluice/catalog/testing/mortal_vfs.h"
#include "sluice/destinations/local/factory.h"
#include "sluice/plugins/host/plugin_host.h"
#include "sluice/plugins/memory/factory.h"
#include "sluice/service/engine/service.h"

namespace sluice::service {
namespace {

// Whole, whatever thread says it: one write, below a pipe's atomic size.
void Say(std::string line) {
  line += '\n';
  if (write(STDOUT_FILENO, line.data(), line.size()) < 0) _exit(1);
}

void DieUnlessOk(const absl::Status& status) {
  if (status.ok()) return;
  std::cerr << status << std::endl;
  _exit(1);
}

std::unique_ptr<Catalog> Open(const std::string& folder, bool as_a_service) {
  SqliteCatalogOptions options;
  options.path = folder + "/catalog.db";
  options.heartbeat = as_a_service;
  if (!as_a_service) options.vfs = kMortalVfs;
  auto opened = OpenSqliteCatalog(Context::Background(), options);
  DieUnlessOk(opened.status());
  return *std::move(opened);
}

// Retries come soon, so that a test need not wait for them.
SchedulerOptions Impatient() {
  SchedulerOptions options;
  options.backoff = absl::Milliseconds(20);
  options.max_backoff = absl::Milliseconds(200);
  return options;
}

int Serve(const std::string& folder) {
  const std::unique_ptr<Catalog> catalog = Open(folder, true);
  PluginHost host({});
  DieUnlessOk(host.RegisterStatic(&kMemoryPlugin));
  DieUnlessOk(host.RegisterStatic(&kLocalPlugin));
  ServiceOptions options;
  options.workers = 4;
  options.poll = absl::Milliseconds(20);
  options.dead_jobs_every = absl::Seconds(1);
  options.scheduler = Impatient();
  options.runner.owner = options.housekeeping.owner =
      absl::StrCat("kill/", getpid());
  options.on_job_started = [](const BackupJob&) { Say("began"); };
  options.on_job_ended = [](const BackupJob&, const absl::Status&) {
    Say("ended");
  };
  auto service = Service::Start(catalog.get(), &host, std::move(options));
  DieUnlessOk(service.status());
  Say("up");
  std::string line;
  while (std::getline(std::cin, line)) {
  }
  (*service)->Drain(absl::InfiniteDuration());
  return 0;
}

// Fires what is due, and begins a run where one waits.
absl::optional<QueuedRun> FireAndClaim(Catalog& catalog, Scheduler& scheduler) {
  const Context context = Context::Background();
  DieUnlessOk(scheduler.Step(context).status());
  auto claimed = catalog.queue().Claim(context, {absl::Now(), 0});
  DieUnlessOk(claimed.status());
  return *std::move(claimed);
}

int Die(const std::string& folder, int64_t at_call) {
  const std::unique_ptr<Catalog> catalog = Open(folder, false);
  absl::BitGen random;
  Scheduler scheduler(catalog.get(), Clock::Real(), random, Impatient());
  // The first one looks at all that there is.
  DieUnlessOk(scheduler.Step(Context::Background()).status());
  Say("ready");
  std::string line;
  std::getline(std::cin, line);
  DieAtCall(at_call);
  FireAndClaim(*catalog, scheduler);
  const int64_t calls = CallsSoFar();
  DieAtCall(0);
  Say(absl::StrCat("calls ", calls));
  return 0;
}

bool IsSettled(Catalog& catalog, const std::string& plan_id) {
  FiringFilter filter;
  filter.plan_id = plan_id;
  const auto firings =
      catalog.plans().ListFirings(Context::Background(), filter);
  DieUnlessOk(firings.status());
  return !firings->empty() && firings->back().outcome != Firing::Outcome::kOpen;
}

int GoOn(const std::string& folder) {
  const std::unique_ptr<Catalog> catalog = Open(folder, false);
  absl::BitGen random;
  Scheduler scheduler(catalog.get(), Clock::Real(), random, Impatient());
  Mutex mutex;
  CondVar never;
  std::string plan_id;
  while (std::getline(std::cin, plan_id)) {
    while (!IsSettled(*catalog, plan_id)) {
      DieUnlessOk(SettleDeadJobs(Context::Background(), *catalog, {}).status());
      const auto run = FireAndClaim(*catalog, scheduler);
      if (!run.has_value()) {  // the other has it, or a retry waits
        MutexLock lock(mutex);
        Clock::Real()->WaitFor(never, lock, absl::Milliseconds(2));
        continue;
      }
      BackupJob job = run->job;
      job.set_status(BackupJob::SUCCEEDED);
      job.set_finished_at_ms(absl::ToUnixMillis(absl::Now()));
      DieUnlessOk(catalog->UpdateBackupJob(Context::Background(), job));
    }
    Say("settled");
  }
  return 0;
}

int Main(int argc, char** argv) {
  const std::string verb = argc > 2 ? argv[1] : "";
  if (verb == "serve") return Serve(argv[2]);
  RegisterMortalVfs();
  int64_t call = 0;
  if (verb == "die" && argc > 3 && absl::SimpleAtoi(argv[3], &call)) {
    return Die(argv[2], call);
  }
  return verb == "goon" ? GoOn(argv[2]) : 2;
}

}  // namespace
}  // namespace sluice::service

int main(int argc, char** argv) { return sluice::service::Main(argc, argv); }
