#include "sluice/plugins/postgres/restore/staging_database.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/postgres/client/quote.h"
#include "sluice/plugins/postgres/client/sql_error.h"
#include "sluice/plugins/postgres/database/database_properties.h"
#include "sluice/plugins/postgres/database/database_remover.h"
#include "sluice/plugins/postgres/database/leftovers.h"
#include "sluice/plugins/postgres/database/role_map.h"
#include "sluice/plugins/sdk/run.h"

namespace sluice::postgres {
namespace {

constexpr absl::string_view kObjectInUse = "55006";

absl::Status InUse(const absl::Status& status) {
  if (SqlStateOf(status) != kObjectInUse) return status;
  return WithHint(MakeError(absl::StatusCode::kFailedPrecondition,
                            kRestorePreconditionFailed, status.message()),
                  "close every session in the database that is restored into");
}

// To DROP a database begins with a checkpoint, which fails on a full disk; to
// drop a table takes no room. One that cannot be dropped, such as an
// extension's, stays.
absl::Status DropTables(const ConnectionOptions& options,
                        const Interrupt* interrupt) {
  SLUICE_ASSIGN_OR_RETURN(const std::unique_ptr<Connection> connection,
                          Connection::Open(options, interrupt));
  return connection
      ->Exec(
          "DO $$ DECLARE t record; BEGIN"
          " FOR t IN SELECT nspname, relname FROM pg_catalog.pg_class c"
          "  JOIN pg_catalog.pg_namespace n ON n.oid = relnamespace"
          "  WHERE relkind IN ('r', 'p') AND c.oid >= 16384 LOOP"
          "  BEGIN EXECUTE pg_catalog.format("
          "   'DROP TABLE IF EXISTS %I.%I CASCADE', t.nspname, t.relname);"
          "  EXCEPTION WHEN OTHERS THEN NULL; END;"
          " END LOOP; END $$")
      .status();
}

}  // namespace

StagingDatabase::StagingDatabase(const RestoreOptions& options,
                                 const PayloadDatabase& here,
                                 const Interrupt* interrupt)
    : options_(options),
      interrupt_(interrupt),
      target_(here.name),
      admin_options_(options.target),
      staging_options_(options.target),
      here_(here) {}

StagingDatabase::~StagingDatabase() = default;

absl::StatusOr<std::unique_ptr<StagingDatabase>> StagingDatabase::Create(
    const RestoreOptions& options, const PayloadDatabase& here,
    const Interrupt* interrupt, const Warn& warn) {
  std::unique_ptr<StagingDatabase> staging(
      new StagingDatabase(options, here, interrupt));
  SLUICE_RETURN_IF_ERROR(staging->Administer());
  SLUICE_RETURN_IF_ERROR(staging->Lock());
  SLUICE_RETURN_IF_ERROR(RemoveLeftovers(*staging->admin_, options.target,
                                         staging->target_oid_, *interrupt)
                             .status());
  staging->created_ = true;  // also where an answer is lost
  const absl::Status made = staging->Make();
  if (made.ok()) return staging;
  const std::string left = staging->Discard(options.cancel_patience);
  if (!left.empty()) warn("staging_database_left", left);
  return made;
}

absl::Status StagingDatabase::Make() {
  SLUICE_RETURN_IF_ERROR(
      CreatePlaceholders(*admin_, options_.role_map, target_oid_));
  options_.Step("create");
  return options_.in_place
             ? OpenInPlace()
             : Annotate(CreateBeside(),
                        "create the database that is restored into first");
}

absl::Status StagingDatabase::CreateBeside() {
  SLUICE_RETURN_IF_ERROR(
      admin_->Exec(CreateDatabaseSql(staging_, here_, admin_->server_version()))
          .status());
  SLUICE_ASSIGN_OR_RETURN(
      const Result oid,
      admin_->ExecParams(
          "SELECT oid FROM pg_catalog.pg_database WHERE datname = $1",
          {Param(staging_)}));
  staging_oid_ = oid.Text(0, 0);
  return absl::OkStatus();
}

// A half-restored database must not be taken for a whole one.
absl::Status StagingDatabase::OpenInPlace() {
  const absl::Status closed =
      admin_
          ->Exec(absl::StrCat(
              "DO $$ BEGIN IF (SELECT rolsuper FROM pg_catalog.pg_roles WHERE"
              " rolname = current_user) THEN EXECUTE pg_catalog.format("
              "'ALTER DATABASE %I CONNECTION LIMIT 0', ",
              QuoteLiteral(target_), "); END IF; END $$"))
          .status();
  return Annotate(closed, "close the database to others");
}

// Not from the target: it is to be renamed.
absl::Status StagingDatabase::Administer() {
  SLUICE_ASSIGN_OR_RETURN(admin_,
                          OpenAdmin(options_.target, target_, interrupt_));
  admin_options_.Set("dbname", admin_->database());
  SLUICE_ASSIGN_OR_RETURN(
      const Result oid,
      admin_->ExecParams(
          "SELECT oid FROM pg_catalog.pg_database WHERE datname = $1",
          {Param(target_)}));
  if (oid.rows() != 1) {
    return MakeError(absl::StatusCode::kNotFound, kSourceUnavailable,
                     absl::StrCat("database ", target_, " is gone"));
  }
  target_oid_ = oid.Text(0, 0);
  staging_ = options_.in_place ? target_ : StagingName(target_oid_);
  old_ = OldName(target_oid_);
  staging_options_.Set("dbname", staging_);
  return absl::OkStatus();
}

absl::Status StagingDatabase::Lock() {
  SLUICE_ASSIGN_OR_RETURN(const bool locked,
                          TryLockTarget(*admin_, target_oid_));
  if (locked) return absl::OkStatus();
  return WithHint(MakeError(absl::StatusCode::kFailedPrecondition,
                            kRestorePreconditionFailed,
                            absl::StrCat("another restore into database ",
                                         target_, " is running")),
                  "wait for it to end, or restore into another database");
}

absl::Status StagingDatabase::Publish(const PayloadDatabase& properties,
                                      absl::string_view store_id,
                                      const Warn& warn) {
  options_.Step("properties");
  SLUICE_RETURN_IF_ERROR(
      ApplyDatabaseProperties(*admin_, staging_, properties, warn));
  SLUICE_RETURN_IF_ERROR(DropPlaceholders(*admin_, target_oid_));
  SLUICE_RETURN_IF_ERROR(KeepStoreId(store_id, warn));
  SLUICE_RETURN_IF_ERROR(interrupt_->status());
  options_.Step("swap");
  if (!options_.in_place) SLUICE_RETURN_IF_ERROR(InUse(Swap()));
  published_ = true;
  options_.Step("drop old");
  if (!options_.in_place) DropOld(warn);
  options_.Step("dropped");
  return absl::OkStatus();
}

// Some servers let nobody but a superuser set a parameter that they do not
// know.
absl::Status StagingDatabase::KeepStoreId(absl::string_view store_id,
                                          const Warn& warn) {
  if (store_id.empty()) return absl::OkStatus();
  const absl::Status kept =
      admin_
          ->Exec(absl::StrCat("ALTER DATABASE ", QuoteIdentifier(staging_),
                              " SET ", kStoreIdSetting, " = ",
                              QuoteLiteral(store_id)))
          .status();
  if (!absl::IsPermissionDenied(kept)) return kept;
  warn("store_id_not_kept",
       absl::StrCat("only a superuser may keep the store's id in the database: "
                    "name it as store_id=",
                    store_id, " when it is backed up"));
  return absl::OkStatus();
}

absl::Status StagingDatabase::Swap() {
  const absl::Status swapped =
      admin_
          ->Exec(absl::StrCat("BEGIN; ALTER DATABASE ",
                              QuoteIdentifier(target_), " RENAME TO ",
                              QuoteIdentifier(old_), "; ALTER DATABASE ",
                              QuoteIdentifier(staging_), " RENAME TO ",
                              QuoteIdentifier(target_), "; COMMIT"))
          .status();
  if (swapped.ok()) return swapped;
  // The commit may have been done and its answer lost: look.
  const absl::StatusOr<bool> done = SettleSwap();
  if (done.ok() && *done) return absl::OkStatus();
  return swapped;
}

absl::StatusOr<bool> StagingDatabase::SettleSwap() {
  const Interrupt patience(sdk::Run(), absl::Now() + absl::Seconds(2));
  SLUICE_ASSIGN_OR_RETURN(const std::unique_ptr<Connection> look,
                          Connection::Open(admin_options_, &patience));
  SLUICE_ASSIGN_OR_RETURN(
      const Result oid,
      look->ExecParams(
          "SELECT oid FROM pg_catalog.pg_database WHERE datname = $1",
          {Param(target_)}));
  return oid.rows() == 1 && oid.Get(0, 0) == staging_oid_;
}

// It is restored now, whatever comes of the old one, and of the run.
void StagingDatabase::DropOld(const Warn& warn) {
  const Interrupt patience(sdk::Run(), absl::Now() + absl::Seconds(10));
  // A session of its own: that of the lock may have ended with the swap.
  const absl::StatusOr<std::unique_ptr<Connection>> admin =
      Connection::Open(admin_options_, &patience);
  const absl::Status dropped =
      admin.ok() ? DropOldDatabase(**admin, options_.target, old_, patience)
                 : admin.status();
  if (dropped.ok()) return;
  warn("old_database_kept",
       absl::StrCat("the empty database that was there before is kept as ",
                    old_, ": ", dropped.message()));
}

std::string StagingDatabase::Discard(absl::Duration patience,
                                     bool disk_is_full) {
  if (!created_ || published_) return "";
  const Interrupt interrupt(sdk::Run(), absl::Now() + patience);
  if (disk_is_full) DropTables(staging_options_, &interrupt).IgnoreError();
  const absl::Status dropped = DropStaging(interrupt);
  if (options_.in_place) {
    return absl::StrCat("database ", target_,
                        " was restored in place and holds a part of it: drop "
                        "it and create it anew");
  }
  if (dropped.ok()) return "";
  return absl::StrCat("database ", staging_, " is left: ", dropped.message(),
                      "; the next restore or backup on this server removes it");
}

absl::Status StagingDatabase::DropStaging(const Interrupt& interrupt) {
  admin_.reset();
  SLUICE_ASSIGN_OR_RETURN(const std::unique_ptr<Connection> admin,
                          Connection::Open(admin_options_, &interrupt));
  // Once the lock is free the session before has ended, and whatever it was
  // doing with this database.
  SLUICE_RETURN_IF_ERROR(LockTarget(*admin, target_oid_));
  if (!options_.in_place) {
    SLUICE_RETURN_IF_ERROR(
        RemoveDatabase(*admin, options_.target, staging_, interrupt));
  }
  return DropPlaceholders(*admin, target_oid_);
}

}  // namespace sluice::postgres
