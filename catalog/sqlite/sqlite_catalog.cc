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
  const std::string& name = repo.name();
  bool good = !name.empty() && name.size() <= 63;
  for (size_t i = 0; good && i < name.size(); ++i) {
    const char c = name[i];
    const bool alphanumeric = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    good = alphanumeric || (i > 0 && (c == '.' || c == '_' || c == '-'));
  }
  if (!good) {
    return InvalidArgument(
        absl::StrCat("a repo's name is 1 to 63 of a-z 0-9 . _ -, "
                     "beginning with a letter or digit, not \"",
                     name, "\""));
  }
  if (repo.id().empty()) {
    return InvalidArgument("the repo id is empty");
  }
  return absl::OkStatus();
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
      alive_(Context::WithCancel(Context::Background())) {}

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
        return PutRepo(connection, repo);
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
        return PutRepo(connection, repo);
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
        return remove.Bind(id).Run();
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
        if (!same) return PutRecord(connection, record);
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

absl::Status SqliteCatalog::FlagRecord(const Context& context, const char* sql,
                                       bool flag,
                                       absl::string_view id_or_prefix) {
  return database_->Write(
      context, [&](SqliteConnection& connection) -> absl::Status {
        SLUICE_ASSIGN_OR_RETURN(const std::string id,
                                FindId(connection, "records", id_or_prefix));
        SLUICE_ASSIGN_OR_RETURN(SqliteStatement update,
                                connection.Prepare(sql));
        return update.Bind(int64_t{flag}).Bind(id).Run();
      });
}

absl::Status SqliteCatalog::SetPinned(const Context& context,
                                      absl::string_view id_or_prefix,
                                      bool pinned) {
  return FlagRecord(context, "UPDATE records SET pinned = ? WHERE id = ?",
                    pinned, id_or_prefix);
}

absl::Status SqliteCatalog::SetDamaged(const Context& context,
                                       absl::string_view id_or_prefix,
                                       bool damaged) {
  return FlagRecord(context, "UPDATE records SET damaged = ? WHERE id = ?",
                    damaged, id_or_prefix);
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
  if (absl::Status ready =
          EnsureSchema(context, *database, CatalogMigrations());
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
