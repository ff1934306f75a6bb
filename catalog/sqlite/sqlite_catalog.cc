#include "sluice/catalog/sqlite/sqlite_catalog.h"

#include <unistd.h>

#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "catalog/sqlite/sqlite_catalog_impl.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/catalog/sqlite/catalog_file.h"
#include "sluice/catalog/sqlite/rows.h"
#include "sluice/catalog/sqlite/schema.h"

namespace sluice {
namespace {

// What a person may change later (pinned, damaged) and the time it was written
// tell no two archives apart.
bool SameArchive(const BackupRecord& a, const BackupRecord& b) {
  return a.id() == b.id() && a.repo_id() == b.repo_id() &&
         a.store_id() == b.store_id() && a.store_kind() == b.store_kind() &&
         a.sha256() == b.sha256() && a.size_bytes() == b.size_bytes() &&
         a.plain_size_bytes() == b.plain_size_bytes();
}

absl::Status CheckRepoFields(const BackupRepo& repo) {
  SLUICE_RETURN_IF_ERROR(CheckName("repo", repo.name()));
  if (repo.id().empty()) {
    return InvalidArgument("the repo id is empty");
  }
  return absl::OkStatus();
}

absl::Status NoteRepo(SqliteConnection& connection, absl::string_view type,
                      absl::string_view repo_id, absl::Time at) {
  SLUICE_RETURN_IF_ERROR(RaiseSettingsRevision(connection));
  CatalogEvent event;
  event.at = at;
  event.type = std::string(type);
  event.repo_id = std::string(repo_id);
  return AppendEvent(connection, event);
}

absl::Status NoteRecord(SqliteConnection& connection, absl::string_view type,
                        const BackupRecord& record, absl::Time at) {
  CatalogEvent event;
  event.at = at;
  event.type = std::string(type);
  event.plan_id = record.plan_id();
  event.repo_id = record.repo_id();
  event.job_id = record.job_id();
  event.record_id = record.id();
  return AppendEvent(connection, event);
}

// PATH.before-v3 is the catalog of the version before, for who has to go back.
absl::Status CopyBeforeMigration(const Context& context,
                                 SqliteDatabase& database,
                                 const SqliteCatalogOptions& options) {
  FileSystem& files = *options.file_system;
  const std::string copy = absl::StrCat(options.path, ".before-v",
                                        CatalogMigrations().back().to_version);
  const std::string staged = absl::StrCat(copy, ".", getpid());
  files.Unlink(staged);
  absl::Status status = PrepareCatalogFile(files, staged);
  if (status.ok()) {
    status = database.Configure(
        context, [&](SqliteConnection& connection) -> absl::Status {
          SLUICE_ASSIGN_OR_RETURN(SqliteStatement copy_all,
                                  connection.Prepare("VACUUM INTO ?"));
          return copy_all.Bind(staged).Run();
        });
  }
  if (status.ok()) status = PublishCatalogFile(files, staged, copy);
  if (status.ok()) return status;
  files.Unlink(staged);
  return WithHint(Annotate(status, "copy the catalog before it is migrated"),
                  "make room beside the catalog; it was left as it is");
}

std::string DescribeOwner(const ProcessIdentity& self) {
  char host[256] = "?";
  gethostname(host, sizeof(host) - 1);
  return absl::StrCat(host, ":", self.pid);
}

}  // namespace

absl::Status NameTakenError(absl::string_view what) {
  return MakeError(absl::StatusCode::kAlreadyExists, kNameTaken,
                   absl::StrCat("the catalog holds another ", what));
}

SqliteCatalog::SqliteCatalog(const SqliteCatalogOptions& options,
                             std::unique_ptr<SqliteDatabase> database,
                             std::string catalog_id)
    : options_(options),
      database_(std::move(database)),
      catalog_id_(std::move(catalog_id)),
      self_(CurrentProcess()),
      owner_(DescribeOwner(self_)),
      alive_(Context::WithCancel(Context::Background())),
      plans_(database_.get(), options_.clock),
      queue_(
          database_.get(), options_.clock,
          [this](SqliteConnection& connection, absl::string_view job_id) {
            return BeginLease(connection, job_id);
          },
          [this](const Lease& lease) {
            held_.Add(lease.job_id, lease.fence, lease.expires_at_boot);
          }),
      events_(database_.get()),
      access_(database_.get()),
      nodes_(database_.get()),
      outbox_(database_.get()),
      settings_(database_.get()) {}

absl::Status SqliteCatalog::StartHeartbeat() {
  SLUICE_ASSIGN_OR_RETURN(thread_,
                          Thread::Start("catalog", [this] { Heartbeat(); }));
  return absl::OkStatus();
}

SqliteCatalog::~SqliteCatalog() {
  alive_.second(absl::CancelledError("the catalog is being closed"));
  held_.Stop();
  thread_.Join();
}

absl::Status SqliteCatalog::WriteUrgently(const Context& context,
                                          SqliteDatabase::Body body) {
  absl::Status status = database_->Write(context, body);
  if (ErrorCodeOf(status) == kCatalogNoSpace &&
      GiveUpReserve(*options_.file_system, options_.path))
    status = database_->Write(context, body);
  return status;
}

// --- repos

absl::StatusOr<std::string> SqliteCatalog::FindRepo(
    SqliteConnection& connection, absl::string_view name_or_id) {
  SLUICE_ASSIGN_OR_RETURN(
      SqliteStatement select,
      connection.Prepare("SELECT id FROM repos WHERE name = ?"));
  SLUICE_ASSIGN_OR_RETURN(const bool row, select.Bind(name_or_id).Step());
  if (row) return select.Text(0);
  return FindId(connection, "repos", name_or_id);
}

absl::Status SqliteCatalog::AddRepo(const Context& context,
                                    const BackupRepo& repo) {
  SLUICE_RETURN_IF_ERROR(CheckRepoFields(repo));
  return database_->Write(
      context, [&](SqliteConnection& connection) -> absl::Status {
        SLUICE_ASSIGN_OR_RETURN(const std::vector<BackupRepo> repos,
                                ReadRepos(connection));
        for (const BackupRepo& other : repos) {
          if (other.id() != repo.id() && other.name() != repo.name()) continue;
          if (other.id() == repo.id() && other.name() == repo.name() &&
              other.config() == repo.config())
            return absl::OkStatus();
          return NameTakenError(
              absl::StrCat("repo, ", other.name(), " (", other.id(), ")"));
        }
        SLUICE_RETURN_IF_ERROR(PutRepo(connection, repo));
        return NoteRepo(connection, "repo.added", repo.id(),
                        options_.clock->Now());
      });
}

absl::Status SqliteCatalog::UpdateRepo(const Context& context,
                                       const BackupRepo& repo) {
  SLUICE_RETURN_IF_ERROR(CheckRepoFields(repo));
  return database_->Write(
      context, [&](SqliteConnection& connection) -> absl::Status {
        SLUICE_ASSIGN_OR_RETURN(const std::vector<BackupRepo> repos,
                                ReadRepos(connection));
        bool found = false;
        for (const BackupRepo& other : repos) {
          if (other.id() == repo.id()) found = true;
          if (other.id() != repo.id() && other.name() == repo.name())
            return NameTakenError(absl::StrCat("repo ", repo.name()));
        }
        if (!found) {
          return MakeError(absl::StatusCode::kNotFound, kRepoNotFound,
                           absl::StrCat("there is no repo ", repo.id()));
        }
        SLUICE_RETURN_IF_ERROR(PutRepo(connection, repo));
        return NoteRepo(connection, "repo.changed", repo.id(),
                        options_.clock->Now());
      });
}

absl::StatusOr<BackupRepo> SqliteCatalog::GetRepo(
    const Context& context, absl::string_view name_or_id) {
  return database_->Get<BackupRepo>(context, [&](SqliteConnection& connection) {
    return RowOf(connection, FindRepo(connection, name_or_id), &ReadRepo);
  });
}

absl::StatusOr<std::vector<BackupRepo>> SqliteCatalog::ListRepos(
    const Context& context) {
  return database_->Get<std::vector<BackupRepo>>(context, &ReadRepos);
}

absl::Status SqliteCatalog::RemoveRepo(const Context& context,
                                       absl::string_view name_or_id) {
  return database_->Write(
      context, [&](SqliteConnection& connection) -> absl::Status {
        SLUICE_ASSIGN_OR_RETURN(const std::string id,
                                FindRepo(connection, name_or_id));
        SLUICE_ASSIGN_OR_RETURN(
            SqliteStatement remove,
            connection.Prepare("DELETE FROM repos WHERE id = ?"));
        SLUICE_RETURN_IF_ERROR(remove.Bind(id).Run());
        return NoteRepo(connection, "repo.removed", id, options_.clock->Now());
      });
}

// --- records

absl::Status SqliteCatalog::CreateBackupRecord(const Context& context,
                                               const BackupRecord& record) {
  if (record.id().empty()) {
    return InvalidArgument("the record id is empty");
  }
  return WriteUrgently(
      context, [&](SqliteConnection& connection) -> absl::Status {
        SLUICE_ASSIGN_OR_RETURN(const absl::optional<BackupRecord> same,
                                ReadRecord(connection, record.id()));
        if (!same) {
          SLUICE_RETURN_IF_ERROR(PutRecord(connection, record));
          return NoteRecord(connection, "backup.recorded", record,
                            options_.clock->Now());
        }
        return SameArchive(*same, record)
                   ? absl::OkStatus()
                   : NameTakenError(absl::StrCat("record ", record.id()));
      });
}

absl::StatusOr<BackupRecord> SqliteCatalog::GetRecord(
    const Context& context, absl::string_view id_or_prefix) {
  return database_->Get<BackupRecord>(
      context, [&](SqliteConnection& connection) {
        return RowOf(connection, FindId(connection, "records", id_or_prefix),
                     &ReadRecord);
      });
}

absl::StatusOr<std::vector<BackupRecord>> SqliteCatalog::ListRecords(
    const Context& context, const CatalogFilter& filter) {
  return database_->Get<std::vector<BackupRecord>>(
      context, [&](SqliteConnection& connection) {
        return ReadRecords(connection, filter);
      });
}

absl::Status SqliteCatalog::ChangeRecord(
    const Context& context, absl::string_view id_or_prefix,
    absl::FunctionRef<absl::Status(SqliteConnection&, absl::string_view)>
        change) {
  return database_->Write(
      context, [&](SqliteConnection& connection) -> absl::Status {
        SLUICE_ASSIGN_OR_RETURN(const std::string id,
                                FindId(connection, "records", id_or_prefix));
        SLUICE_RETURN_IF_ERROR(change(connection, id));
        SLUICE_ASSIGN_OR_RETURN(const absl::optional<BackupRecord> record,
                                ReadRecord(connection, id));
        return NoteRecord(connection, "backup.changed", *record,
                          options_.clock->Now());
      });
}

absl::Status SqliteCatalog::SetPin(const Context& context,
                                   absl::string_view id_or_prefix,
                                   const absl::optional<Pin>& pin) {
  return ChangeRecord(
      context, id_or_prefix,
      [&](SqliteConnection& connection, absl::string_view id) -> absl::Status {
        SLUICE_ASSIGN_OR_RETURN(
            SqliteStatement update,
            connection.Prepare("UPDATE records SET pinned = ?, pin_reason = ?, "
                               "pin_ends_at_ms = ? WHERE id = ?"));
        const bool ends =
            pin.has_value() && pin->until != absl::InfiniteFuture();
        SLUICE_RETURN_IF_ERROR(RaiseSettingsRevision(connection));
        return update.Bind(int64_t{pin.has_value()})
            .Bind(pin.has_value() ? pin->reason : "")
            .Bind(ends ? absl::ToUnixMillis(pin->until) : 0)
            .Bind(id)
            .Run();
      });
}

absl::Status SqliteCatalog::SetDamaged(const Context& context,
                                       absl::string_view id_or_prefix,
                                       bool damaged) {
  return ChangeRecord(
      context, id_or_prefix,
      [&](SqliteConnection& connection, absl::string_view id) -> absl::Status {
        SLUICE_ASSIGN_OR_RETURN(
            SqliteStatement update,
            connection.Prepare("UPDATE records SET damaged = ? WHERE id = ?"));
        return update.Bind(int64_t{damaged}).Bind(id).Run();
      });
}

absl::Status SqliteCatalog::SetVerified(const Context& context,
                                        absl::string_view id_or_prefix,
                                        BackupRecord::Depth depth,
                                        absl::Time at) {
  return ChangeRecord(
      context, id_or_prefix,
      [&](SqliteConnection& connection, absl::string_view id) -> absl::Status {
        SLUICE_ASSIGN_OR_RETURN(
            SqliteStatement update,
            connection.Prepare(
                "UPDATE records SET verified_depth = max(verified_depth, ?1), "
                "verified_at_ms = max(verified_at_ms, ?2), restored_at_ms = "
                "CASE WHEN ?1 = ?3 THEN max(restored_at_ms, ?2) ELSE "
                "restored_at_ms END WHERE id = ?4"));
        return update.Bind(int64_t{depth})
            .Bind(absl::ToUnixMillis(at))
            .Bind(int64_t{BackupRecord::RESTORED})
            .Bind(id)
            .Run();
      });
}

absl::Status SqliteCatalog::DeleteRecord(const Context& context,
                                         absl::string_view id_or_prefix) {
  return database_->Write(
      context, [&](SqliteConnection& connection) -> absl::Status {
        SLUICE_ASSIGN_OR_RETURN(const std::string id,
                                FindId(connection, "records", id_or_prefix));
        SLUICE_ASSIGN_OR_RETURN(
            SqliteStatement warnings,
            connection.Prepare(
                "DELETE FROM warnings WHERE of = 'record' AND id = ?"));
        SLUICE_RETURN_IF_ERROR(warnings.Bind(id).Run());
        SLUICE_ASSIGN_OR_RETURN(const absl::optional<BackupRecord> record,
                                ReadRecord(connection, id));
        SLUICE_RETURN_IF_ERROR(NoteRecord(connection, "backup.removed", *record,
                                          options_.clock->Now()));
        SLUICE_ASSIGN_OR_RETURN(
            SqliteStatement remove,
            connection.Prepare("DELETE FROM records WHERE id = ?"));
        return remove.Bind(id).Run();
      });
}

absl::StatusOr<std::unique_ptr<Catalog>> OpenSqliteCatalog(
    const Context& context, const SqliteCatalogOptions& options) {
  if (options.path.empty() || options.path.find('\0') != std::string::npos ||
      options.lease < absl::Milliseconds(10)) {
    return InvalidArgument(
        "the catalog's path is empty, or its lease too short");
  }
  SLUICE_RETURN_IF_ERROR(
      PrepareCatalogFile(*options.file_system, options.path));
  SLUICE_ASSIGN_OR_RETURN(
      std::unique_ptr<SqliteDatabase> database,
      SqliteDatabase::Open({options.path, options.vfs, options.clock,
                            options.busy_timeout, options.exclusive}));
  if (absl::Status ready = EnsureSchema(context, *database, CatalogMigrations(),
                                        [&](int64_t) {
                                          return CopyBeforeMigration(
                                              context, *database, options);
                                        });
      !ready.ok())
    return Annotate(ready, options.path);
  std::string id;
  SLUICE_RETURN_IF_ERROR(
      database->Read(context, [&](SqliteConnection& connection) {
        SLUICE_ASSIGN_OR_RETURN(SqliteStatement select,
                                connection.Prepare("SELECT id FROM catalog"));
        SLUICE_ASSIGN_OR_RETURN(const bool row, select.Step());
        if (row) id = select.Text(0);
        return absl::OkStatus();
      }));
  // By now the log is there, and stays for as long as we have it open.
  SLUICE_RETURN_IF_ERROR(SyncCatalogFolder(*options.file_system, options.path));
  KeepReserve(*options.file_system, options.path, options.reserve_bytes);
  auto catalog = std::make_unique<SqliteCatalog>(options, std::move(database),
                                                 std::move(id));
  if (options.heartbeat) SLUICE_RETURN_IF_ERROR(catalog->StartHeartbeat());
  return std::unique_ptr<Catalog>(std::move(catalog));
}

}  // namespace sluice
