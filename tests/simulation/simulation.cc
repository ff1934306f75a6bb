#include "sluice/tests/simulation/simulation.h"

#include <random>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/base/testing/crash_file_system.h"
#include "sluice/catalog/sqlite/sqlite_catalog.h"
#include "sluice/catalog/testing/sqlite_vfs.h"
#include "sluice/destinations/archive/archive_destination.h"
#include "sluice/destinations/archive/protocol/repo.h"
#include "sluice/destinations/archive/testing/fake_object_store.h"
#include "sluice/destinations/local/local_object_store.h"
#include "sluice/executor/executor.h"
#include "sluice/plugins/host/plugin_host.h"
#include "sluice/plugins/sdk/wrap.h"
#include "sluice/tests/faults/hasty_clock.h"
#include "sluice/tests/faults/invariants.h"
#include "sluice/tests/faults/later_store.h"
#include "sluice/tests/simulation/one_view.h"

namespace sluice {
namespace {

constexpr char kRepoId[] = "01HZZZZZZZZZZZZZZZZZZZZZZZ";
constexpr char kDeadId[] = "01HYYYYYYYYYYYYYYYYYYYYYYY";
constexpr char kStoreId[] = "store";
constexpr uint64_t kSegmentBytes = 6000;

constexpr absl::Duration kStep = absl::Hours(3);

// What a run uses: its disk, its place, its catalog's file.
struct Ground {
  std::unique_ptr<CrashFileSystem> disk;
  std::unique_ptr<SqliteVfs> vfs;
  std::shared_ptr<FakeObjectStore> objects;  // of PlaceKind::kObjects
};

std::vector<std::string> Pieces(uint64_t seed) {
  std::mt19937_64 random(seed);
  std::vector<std::string> pieces(1 + random() % 5);
  for (std::string& piece : pieces) {
    piece.assign(random() % 9000, static_cast<char>('a' + random() % 26));
  }
  return pieces;
}

std::string Joined(const std::vector<std::string>& pieces) {
  std::string all;
  for (const std::string& piece : pieces) all += piece;
  return all;
}

absl::StatusOr<std::string> Download(Destination& archives,
                                     absl::string_view backup_id) {
  const Context context = Context::Background();
  SLUICE_ASSIGN_OR_RETURN(auto reader, archives.GetBackup(context, backup_id));
  std::string all;
  while (true) {
    SLUICE_ASSIGN_OR_RETURN(const absl::string_view bytes, reader->Next());
    if (bytes.empty()) return all;
    all.append(bytes.data(), bytes.size());
    reader->Release();
  }
}

BackupRepo Repository() {
  BackupRepo repo;
  repo.set_id(kRepoId);
  repo.set_name("repo");
  repo.set_kind("local");
  return repo;
}

absl::StatusOr<std::shared_ptr<ObjectStore>> OpenPlace(PluginHost& host,
                                                       const Ground& ground,
                                                       Clock* clock,
                                                       absl::Duration later) {
  if (ground.objects != nullptr) {
    return std::make_shared<LaterStore>(ground.objects, later);
  }
  LocalOptions local;
  local.path = "/repo";
  local.file_system = ground.disk.get();
  local.clock = clock;
  SLUICE_ASSIGN_OR_RETURN(
      auto place,
      host.AdoptPlace(
          "local", sdk::WrapPlace(std::make_unique<LocalObjectStore>(local))));
  return std::make_shared<LaterStore>(place, later);
}

absl::StatusOr<std::unique_ptr<Catalog>> OpenCatalog(const Ground& ground,
                                                     Clock* clock) {
  SqliteCatalogOptions options;
  options.path = "/catalog/catalog.db";
  options.clock = clock;
  options.file_system = ground.disk.get();
  options.vfs = ground.vfs->name();
  options.exclusive = true;
  options.heartbeat = false;
  return OpenSqliteCatalog(Context::Background(), options);
}

std::shared_ptr<ArchiveDestination> OpenArchives(
    std::shared_ptr<ObjectStore> place, Clock* clock) {
  ArchiveOptions options;
  options.repo_id = kRepoId;
  options.segment_bytes = kSegmentBytes;
  options.read_ahead.chunk_bytes = 4096;
  options.read_ahead.chunks = 4;
  return ArchiveDestination::Create(std::move(place), clock, options);
}

absl::Status WriteObject(ObjectStore& place, absl::string_view name,
                         absl::string_view bytes) {
  SLUICE_ASSIGN_OR_RETURN(auto writer,
                          place.Begin(Context::Background(), name, 0));
  SLUICE_RETURN_IF_ERROR(writer->Write(bytes));
  return writer->Commit(CommitMode::kReplace);
}

}  // namespace

absl::string_view SimVerbName(SimVerb verb) {
  switch (verb) {
    case SimVerb::kBackup:
      return "backup";
    case SimVerb::kRestore:
      return "restore";
    case SimVerb::kDelete:
      return "delete";
    case SimVerb::kSweep:
      return "sweep";
    case SimVerb::kReconcile:
      return "reconcile";
  }
  return "";
}

std::string SimCase::Text() const {
  std::string text = absl::StrCat("seed ", seed, ", ", SimVerbName(verb),
                                  ", manner ", static_cast<int>(manner));
  for (const PlannedFault& fault : faults) {
    absl::StrAppend(&text, ", ", PartyName(fault.party), " step ", fault.step,
                    " ", FaultKindName(fault.kind));
  }
  return text;
}

// A repo with two archives, what a dead writer left, and a dead job.
struct Simulation::Prepared {
  explicit Prepared(PlaceKind kind);
  absl::Status Build();
  Ground Copy() const;

  const PlaceKind place_kind;
  PluginHost host{{}};
  Ground ground;
  std::string earlier;
  std::string doomed;
  std::string content;  // of each
  absl::Status built;
};

Simulation::Prepared::Prepared(PlaceKind kind) : place_kind(kind) {
  built = Build();
}

absl::Status Simulation::Prepared::Build() {
  HastyClock clock;
  ground.disk = std::make_unique<CrashFileSystem>(nullptr);
  ground.vfs = std::make_unique<SqliteVfs>(ground.disk.get());
  if (place_kind == PlaceKind::kObjects) {
    FakeObjectStore::Options options;
    options.now = absl::Now();
    ground.objects = std::make_shared<FakeObjectStore>(options);
  }
  const Context context = Context::Background();
  SLUICE_ASSIGN_OR_RETURN(auto catalog, OpenCatalog(ground, &clock));
  SLUICE_ASSIGN_OR_RETURN(auto place, OpenPlace(host, ground, &clock, {}));
  RepoInfo wanted;
  wanted.id = kRepoId;
  SLUICE_RETURN_IF_ERROR(InitRepo(context, *place, wanted).status());
  SLUICE_RETURN_IF_ERROR(catalog->AddRepo(context, Repository()));
  const auto archives = OpenArchives(place, &clock);

  SimScheduler scheduler(0);  // nobody enters it: steps pass through
  FaultScript script(&scheduler, [] {});
  const std::vector<std::string> pieces = Pieces(42);
  content = Joined(pieces);
  for (std::string* id : {&earlier, &doomed}) {
    auto store = std::make_shared<ScriptedStore>(
        &script, pieces, ScriptedStore::Manner::kProper);
    const BackupResult made =
        Executor(catalog.get(), &clock)
            .RunBackup(context, store, archives, Repository(), kStoreId,
                       "memory", {});
    SLUICE_RETURN_IF_ERROR(made.status);
    *id = made.record->id();
  }
  SLUICE_RETURN_IF_ERROR(
      WriteObject(*place, absl::StrCat(kDeadId, "/payload.bin"), "half"));
  BackupJob dead;
  dead.set_id("01HXXXXXXXXXXXXXXXXXXXXXXX");
  dead.set_kind(BackupJob::BACKUP);
  dead.set_status(BackupJob::RUNNING);
  dead.set_repo_id(kRepoId);
  dead.set_store_id("another");
  dead.set_store_kind("memory");
  dead.set_backup_id(kDeadId);
  SLUICE_RETURN_IF_ERROR(catalog->CreateBackupJob(context, dead));
  catalog.reset();
  ground.disk->Settle();
  return absl::OkStatus();
}

Ground Simulation::Prepared::Copy() const {
  Ground copy;
  ground.disk->ForEachCrash({}, [&](const CrashedDisk& disk) {
    copy.disk = disk.Mount();
    return false;
  });
  copy.vfs = std::make_unique<SqliteVfs>(copy.disk.get());
  if (ground.objects != nullptr) {
    FakeObjectStore::Options options;
    options.now = ground.objects->now();
    copy.objects = std::make_shared<FakeObjectStore>(options);
    for (const auto& [name, bytes] : ground.objects->objects()) {
      copy.objects->PutRaw(name, bytes);
    }
  }
  return copy;
}

// One case, from the copy of the ground to the last invariant.
class Simulation::Attempt {
 public:
  Attempt(const Prepared& prepared, const SimCase& sim_case)
      : prepared_(const_cast<Prepared&>(prepared)),
        case_(sim_case),
        ground_(prepared.Copy()),
        scheduler_(sim_case.seed),
        run_(Context::WithCancel(Context::Background())),
        script_(&scheduler_,
                [this] { run_.second(absl::CancelledError("the user")); }),
        pieces_(Pieces(sim_case.seed)) {
    for (const PlannedFault& fault : sim_case.faults) script_.Plan(fault);
  }

  SimResult Go() {
    const absl::Status told = RunVerb();
    SimResult result;
    for (Party party : kAllParties) {
      result.steps[static_cast<int>(party)] = script_.steps(party);
    }
    result.struck = script_.struck();
    result.trace = scheduler_.trace();
    result.succeeded = told.ok();
    result.abandoned = abandoned_;
    result.code = ErrorCodeOf(told);
    CheckStory(told, result.violations);
    CheckWorld(told, result.violations);
    return result;
  }

 private:
  absl::Status RunVerb() {
    Clock* const clock = scheduler_.clock();
    auto catalog = OpenCatalog(ground_, clock);
    auto place = OpenPlace(prepared_.host, ground_, clock, kStep);
    if (!catalog.ok()) return catalog.status();
    if (!place.ok()) return place.status();
    run_catalog_ = *std::move(catalog);
    catalog_ = run_catalog_.get();
    place_ = StepEachCall(*place, &script_);
    archives_ = OpenArchives(place_, clock);
    jobs_ = StepEachCall(catalog_, &script_);
    store_ = std::make_shared<ScriptedStore>(&script_, pieces_, case_.manner);
    scheduler_.EnterMain("caller");
    const absl::Status told = RunHere(clock);
    store_->Free();
    scheduler_.LeaveMain();
    if (job_.has_value()) RememberRows();
    archives_.reset();
    return told;
  }

  absl::Status RunHere(Clock* clock) {
    switch (case_.verb) {
      case SimVerb::kBackup:
        return Backup(clock);
      case SimVerb::kRestore:
        return Restore(clock);
      case SimVerb::kDelete:
        SLUICE_RETURN_IF_ERROR(archives_->Delete(run_.first, prepared_.doomed));
        return catalog_->DeleteRecord(run_.first, prepared_.doomed);
      case SimVerb::kSweep: {
        const auto report = archives_->Sweep(run_.first);
        if (!report.ok()) return report.status();
        return report->problems.empty() ? absl::OkStatus()
                                        : report->problems[0];
      }
      case SimVerb::kReconcile: {
        const BackupRepo repo = Repository();
        const auto report =
            ReconcileAll({*catalog_, place_, archives_, repo, clock});
        return report.ok() ? report->status() : report.status();
      }
    }
    return absl::InternalError("no such verb");
  }

  absl::Status Backup(Clock* clock) {
    RunBackupOptions options;
    options.pipe = {.chunk_bytes = 4096, .chunks = 3, .scheduler = &scheduler_};
    options.scratch_dir = "/tmp";
    options.before_publish = [this](const BackupJob& job) {
      return script_.Around(Party::kCatalog, "check_lease", [&] {
        return catalog_->BeginPublish(Context::Background(), job.id());
      });
    };
    const BackupResult result =
        Executor(jobs_.get(), clock)
            .RunBackup(run_.first, store_,
                       std::make_shared<OneViewDestination>(archives_),
                       Repository(), kStoreId, "memory", options);
    abandoned_ = result.source_abandoned;
    job_ = result.job;
    has_record_ = result.record.has_value();
    return result.status;
  }

  absl::Status Restore(Clock* clock) {
    RunRestoreOptions options;
    options.scheduler = &scheduler_;
    const RestoreResult result =
        Executor(jobs_.get(), clock)
            .RunRestore(run_.first, store_, archives_, Repository(),
                        prepared_.earlier, options);
    job_ = result.job;
    return result.status;
  }

  // What the catalog holds before anybody recovers.
  void RememberRows() {
    record_stored_ =
        catalog_->GetRecord(Context::Background(), job_->backup_id()).ok();
  }

  // Which error is told, and that what is returned agrees with itself.
  void CheckStory(const absl::Status& told, std::vector<std::string>& found) {
    const bool run =
        case_.verb == SimVerb::kBackup || case_.verb == SimVerb::kRestore;
    if (!run) return;
    if (case_.verb == SimVerb::kBackup && told.ok() != has_record_) {
      found.push_back("a record is present only on success");
    }
    if (!job_.has_value()) {
      if (told.ok()) found.push_back("success without a job");
      return;
    }
    if ((job_->status() == BackupJob::SUCCEEDED) != told.ok()) {
      found.push_back(
          absl::StrCat("the job says ", job_->status(), ": ", told.ToString()));
    }
    if (case_.verb == SimVerb::kBackup && !told.ok() && record_stored_ &&
        ErrorCodeOf(told) != kRecordPersistFailed) {
      found.push_back("a failed run left a record");
    }
    CheckCause(told, found);
  }

  // With one fault and a proper store, the error told is that fault's.
  void CheckCause(const absl::Status& told, std::vector<std::string>& found) {
    if (told.ok() || case_.faults.size() > 1 ||
        case_.manner != ScriptedStore::Manner::kProper) {
      return;
    }
    const std::string code = ErrorCodeOf(told);
    if (case_.faults.empty()) {
      found.push_back(absl::StrCat("failed for nothing: ", told.ToString()));
      return;
    }
    if (code == kPublishOutcomeUnknown || code == kRecordPersistFailed) return;
    const PlannedFault& fault = case_.faults[0];
    const bool right =
        fault.kind == FaultKind::kCancel
            ? code == kCancelled
            : code == ErrorCodeOf(FaultScript::Injected(fault.party, false));
    if (!right) {
      found.push_back(absl::StrCat("the wrong story: ", told.ToString()));
    }
  }

  // Recovers on sound parts when all leases are over.
  void CheckWorld(const absl::Status& told, std::vector<std::string>& found) {
    HastyClock clock(2 * kStep);
    // Its own connection: the run's is closed like that of a dead process.
    run_catalog_.reset();
    auto catalog = OpenCatalog(ground_, &clock);
    auto place = OpenPlace(prepared_.host, ground_, &clock, 2 * kStep);
    if (!catalog.ok() || !place.ok()) {
      found.push_back("cannot be opened again");
      return;
    }
    const auto archives = OpenArchives(*place, &clock);
    const BackupRepo repo = Repository();
    const std::set<std::string> published =
        RecoverAndCheck({**catalog, *place, archives, repo, &clock}, found);
    CheckPromises(told, *archives, published, found);
  }

  void CheckPromises(const absl::Status& told, Destination& archives,
                     const std::set<std::string>& published,
                     std::vector<std::string>& found) {
    const auto earlier = Download(archives, prepared_.earlier);
    if (!earlier.ok() || *earlier != prepared_.content) {
      found.push_back("I5: the earlier backup is harmed");
    }
    const bool doomed = published.count(prepared_.doomed) > 0;
    if (case_.verb != SimVerb::kDelete ? !doomed : told.ok() && doomed) {
      found.push_back("I5: the other backup is not as it should be");
    }
    if (case_.verb == SimVerb::kBackup && told.ok()) {
      const auto made = Download(archives, job_->backup_id());
      if (!made.ok() || *made != store_->written()) {
        found.push_back("I2: succeeded, and the archive is not the store's");
      }
    }
    if (case_.verb == SimVerb::kRestore) {
      const std::string& shown = store_->content();
      if (told.ok() ? shown != prepared_.content
                    : !shown.empty() && shown != prepared_.content) {
        found.push_back("I2: the target is neither whole nor empty");
      }
    }
  }

  Prepared& prepared_;
  const SimCase& case_;
  const Ground ground_;
  SimScheduler scheduler_;
  const std::pair<Context, Context::CancelFunction> run_;
  FaultScript script_;
  const std::vector<std::string> pieces_;
  std::unique_ptr<Catalog> run_catalog_;
  Catalog* catalog_ = nullptr;
  std::shared_ptr<ObjectStore> place_;
  std::shared_ptr<ArchiveDestination> archives_;
  std::unique_ptr<JobStore> jobs_;
  std::shared_ptr<ScriptedStore> store_;
  absl::optional<BackupJob> job_;
  bool abandoned_ = false;
  bool has_record_ = false;
  bool record_stored_ = false;
};

Simulation::Simulation(PlaceKind place)
    : prepared_(std::make_unique<Prepared>(place)) {}

Simulation::~Simulation() = default;

SimResult Simulation::Run(const SimCase& sim_case) const {
  if (!prepared_->built.ok()) {
    SimResult result;
    result.violations.push_back(prepared_->built.ToString());
    return result;
  }
  return Attempt(*prepared_, sim_case).Go();
}

}  // namespace sluice
