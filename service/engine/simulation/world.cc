#include "sluice/service/engine/simulation/world.h"

#include <errno.h>
#include <stdlib.h>

#include <algorithm>
#include <functional>
#include <set>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/testing/crash_file_system.h"
#include "sluice/base/testing/fake_clock.h"
#include "sluice/base/testing/fault_file_system.h"
#include "sluice/base/testing/memory_folder.h"
#include "sluice/catalog/catalog_error.h"
#include "sluice/catalog/sqlite/sqlite_catalog.h"
#include "sluice/catalog/testing/sqlite_vfs.h"
#include "sluice/service/engine/scheduler.h"
#include "sluice/service/engine/simulation/plans.h"
#include "sluice/service/engine/simulation/sim_catalog.h"
#include "sluice/service/plan/plan_rules.h"
#include "sluice/service/plan/plan_run.h"

namespace sluice::service {
namespace {

constexpr absl::Duration kNever = absl::InfiniteDuration();
constexpr absl::Duration kLease = absl::Minutes(40);
constexpr absl::Duration kTail = absl::Hours(48);
constexpr size_t kWorkers = 8;

enum class Fate { kSucceeds, kFails, kFailsForGood, kCancelled, kShutdown };

// A run that goes on in a service.
struct Running {
  BackupJob row;
  Fate fate = Fate::kSucceeds;
  absl::Duration ends_at;  // since boot, as all of these
  absl::Duration renew_at;
  bool is_over = false;  // its last row is to be written
  int tries = 0;
};

struct Machine {  // a process of it
  std::unique_ptr<Catalog> catalog;
  std::unique_ptr<Catalog> asked;
  std::unique_ptr<Scheduler> scheduler;
  std::map<std::string, Running> running;
  bool stepping = false;
  bool dying = false;
  absl::Duration up_at;
  absl::Duration step_at;
  absl::Duration claim_at;
  absl::Duration recover_at;
};

}  // namespace

class SimWorld::Impl {
 public:
  explicit Impl(const SimCase& sim_case)
      : case_(sim_case), draw_(sim_case.seed), files_(&disk_, &faults_) {
    clock_.SetNow(DrawBegin(draw_));
    if (case_.faulty_disk) {
      vfs_ = std::make_unique<SqliteVfs>(&files_);
      faults_.SetFilter([this](const FileCall&) { return Strikes(); });
      options_.path = "/state/catalog.db";
      options_.file_system = &files_;
      options_.vfs = vfs_->name();
      options_.exclusive = true;
    } else {
      folder_ = "/dev/shm/sluice-sim-XXXXXX";  // a few MiB
      if (mkdtemp(folder_.data()) == nullptr) {
        folder_ = MakeMemoryFolder("sluice-sim");
      }
      options_.path = folder_ + "/catalog.db";
    }
    options_.clock = &clock_;
    options_.heartbeat = false;
    options_.lease = kLease;
    options_.reserve_bytes = 512;
    machines_.resize(case_.faulty_disk ? 1 : 2);
  }

  ~Impl() {
    look_.reset();
    machines_.clear();
    if (!folder_.empty()) {
      (void)!system(absl::StrCat("rm -rf ", folder_).c_str());
    }
  }

  void Run() {
    history_.begin = Floor(clock_.Now());
    for (Machine& machine : machines_) Open(machine);
    AddRepos();
    for (int i = 0; i < case_.plans; ++i) AddPlan();
    const absl::Duration end = Boot() + absl::Hours(24) * case_.days;
    befalls_at_ = Boot() + absl::Hours(1);
    calm_ = false;
    while (Boot() < end) Turn(end);
    calm_ = true;
    SetBack();
    befalls_at_ = kNever;
    history_.end = Floor(clock_.Now());
    for (Machine& machine : machines_) machine.up_at = Boot();
    // From here: the last sleep may have gone on beyond the end.
    const absl::Duration tail = Boot() + kTail;
    while (Boot() < tail) Turn(tail);
    for (Machine& machine : machines_) Stop(machine);
  }

  const SimHistory& history() const { return history_; }

  Catalog* catalog() {
    if (look_ == nullptr) look_ = OpenCatalog();
    return look_.get();
  }

 private:
  static absl::Time Floor(absl::Time time) {
    return absl::FromUnixSeconds(absl::ToUnixSeconds(time) / 60 * 60);
  }
  absl::Duration Boot() const { return clock_.SinceBoot(); }
  void Wrong(const std::string& what) {
    history_.violations.push_back(absl::StrCat(
        absl::FormatTime("%m-%dT%H:%M:%S ", clock_.Now(), absl::UTCTimeZone()),
        what));
  }
  void Count(const std::string& what) { ++history_.befell[what]; }

  // Names sort by the time they were drawn, as ULIDs do, and are the seed's.
  std::string NewId() {
    return absl::StrCat(
        absl::Hex(absl::ToUnixMillis(clock_.Now()), absl::kZeroPad12),
        absl::Hex(draw_.Number(0, INT64_MAX), absl::kZeroPad16));
  }

  // --- the disk

  bool Strikes() {
    if (calm_ || unharmed_ > 0 || !draw_.OneIn(20000)) return false;
    Count("disk faults");
    return true;
  }

  // The filter decides which calls are struck; here, by what.
  void ChooseFault() {
    static const Fault kFaults[] = {Fault::Error(EIO), Fault::Error(ENOSPC),
                                    Fault::LostAnswer(EIO),
                                    Fault::ShortWrite()};
    faults_.StrikeFrom(1, kFaults[draw_.Number(0, 3)]);
  }

  std::unique_ptr<Catalog> OpenCatalog() {
    auto opened = OpenSqliteCatalog(context_, options_);
    if (opened.ok()) return *std::move(opened);
    if (calm_ || !case_.faulty_disk) Wrong(opened.status().ToString());
    return nullptr;
  }

  // --- processes

  void Open(Machine& machine) {
    if (case_.faulty_disk) disk_.Settle();
    machine.catalog = OpenCatalog();
    if (machine.catalog == nullptr) {
      machine.up_at = Boot() + absl::Seconds(30);
      return;
    }
    machine.asked = WithEachCallAsked(
        machine.catalog.get(),
        [this, &machine](absl::string_view) { return Ask(machine); });
    SchedulerOptions options;
    options.new_id = [this] { return NewId(); };
    options.on_unusable_plan = [this](const Plan& plan, const absl::Status& s) {
      Wrong(absl::StrCat(plan.name(), ": ", s.ToString()));
    };
    machine.scheduler = std::make_unique<Scheduler>(
        machine.asked.get(), &clock_, draw_.generator(), std::move(options));
    machine.up_at = kNever;
    machine.step_at = machine.claim_at = machine.recover_at = Boot();
  }

  // Its runs are gone with it, and nobody has told the catalog.
  void Stop(Machine& machine) {
    machine.scheduler.reset();
    machine.asked.reset();
    machine.catalog.reset();
    machine.running.clear();
    machine.dying = false;
  }

  void Kill(Machine& machine) {
    Count("deaths");
    Stop(machine);
    machine.up_at =
        Boot() + (draw_.OneIn(8)
                      ? draw_.Span(absl::Hours(1), absl::Hours(60))
                      : draw_.Span(absl::Seconds(1), absl::Minutes(5)));
  }

  // Between two calls of its scheduler.
  SimCall Ask(Machine& machine) {
    if (calm_ || unharmed_ > 0) return SimCall::kGoesThrough;
    if (draw_.OneIn(case_.slow ? 8000 : 800)) {
      machine.dying = true;
      return draw_.OneIn(2) ? SimCall::kDiesBefore : SimCall::kDiesAfter;
    }
    for (Machine& other : machines_) {
      if (&other == &machine || other.catalog == nullptr || other.stepping) {
        continue;
      }
      if (draw_.OneIn(15)) Step(other);
    }
    return SimCall::kGoesThrough;
  }

  // --- time

  void Turn(absl::Duration end) {
    if (case_.faulty_disk) ChooseFault();
    absl::Duration next = std::min({end, befalls_at_, returns_at_});
    for (const Machine& machine : machines_) {
      if (machine.catalog == nullptr) {
        next = std::min(next, machine.up_at);
        continue;
      }
      next = std::min(
          {next, machine.step_at, machine.claim_at, machine.recover_at});
      for (const auto& [id, running] : machine.running) {
        next = std::min({next, running.ends_at, running.renew_at});
      }
    }
    if (next > Boot()) clock_.Advance(next - Boot());
    if (Boot() >= returns_at_) SetBack();
    if (Boot() >= befalls_at_) Befall();
    const bool backwards = draw_.OneIn(2);
    for (size_t i = 0; i < machines_.size(); ++i) {
      Live(machines_[backwards ? machines_.size() - 1 - i : i]);
    }
  }

  void Live(Machine& machine) {
    if (machine.catalog == nullptr) {
      if (Boot() >= machine.up_at) Open(machine);
      return;
    }
    const bool step_first = draw_.OneIn(2);
    if (step_first && Boot() >= machine.step_at) Step(machine);
    Work(machine);
    if (machine.catalog != nullptr && Boot() >= machine.recover_at) {
      Recover(machine);
    }
    if (machine.catalog != nullptr && Boot() >= machine.step_at) Step(machine);
    if (machine.catalog != nullptr && Boot() >= machine.claim_at) {
      Claim(machine);
    }
  }

  void Step(Machine& machine) {
    const SimStep step{epoch_, clock_.Now()};
    machine.stepping = true;
    const absl::StatusOr<absl::Time> next = machine.scheduler->Step(context_);
    machine.stepping = false;
    if (machine.dying) return Kill(machine);
    machine.claim_at = Boot();
    machine.step_at = Boot() + absl::Seconds(20);
    if (!next.ok()) {
      Count("steps that failed");
      if (calm_ || !case_.faulty_disk) Wrong(next.status().ToString());
      return;
    }
    history_.steps.push_back(step);
    if (*next > step.wall) {
      machine.step_at =
          Boot() + std::min<absl::Duration>(*next - step.wall, absl::Hours(6));
    }
  }

  // --- runs

  void Work(Machine& machine) {
    std::vector<std::string> ids;
    for (const auto& [id, running] : machine.running) ids.push_back(id);
    for (const std::string& id : ids) {
      const auto found = machine.running.find(id);
      if (found == machine.running.end()) return;  // it was killed
      Running& running = found->second;
      if (Boot() >= running.ends_at) {
        if (!End(machine, running)) continue;
        if (machine.catalog == nullptr) return;
        machine.running.erase(id);
        machine.step_at = machine.claim_at = Boot();
      } else if (Boot() >= running.renew_at) {
        running.renew_at = Boot() + kLease / 2;
        const absl::Status renewed = machine.catalog->CheckLease(context_, id);
        if (renewed.ok()) continue;
        if (ErrorCodeOf(renewed) != kPublishFenced) {
          running.renew_at = Boot() + absl::Minutes(1);
          continue;
        }
        Count("leases lost");
        SetEnd(running, BackupJob::FAILED, kPublishFenced);
        running.ends_at = Boot();
      }
    }
  }

  static void SetEnd(Running& running, BackupJob::Status status,
                     absl::string_view word) {
    running.is_over = true;
    running.row.set_status(status);
    running.row.set_stage("done");
    running.row.set_error_code(std::string(word));
  }

  // Decides how the run ends; false: the process died of it.
  bool Decide(Machine& machine, Running& running) {
    switch (running.fate) {
      case Fate::kFails:
        SetEnd(running, BackupJob::FAILED,
               draw_.OneIn(2) ? kSourceFailed : kDestinationUnreachable);
        return true;
      case Fate::kFailsForGood:
        SetEnd(running, BackupJob::FAILED, kSourceConfigInvalid);
        return true;
      case Fate::kCancelled:
        SetEnd(running, BackupJob::INTERRUPTED, kCancelled);
        return true;
      case Fate::kShutdown:
        SetEnd(running, BackupJob::INTERRUPTED, kShutdown);
        return true;
      case Fate::kSucceeds:
        break;
    }
    const std::string id = running.row.id();
    const absl::Status begun = machine.catalog->BeginPublish(context_, id);
    if (!begun.ok()) {
      if (ErrorCodeOf(begun) == kPublishFenced) Count("publishes fenced");
      SetEnd(running, BackupJob::FAILED, ErrorCodeOf(begun));
      return true;
    }
    ++history_.published[id];
    if (!calm_ && draw_.OneIn(150)) {
      Kill(machine);
      return false;
    }
    SetEnd(running, BackupJob::SUCCEEDED, "");
    running.row.set_record_id(id);
    return true;
  }

  // True: nothing is left to do here.
  bool End(Machine& machine, Running& running) {
    if (!running.is_over && !Decide(machine, running)) return true;
    running.row.set_finished_at_ms(absl::ToUnixMillis(clock_.Now()));
    const absl::Status ended =
        machine.catalog->UpdateBackupJob(context_, running.row);
    const std::string word = ErrorCodeOf(ended);
    if (ended.ok() || word == kJobFinished || word == kPublishFenced) {
      return true;
    }
    if (++running.tries < 5) {
      running.ends_at = Boot() + absl::Seconds(10);
      return false;
    }
    machine.catalog->Release(context_, running.row.id()).IgnoreError();
    return true;
  }

  Fate DrawFate() {
    if (calm_) return Fate::kSucceeds;
    const int64_t drawn = draw_.Number(0, 99);
    if (drawn < 80) return Fate::kSucceeds;
    if (drawn < 92) return Fate::kFails;
    if (drawn < 95) return Fate::kFailsForGood;
    return drawn < 97 ? Fate::kCancelled : Fate::kShutdown;
  }

  absl::Duration DrawDuration() {
    if (calm_ || !draw_.OneIn(6)) {
      return draw_.Span(absl::Seconds(2), absl::Minutes(8));
    }
    return draw_.OneIn(8) ? draw_.Span(absl::Hours(2), absl::Hours(26))
                          : draw_.Span(absl::Minutes(10), absl::Minutes(80));
  }

  void Claim(Machine& machine) {
    machine.claim_at = kNever;
    while (machine.running.size() < kWorkers) {
      const auto next = machine.catalog->queue().NextNotBefore(context_);
      if (!next.ok()) {
        machine.claim_at = Boot() + absl::Seconds(10);
        return;
      }
      if (*next > clock_.Now()) {
        machine.claim_at =
            *next == absl::InfiniteFuture()
                ? kNever
                : Boot() + std::min<absl::Duration>(*next - clock_.Now(),
                                                    absl::Hours(6));
        return;
      }
      const auto run =
          machine.catalog->queue().Claim(context_, {clock_.Now(), 0});
      if (!run.ok() || !run->has_value()) {
        machine.claim_at = Boot() + absl::Minutes(1);
        return;
      }
      Begin(machine, **run);
    }
  }

  void Begin(Machine& machine, const QueuedRun& run) {
    if (run.request.not_before_ms() > absl::ToUnixMillis(clock_.Now())) {
      Wrong(absl::StrCat("job ", run.job.id(), " began too early"));
    }
    Running running;
    running.row = run.job;
    running.fate = DrawFate();
    running.ends_at = Boot() + DrawDuration();
    running.renew_at = Boot() + kLease / 2;
    // As the executor does once it has seen the store.
    running.row.set_stage("starting");
    running.row.set_store_id(run.request.store());
    running.row.set_backup_id(run.job.id());
    const absl::Status created =
        machine.catalog->CreateBackupJob(context_, running.row);
    if (!created.ok()) {
      const std::string word = ErrorCodeOf(created);
      const bool overlap = word == kBackupAlreadyRunning;
      SetEnd(running, overlap ? BackupJob::INTERRUPTED : BackupJob::FAILED,
             overlap ? kOverlap : word);
      running.ends_at = Boot();
    }
    machine.running[run.job.id()] = running;
  }

  // Ends what nobody runs any more; an archive that is there makes a success.
  void Recover(Machine& machine) {
    machine.recover_at = Boot() + (calm_        ? absl::Minutes(30)
                                   : case_.slow ? absl::Hours(6)
                                                : absl::Hours(2));
    if (case_.faulty_disk) disk_.Settle();  // forgets what it traced
    CatalogFilter filter;
    filter.status = BackupJob::RUNNING;
    const auto jobs = machine.catalog->ListJobs(context_, filter);
    if (!jobs.ok()) return;
    for (const CatalogJob& entry : *jobs) {
      const std::string& id = entry.job.id();
      if (entry.live || machine.running.count(id) > 0) continue;
      if (!machine.catalog->TakeOver(context_, id).ok()) continue;
      Count("dead runs ended");
      Running ended;
      ended.row = entry.job;
      ended.row.set_finished_at_ms(absl::ToUnixMillis(clock_.Now()));
      if (history_.published.count(id) > 0) {
        Count("dead runs that had published");
        SetEnd(ended, BackupJob::SUCCEEDED, "");
        ended.row.set_record_id(id);
      } else {
        SetEnd(ended, BackupJob::INTERRUPTED, kProcessDied);
      }
      if (!machine.catalog->UpdateBackupJob(context_, ended.row).ok()) {
        machine.catalog->Release(context_, id).IgnoreError();
      }
      machine.step_at = Boot();
    }
  }

  // --- what befalls

  void Befall() {
    const absl::Duration mean =
        case_.slow ? absl::Hours(24 * 8) : absl::Hours(10);
    befalls_at_ = Boot() + draw_.Span(absl::Minutes(1), 2 * mean);
    Machine& machine =
        machines_[static_cast<size_t>(draw_.Number(0, machines_.size() - 1))];
    switch (draw_.Number(0, 12)) {
      case 0:
      case 1:
        if (machine.catalog != nullptr) Kill(machine);
        return;
      case 2:
        return Restart(machine);
      case 3:
      case 4:
        return Sleep();
      case 5:
      case 6:
        return SetClock(draw_.Span(absl::Minutes(2), absl::Hours(7)) *
                            (draw_.OneIn(2) ? 1 : -1),
                        draw_.OneIn(2)
                            ? draw_.Span(absl::Minutes(1), absl::Hours(2))
                            : draw_.Span(absl::Hours(2), absl::Hours(40)));
      case 7:
        return ShowYear2030();
      case 8:
        return AskForRun();
      case 9:
        return CancelAny();
      case 10:
        return Pause();
      case 11:
        return Resume();
      default:
        return draw_.OneIn(2) ? RemoveAny() : AddPlan();
    }
  }

  // In order: its runs are given up, and it is back at once.
  void Restart(Machine& machine) {
    if (machine.catalog == nullptr) return;
    Count("restarts");
    for (auto& [id, running] : machine.running) {
      SetEnd(running, BackupJob::INTERRUPTED, kShutdown);
      End(machine, running);
    }
    Stop(machine);
    machine.up_at = Boot();
  }

  void Sleep() {
    Count("sleeps");
    clock_.Advance(draw_.OneIn(4)
                       ? draw_.Span(absl::Hours(12), absl::Hours(80))
                       : draw_.Span(absl::Minutes(2), absl::Hours(9)));
    if (Boot() >= returns_at_) SetBack();
  }

  void SetClock(absl::Duration by, absl::Duration lasts) {
    if (returns_at_ != kNever) return;
    Count(by > absl::ZeroDuration() ? "clocks set forward" : "clocks set back");
    history_.clock_was_set = true;
    wrong_by_ = by;
    returns_at_ = Boot() + lasts;
    Jump(by);
  }

  void ShowYear2030() {
    if (returns_at_ != kNever) return;
    Count("minutes in 2030");
    SetClock2030();
  }

  // What is due until then was seen by a clock that is right, but for jitter.
  absl::Time LastStep() const {
    for (auto step = history_.steps.rbegin(); step != history_.steps.rend();
         ++step) {
      if (step->epoch % 2 == 0) return std::min(clock_.Now(), step->wall);
    }
    return history_.begin;
  }

  void SetClock2030() {
    const absl::Time then =
        absl::FromCivil(absl::CivilDay(2030, 5, 1), absl::UTCTimeZone()) +
        draw_.Span(absl::ZeroDuration(), absl::Hours(24 * 200));
    history_.clock_was_set = true;
    wrong_by_ = then - clock_.Now();
    returns_at_ = Boot() + absl::Minutes(1);
    Jump(wrong_by_);
  }

  void SetBack() {
    if (returns_at_ == kNever) return;
    returns_at_ = kNever;
    Jump(-wrong_by_);
  }

  void Jump(absl::Duration by) {
    clock_.SetNow(clock_.Now() + by);
    ++epoch_;
    for (Machine& machine : machines_) {
      machine.step_at =
          Boot() + draw_.Span(absl::ZeroDuration(), absl::Seconds(20));
      machine.claim_at = Boot();
    }
  }

  // --- people. What they ask for is known to have happened.

  template <typename Body>
  void AsAPerson(Body body) {
    Machine* up = nullptr;
    for (Machine& machine : machines_) {
      if (machine.catalog != nullptr) up = &machine;
    }
    if (up == nullptr || returns_at_ != kNever) return;
    ++unharmed_;
    body(*up);
    --unharmed_;
  }

  void Must(const absl::Status& status) {
    if (!status.ok()) Wrong(status.ToString());
  }

  void AddRepos() {
    for (const char* id : {"r1", "r2"}) {
      BackupRepo repo;
      repo.set_id(id);
      repo.set_name(id);
      Must(machines_[0].catalog->AddRepo(context_, repo));
    }
  }

  size_t FiringsOf(Machine& machine, const SimPlan& plan) {
    FiringFilter filter;
    filter.plan_id = plan.plan.id();
    const auto firings = machine.catalog->plans().ListFirings(context_, filter);
    Must(firings.status());
    return firings.ok() ? firings->size() : 0;
  }

  // A step right after it was made or resumed fires nothing of it.
  void MustNotFireNow(Machine& machine, const SimPlan& plan) {
    const size_t before = FiringsOf(machine, plan);
    Step(machine);
    if (FiringsOf(machine, plan) != before) {
      Wrong(absl::StrCat(plan.plan.name(), " fired as it was made or resumed"));
    }
  }

  void AddPlan() {
    AsAPerson([&](Machine& machine) {
      const SimPlan plan = DrawPlan(static_cast<int>(history_.plans.size()),
                                    case_.slow, clock_.Now(), draw_);
      const auto rules = RulesOf(plan.plan);
      if (!rules.ok()) return Must(rules.status());
      Must(machine.catalog->plans().AddPlan(
          context_, plan.plan, TargetsOf(plan.plan, *rules, clock_.Now())));
      history_.plans.push_back(plan);
      MustNotFireNow(machine, plan);
    });
  }

  SimPlan& AnyPlan() {
    return history_
        .plans[static_cast<size_t>(draw_.Number(0, history_.plans.size() - 1))];
  }

  // Stores it as it is now, paused or not.
  void Store(Machine& machine, SimPlan& plan, bool paused) {
    plan.plan.set_paused(paused);
    plan.plan.set_revision(plan.plan.revision() + 1);
    plan.plan.set_updated_at_ms(absl::ToUnixMillis(clock_.Now()));
    Must(machine.catalog->plans().UpdatePlan(
        context_, plan.plan,
        TargetsOf(plan.plan, *RulesOf(plan.plan), clock_.Now())));
  }

  void Pause() {
    AsAPerson([&](Machine& machine) {
      SimPlan& plan = AnyPlan();
      if (plan.removed.has_value() || plan.plan.paused()) return;
      Count("pauses");
      // What was due and waited for its jitter, or for a service, goes too.
      plan.paused.emplace_back(LastStep() - plan.jitter,
                               absl::InfiniteFuture());
      Store(machine, plan, /*paused=*/true);
    });
  }

  void Resume() {
    AsAPerson([&](Machine& machine) {
      for (SimPlan& plan : history_.plans) {
        if (plan.removed.has_value() || !plan.plan.paused()) continue;
        plan.paused.back().second = clock_.Now();
        Store(machine, plan, /*paused=*/false);
        MustNotFireNow(machine, plan);
      }
    });
  }

  void RemoveAny() {
    AsAPerson([&](Machine& machine) {
      SimPlan& plan = AnyPlan();
      if (plan.removed.has_value()) return;
      Count("plans removed");
      plan.removed = LastStep() - plan.jitter;
      Must(machine.catalog->plans().RemovePlan(context_, plan.plan.id()));
    });
  }

  void AskForRun() {
    AsAPerson([&](Machine& machine) {
      const SimPlan& plan = AnyPlan();
      if (plan.removed.has_value()) return;
      const absl::Status asked =
          machine.catalog->queue()
              .Enqueue(context_,
                       BackupRunOf(plan.plan, "r1", NewId(), clock_.Now()))
              .status();
      if (ErrorCodeOf(asked) != kBackupAlreadyRunning) Must(asked);
      machine.claim_at = Boot();
    });
  }

  void CancelAny() {
    AsAPerson([&](Machine& machine) {
      CatalogFilter filter;
      filter.unfinished_only = true;
      const auto jobs = machine.catalog->ListJobs(context_, filter);
      if (!jobs.ok() || jobs->empty()) return;
      const BackupJob& job = draw_.Any(*jobs).job;
      Count("cancels");
      Must(machine.catalog->RequestCancel(context_, job.id()));
      for (Machine& other : machines_) {
        const auto found = other.running.find(job.id());
        if (found == other.running.end() || found->second.is_over) continue;
        found->second.fate = Fate::kCancelled;
        found->second.ends_at = Boot() + absl::Seconds(1);
      }
      machine.step_at = Boot();
    });
  }

  const SimCase case_;
  SimDraw draw_;
  const Context context_ = Context::Background();
  FakeClock clock_;
  CrashFileSystem disk_;
  FaultPlan faults_;
  FaultFileSystem files_;
  std::unique_ptr<SqliteVfs> vfs_;
  std::string folder_;
  SqliteCatalogOptions options_;
  std::vector<Machine> machines_;
  std::unique_ptr<Catalog> look_;
  SimHistory history_;
  bool calm_ = true;  // nothing befalls
  int unharmed_ = 0;
  absl::Duration befalls_at_ = kNever;
  absl::Duration returns_at_ = kNever;  // the wall clock, to what is right
  absl::Duration wrong_by_;
  int64_t epoch_ = 0;  // even: the clock is right
};

SimWorld::SimWorld(const SimCase& sim_case)
    : impl_(std::make_unique<Impl>(sim_case)) {}
SimWorld::~SimWorld() = default;
void SimWorld::Run() { impl_->Run(); }
const SimHistory& SimWorld::history() const { return impl_->history(); }
Catalog* SimWorld::catalog() { return impl_->catalog(); }

}  // namespace sluice::service
