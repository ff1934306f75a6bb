#include "sluice/tests/faults/world.h"

#include <fcntl.h>

#include <map>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sluice/base/status_macros.h"
#include "sluice/catalog/sqlite/sqlite_catalog.h"
#include "sluice/destinations/archive/archive_destination.h"
#include "sluice/destinations/archive/protocol/lease.h"
#include "sluice/destinations/archive/protocol/repo.h"
#include "sluice/destinations/local/local_object_store.h"
#include "sluice/executor/executor.h"
#include "sluice/executor/ulid.h"
#include "sluice/plugins/host/plugin_host.h"
#include "sluice/plugins/memory/folder/folder_target.h"
#include "sluice/plugins/memory/memory_source.h"
#include "sluice/plugins/memory/store/memory_store.h"
#include "sluice/plugins/sdk/wrap.h"
#include "sluice/tests/faults/invariants.h"
#include "sluice/tests/faults/later_store.h"

namespace sluice {
namespace {

constexpr char kRepoId[] = "01HZZZZZZZZZZZZZZZZZZZZZZZ";
constexpr char kStoreId[] = "orders";

// The store, and what a restore must bring back.
const std::map<std::string, std::string>& Content() {
  static const auto* const content = new std::map<std::string, std::string>{
      {"a/1", std::string(300, 'x')}, {"a/2", ""}, {"b", "short"}};
  return *content;
}

absl::StatusOr<std::shared_ptr<MemoryStore>> MakeStore() {
  SLUICE_ASSIGN_OR_RETURN(auto store, MemoryStore::Create(kStoreId));
  for (const auto& [key, value] : Content()) {
    SLUICE_RETURN_IF_ERROR(store->Put(key, value, {absl::StrCat("id-", key)}));
  }
  return store;
}

// A job store whose owner dies before the end: nothing terminal is written.
class DyingJobStore final : public JobStore {
 public:
  explicit DyingJobStore(JobStore* inner) : inner_(inner) {}

  std::string catalog_id() const override { return inner_->catalog_id(); }
  absl::Status CreateBackupJob(const Context& context,
                               const BackupJob& job) override {
    return inner_->CreateBackupJob(context, job);
  }
  absl::Status UpdateBackupJob(const Context&, const BackupJob&) override {
    return absl::FailedPreconditionError("the owner is dead");
  }
  absl::Status UpdateBackupJobProgress(const Context&, absl::string_view,
                                       uint32_t, uint64_t,
                                       absl::string_view) override {
    return absl::OkStatus();
  }
  absl::Status CreateBackupRecord(const Context&,
                                  const BackupRecord&) override {
    return absl::FailedPreconditionError("the owner is dead");
  }

 private:
  JobStore* const inner_;
};

absl::StatusOr<std::string> ReadAll(FileSystem& files,
                                    const std::string& path) {
  auto file = files.Open(path, O_RDONLY, 0);
  if (!file.ok()) return absl::NotFoundError(path);
  std::string bytes;
  char buffer[4096];
  while (true) {
    auto read = file.value->Read(absl::MakeSpan(buffer));
    if (!read.ok()) return absl::DataLossError(path);
    if (read.value == 0) return bytes;
    bytes.append(buffer, read.value);
  }
}

// Every regular file below `folder`, relative, with its bytes.
absl::StatusOr<std::map<std::string, std::string>> ReadTree(
    FileSystem& files, const std::string& folder, const std::string& prefix) {
  std::map<std::string, std::string> tree;
  auto listed = files.List(folder);
  if (listed.error == ENOENT) return tree;
  if (!listed.ok()) return absl::InternalError(folder);
  for (const DirectoryEntry& entry : listed.value) {
    const std::string path = absl::StrCat(folder, "/", entry.name);
    if (entry.type == FileInfo::Type::kDirectory) {
      SLUICE_ASSIGN_OR_RETURN(
          auto below,
          ReadTree(files, path, absl::StrCat(prefix, entry.name, "/")));
      tree.merge(below);
    } else {
      SLUICE_ASSIGN_OR_RETURN(tree[prefix + entry.name], ReadAll(files, path));
    }
  }
  return tree;
}

// Everything that one process has open for a verb.
class Parts {
 public:
  static absl::StatusOr<std::unique_ptr<Parts>> Open(
      const WorldOptions& options) {
    auto parts = std::unique_ptr<Parts>(new Parts(options));
    SqliteCatalogOptions catalog;
    catalog.path = absl::StrCat(options.root, "/catalog/catalog.db");
    catalog.clock = options.clock;
    catalog.file_system = options.files;
    catalog.vfs = options.vfs;
    catalog.exclusive = !options.vfs.empty();
    catalog.heartbeat = false;
    SLUICE_ASSIGN_OR_RETURN(parts->catalog_,
                            OpenSqliteCatalog(parts->context_, catalog));
    LocalOptions local;
    local.path = absl::StrCat(options.root, "/repo");
    local.file_system = options.files;
    local.clock = options.clock;
    SLUICE_ASSIGN_OR_RETURN(
        auto place,
        parts->host_.AdoptPlace(
            "local",
            sdk::WrapPlace(std::make_unique<LocalObjectStore>(local))));
    parts->place_ = std::make_shared<LaterStore>(place, options.later);
    ArchiveOptions archive;
    archive.repo_id = kRepoId;
    archive.segment_bytes = options.segment_bytes;
    parts->archives_ =
        ArchiveDestination::Create(parts->place_, options.clock, archive);
    parts->repo_.set_id(kRepoId);
    parts->repo_.set_name("repo");
    parts->repo_.set_kind("local");
    return parts;
  }

  absl::Status InitRepository() {
    RepoInfo wanted;
    wanted.id = kRepoId;
    SLUICE_RETURN_IF_ERROR(InitRepo(context_, *place_, wanted).status());
    return catalog_->AddRepo(context_, repo_);
  }

  World::Told Backup(JobStore* jobs) {
    World::Told told;
    auto source = Source();
    if (!source.ok()) return {source.status(), ""};
    RunBackupOptions run;
    run.abandon_after = absl::Minutes(10);
    run.scratch_dir = "/tmp";
    run.before_publish = [&](const BackupJob& job) {
      return catalog_->BeginPublish(context_, job.id());
    };
    const BackupResult result = Executor(jobs, options_.clock)
                                    .RunBackup(context_, *source, archives_,
                                               repo_, kStoreId, "memory", run);
    told.status = result.status;
    if (result.job.has_value()) told.backup_id = result.job->backup_id();
    return told;
  }

  absl::Status Restore(Verb verb, absl::string_view backup_id) {
    FolderTargetOptions target;
    if (verb == Verb::kRestoreMany) target.few_files = 1;
    target.folder = absl::StrCat(options_.root, "/out");
    SLUICE_ASSIGN_OR_RETURN(
        auto store,
        host_.AdoptSource("memory", sdk::WrapSource(MakeFolderTarget(
                                        options_.files, target))));
    RunRestoreOptions run;
    run.abandon_after = absl::Minutes(10);
    return Executor(catalog_.get(), options_.clock)
        .RunRestore(context_, store, archives_, repo_, backup_id, run)
        .status;
  }

  absl::Status Delete(absl::string_view backup_id) {
    SLUICE_RETURN_IF_ERROR(archives_->Delete(context_, backup_id));
    return catalog_->DeleteRecord(context_, backup_id);
  }

  absl::Status Sweep() {
    SLUICE_ASSIGN_OR_RETURN(SweepReport report, archives_->Sweep(context_));
    return report.problems.empty() ? absl::OkStatus() : report.problems[0];
  }

  absl::Status Reconcile() {
    const auto report = ReconcileAll(house());
    return report.ok() ? report->status() : report.status();
  }

  House house() {
    return {*catalog_, place_, archives_, repo_, options_.clock};
  }
  Catalog& catalog() { return *catalog_; }

 private:
  explicit Parts(const WorldOptions& options) : options_(options), host_({}) {}

  absl::StatusOr<std::shared_ptr<Backupable>> Source() {
    SLUICE_ASSIGN_OR_RETURN(auto store, MakeStore());
    return host_.AdoptSource("memory",
                             sdk::WrapSource(MakeMemorySource(store)));
  }

  const WorldOptions options_;
  const Context context_ = Context::Background();
  PluginHost host_;
  BackupRepo repo_;
  std::unique_ptr<Catalog> catalog_;
  std::shared_ptr<ObjectStore> place_;
  std::shared_ptr<ArchiveDestination> archives_;
};

// What a writer that died leaves: its lease, a segment, an object under way.
absl::Status LeaveRemains(FileSystem& files, const std::string& repo) {
  const std::string folder = repo + "/01HYYYYYYYYYYYYYYYYYYYYYYY";
  if (int error = files.MakeDirectory(folder, 0700)) {
    return absl::InternalError(absl::StrCat("mkdir: ", error));
  }
  const std::pair<const char*, std::string> remains[] = {
      {"writer.json", EncodeWriter({"a dead one", absl::UnixEpoch()})},
      {"payload.bin", "half"},
      {".sluice-0123456789abcdef-1-payload.bin.0001", "torn"}};
  for (const auto& [name, bytes] : remains) {
    auto file = files.Open(absl::StrCat(folder, "/", name),
                           O_WRONLY | O_CREAT | O_EXCL, 0600);
    if (!file.ok() || !file.value->Write(bytes).ok() ||
        file.value->Sync() != 0 || file.value->Close() != 0) {
      return absl::InternalError("cannot leave remains");
    }
  }
  return absl::OkStatus();
}

// A job whose archive was published and never recorded, and then the death of
// its owner. Its store and repo are free again once the lease is over.
absl::Status LeaveDeadJob(Parts& parts) {
  DyingJobStore dying(&parts.catalog());
  const World::Told told = parts.Backup(&dying);
  return told.status.ok() ? absl::InternalError("the owner did not die")
                          : absl::OkStatus();
}

// All of the store, or nothing and the restore can be had again.
void CheckTarget(Verb verb, Parts& parts, const WorldOptions& options,
                 const std::string& backup_id,
                 const absl::optional<World::Told>& told,
                 std::vector<std::string>& found) {
  const std::string out = options.root + "/out";
  auto tree = ReadTree(*options.files, out, "");
  if (tree.ok() && *tree == Content()) return;
  if (told.has_value() && told->status.ok()) {
    found.push_back("I2: a restore succeeded, and is not there");
    return;
  }
  if (absl::Status again = parts.Restore(verb, backup_id); !again.ok()) {
    found.push_back(
        absl::StrCat("I2: cannot be restored again: ", again.ToString()));
    return;
  }
  tree = ReadTree(*options.files, out, "");
  if (!tree.ok() || *tree != Content()) {
    found.push_back("I2: restored again, and is not right");
  }
}

}  // namespace

absl::string_view VerbName(Verb verb) {
  switch (verb) {
    case Verb::kBackup:
      return "backup";
    case Verb::kRestore:
      return "restore";
    case Verb::kRestoreMany:
      return "restore_many";
    case Verb::kDelete:
      return "delete";
    case Verb::kSweep:
      return "sweep";
    case Verb::kReconcile:
      return "reconcile";
  }
  return "";
}

World::World(const WorldOptions& options, Ids ids)
    : options_(options), ids_(std::move(ids)) {}

absl::Status World::Prepare(Verb verb) {
  SLUICE_ASSIGN_OR_RETURN(auto parts, Parts::Open(options_));
  SLUICE_RETURN_IF_ERROR(parts->InitRepository());
  for (std::string* id : {&ids_.earlier, &ids_.doomed}) {
    Told told = parts->Backup(&parts->catalog());
    SLUICE_RETURN_IF_ERROR(told.status);
    *id = told.backup_id;
  }
  if (verb == Verb::kSweep) {
    return LeaveRemains(*options_.files, options_.root + "/repo");
  }
  return verb == Verb::kReconcile ? LeaveDeadJob(*parts) : absl::OkStatus();
}

World::Told World::Run(Verb verb) {
  auto parts = Parts::Open(options_);
  if (!parts.ok()) return {parts.status(), ""};
  switch (verb) {
    case Verb::kBackup:
      return (*parts)->Backup(&(*parts)->catalog());
    case Verb::kRestore:
    case Verb::kRestoreMany:
      return {(*parts)->Restore(verb, ids_.earlier), ""};
    case Verb::kDelete:
      return {(*parts)->Delete(ids_.doomed), ""};
    case Verb::kSweep:
      return {(*parts)->Sweep(), ""};
    case Verb::kReconcile:
      return {(*parts)->Reconcile(), ""};
  }
  return {};
}

std::vector<std::string> World::Violations(Verb verb,
                                           const absl::optional<Told>& told) {
  std::vector<std::string> found;
  auto opened = Parts::Open(options_);
  if (!opened.ok()) {
    return {absl::StrCat("cannot be opened: ", opened.status().ToString())};
  }
  Parts& parts = **opened;
  const std::set<std::string> published = RecoverAndCheck(parts.house(), found);
  if (published.count(ids_.earlier) == 0) {
    found.push_back("I5: an earlier backup is gone");
  }
  const bool done = told.has_value() && told->status.ok();
  if (verb != Verb::kDelete && published.count(ids_.doomed) == 0) {
    found.push_back("I5: another earlier backup is gone");
  }
  if (verb == Verb::kDelete && done && published.count(ids_.doomed) > 0) {
    found.push_back("a delete succeeded, and the archive is there");
  }
  if (verb == Verb::kBackup && done && published.count(told->backup_id) == 0) {
    found.push_back("I2: a backup succeeded, and is not there");
  }
  if (verb == Verb::kRestore || verb == Verb::kRestoreMany) {
    CheckTarget(verb, parts, options_, ids_.earlier, told, found);
  }
  return found;
}

}  // namespace sluice
