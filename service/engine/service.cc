#include "sluice/service/engine/service.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/catalog/catalog_error.h"
#include "sluice/service/engine/free_memory.h"
#include "sluice/service/engine/settings_keeper.h"
#include "sluice/service/settings/machine.h"

namespace sluice::service {

Service::Service(Catalog* catalog, PluginHost* host, ServiceOptions options)
    : catalog_(catalog),
      host_(host),
      options_(std::move(options)),
      scheduler_(catalog, options_.clock, random_, options_.scheduler),
      housekeeping_(catalog, host, options_.housekeeping),
      runner_(catalog, host, options_.runner),
      runs_(Context::WithCancel(Context::Background())),
      looking_(Context::WithCancel(Context::Background())) {}

absl::StatusOr<std::unique_ptr<Service>> Service::Start(
    Catalog* catalog, PluginHost* host, ServiceOptions options) {
  std::unique_ptr<Service> service(
      new Service(catalog, host, std::move(options)));
  SLUICE_RETURN_IF_ERROR(service->StartThreads());
  return service;
}

absl::Status Service::StartThreads() {
  MayWork();
  SLUICE_ASSIGN_OR_RETURN(Thread time,
                          Thread::Start("schedule", [this] { KeepTime(); }));
  threads_.push_back(std::move(time));
  // Of its own: a repo that does not answer holds no due time up.
  SLUICE_ASSIGN_OR_RETURN(
      Thread settings, Thread::Start("settings", [this] { KeepSettings(); }));
  threads_.push_back(std::move(settings));
  for (int i = 0; i < std::max(1, options_.workers); ++i) {
    SLUICE_ASSIGN_OR_RETURN(
        Thread worker,
        Thread::Start(absl::StrCat("worker-", i), [this] { Work(); }));
    threads_.push_back(std::move(worker));
  }
  return absl::OkStatus();
}

// Not while it only waits: what is left to a service would wait with it, and
// what a copied catalog has to tell is told by the machine that it is of.
absl::Status Service::BePresent() {
  {
    MutexLock lock(mutex_);
    if (presence_ != nullptr || draining_) return absl::OkStatus();
  }
  // First, so that it tells of what the others do.
  SLUICE_ASSIGN_OR_RETURN(std::unique_ptr<Notifier> notifier,
                          Notifier::Start(catalog_, NotifierOptionsOf()));
  absl::StatusOr<std::unique_ptr<NodePresence>> presence = NodePresence::Start(
      catalog_, options_.clock, options_.runner.owner,
      [this](const absl::Status& status) { Report("presence", status); });
  if (!presence.ok()) return presence.status();
  {
    MutexLock lock(mutex_);
    if (draining_) return absl::OkStatus();
    notifier_ = std::move(notifier);
    presence_ = *std::move(presence);
  }
  return absl::OkStatus();
}

NotifierOptions Service::NotifierOptionsOf() const {
  NotifierOptions options = options_.notifications;
  options.clock = options_.clock;
  options.notices.clock = options_.clock;
  // Of what a receiver does our health says nothing.
  options.on_problem = options_.on_problem;
  return options;
}

bool Service::MayWork() {
  const absl::Status ours =
      options_.machine_id.empty()
          ? absl::OkStatus()
          : ClaimMachine(looking_.first, *catalog_, options_.machine_id);
  const bool cloned = ErrorCodeOf(ours) == kCatalogCloned;
  bool news = false;
  std::unique_ptr<NodePresence> gone;
  std::unique_ptr<Notifier> silent;
  {
    MutexLock lock(mutex_);
    news = health_ != ours;
    // A catalog that is away is still whose it was.
    if (ours.ok() || cloned) may_work_ = ours.ok();
    if (cloned) {
      gone = std::move(presence_);
      silent = std::move(notifier_);
    }
  }
  if (!ours.ok() && news) Report("claim the catalog", ours);
  if (!ours.ok()) return false;
  const absl::Status present = BePresent();
  if (!present.ok()) Report("presence", present);
  return true;
}

Service::~Service() { Drain(absl::ZeroDuration()); }

void Service::Wake() {
  MutexLock lock(mutex_);
  ++woken_;
  changed_.NotifyAll();
}

absl::Status Service::health() const {
  MutexLock lock(mutex_);
  return health_;
}

int Service::running() const {
  MutexLock lock(mutex_);
  return running_;
}

void Service::Drain(absl::Duration patience) {
  const absl::Duration end = options_.clock->SinceBoot() + patience;
  std::unique_ptr<NodePresence> presence;
  {
    MutexLock lock(mutex_);
    draining_ = true;
    changed_.NotifyAll();
    presence = std::move(presence_);
  }
  presence.reset();
  {
    MutexLock lock(mutex_);
    while (running_ > 0) {
      const absl::Duration left = end - options_.clock->SinceBoot();
      if (left <= absl::ZeroDuration()) break;
      options_.clock->WaitFor(changed_, lock, left);
    }
  }
  runs_.second(MakeError(absl::StatusCode::kAborted, kShutdown,
                         "the service was stopped"));
  looking_.second(MakeError(absl::StatusCode::kAborted, kShutdown,
                            "the service was stopped"));
  for (Thread& thread : threads_) thread.Join();
  std::unique_ptr<Notifier> notifier;
  {
    MutexLock lock(mutex_);
    notifier = std::move(notifier_);
  }
}

void Service::Report(absl::string_view what, const absl::Status& status) {
  {
    MutexLock lock(mutex_);
    if (draining_) return;
    health_ = status;
  }
  if (!status.ok() && options_.on_problem) options_.on_problem(what, status);
}

// --- the thread that keeps time

bool Service::AwaitNews(absl::Time next) {
  const absl::StatusOr<int64_t> version =
      catalog_->events().DataVersion(looking_.first);
  // A catalog that is away: the step says so.
  if (!version.ok() || *version != data_version_) {
    data_version_ = version.value_or(-1);
    if (version.ok()) return true;
  }
  MutexLock lock(mutex_);
  if (woken_ == seen_wakes_ && !draining_) {
    const absl::Duration until = next - options_.clock->Now();
    options_.clock->WaitFor(
        changed_, lock,
        std::min(options_.poll, std::max(until, absl::ZeroDuration())));
  }
  const bool woken = woken_ != seen_wakes_;
  seen_wakes_ = woken_;
  return woken || !version.ok() || options_.clock->Now() >= next;
}

void Service::EndAndFire(Deadlines& deadlines) {
  const Context& context = looking_.first;
  const absl::Duration now = options_.clock->SinceBoot();
  if (now >= deadlines.dead_jobs) {
    housekeeping_.EndDeadJobs(context);
    deadlines.dead_jobs = now + options_.dead_jobs_every;
    ReturnFreeMemory();
  }
  const absl::StatusOr<absl::Time> next = scheduler_.Step(context);
  Report("schedule", next.status());
  if (next.ok() && now >= deadlines.pass) {
    housekeeping_.DailyPass(context);
    deadlines.pass = now + options_.pass_every;
    ReturnFreeMemory();
  }
  deadlines.next = next.value_or(absl::InfiniteFuture());
  MutexLock lock(mutex_);
  changed_.NotifyAll();  // there may be work
}

void Service::KeepTime() {
  Deadlines deadlines;
  while (true) {
    {
      MutexLock lock(mutex_);
      if (draining_) return;
    }
    deadlines.next = absl::InfiniteFuture();
    if (MayWork()) EndAndFire(deadlines);
    // Also while nothing happens, as clocks jump and jobs die unseen.
    const absl::Time look_again = options_.clock->Now() + absl::Seconds(20);
    const absl::Time at = std::min(deadlines.next, look_again);
    while (!AwaitNews(at)) {
      MutexLock lock(mutex_);
      if (draining_) return;
    }
  }
}

// --- the thread that tells repos of plans and pins

void Service::KeepSettings() {
  SettingsKeeperOptions options;
  options.owner = options_.runner.owner;
  options.machine_id = options_.machine_id;
  options.clock = options_.clock;
  options.on_problem = options_.on_problem;
  SettingsKeeper keeper(catalog_, host_, options);
  absl::Duration check_at = -absl::InfiniteDuration();
  absl::Duration again_at = -absl::InfiniteDuration();
  while (true) {
    const absl::Duration now = options_.clock->SinceBoot();
    if (now >= check_at) {
      keeper.CheckAgain();
      check_at = now + options_.pass_every;
    }
    if (now >= again_at && !keeper.Keep(looking_.first)) {
      again_at = now + options_.dead_jobs_every;
    }
    MutexLock lock(mutex_);
    if (draining_) return;
    // Whoever sees the catalog change wakes us.
    options_.clock->WaitFor(changed_, lock, absl::Seconds(20));
    if (draining_) return;
  }
}

// --- workers

bool Service::Claim(absl::optional<QueuedRun>& run) {
  const absl::Time now = options_.clock->Now();
  // A look costs no turn as the only writer.
  const absl::StatusOr<absl::Time> next =
      catalog_->queue().NextNotBefore(looking_.first);
  if (!next.ok() || *next > now) return false;
  {
    MutexLock lock(mutex_);
    if (draining_ || !may_work_) return false;
    ++running_;
  }
  absl::StatusOr<absl::optional<QueuedRun>> claimed =
      catalog_->queue().Claim(looking_.first, {now, options_.per_repo});
  if (claimed.ok() && claimed->has_value()) {
    run = *std::move(claimed);
    return true;
  }
  Report("claim", claimed.status());
  MutexLock lock(mutex_);
  --running_;
  changed_.NotifyAll();
  return false;
}

void Service::Work() {
  while (true) {
    absl::optional<QueuedRun> run;
    if (Claim(run)) {
      if (options_.on_job_started) options_.on_job_started(run->job);
      const absl::Status status = runner_.Run(runs_.first, *run);
      if (options_.on_job_ended) options_.on_job_ended(run->job, status);
      MutexLock lock(mutex_);
      --running_;
      ++woken_;
      changed_.NotifyAll();
      continue;
    }
    MutexLock lock(mutex_);
    if (draining_) return;
    // Whoever makes work wakes us; a job that may begin later needs no waker.
    options_.clock->WaitFor(changed_, lock, absl::Seconds(1));
    if (draining_) return;
  }
}

}  // namespace sluice::service
