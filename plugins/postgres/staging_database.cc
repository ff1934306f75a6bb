#include "sluice/plugins/postgres/staging_database.h"

#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/postgres/database_properties.h"
#include "sluice/plugins/postgres/quote.h"
#include "sluice/plugins/postgres/role_map.h"
#include "sluice/plugins/postgres/sql_error.h"
#include "sluice/plugins/sdk/run.h"

namespace sluice::postgres {
namespace {

constexpr absl::string_view kPrefix = "sluice-restore-";
constexpr absl::string_view kNew = "-new";
constexpr absl::string_view kOld = "-old";
// "SLUI": the first key of the advisory locks, the second is the oid.
constexpr int kLockClass = 0x534c5549;
constexpr absl::string_view kObjectInUse = "55006";

absl::Status InUse(const absl::Status& status) {
  if (SqlStateOf(status) != kObjectInUse) return status;
  return WithHint(MakeError(absl::StatusCode::kFailedPrecondition,
                            kRestorePreconditionFailed, status.message()),
                  "close every session in the database that is restored into");
}

// The 32 bits of an oid as the int4 that an advisory lock takes.
std::string LockKeys(absl::string_view oid) {
  return absl::StrCat("(", kLockClass, ", (", oid, "::bigint - (CASE WHEN ",
                      oid,
                      "::bigint > 2147483647 THEN 4294967296 ELSE 0 END))"
                      "::integer)");
}

// The oid in the name of a leftover; "" for any other name.
std::string OidOf(absl::string_view name) {
  if (!absl::ConsumePrefix(&name, kPrefix)) return "";
  if (!absl::ConsumeSuffix(&name, kNew) && !absl::ConsumeSuffix(&name, kOld)) {
    return "";
  }
  const bool digits =
      !name.empty() && name.size() <= 10 &&
      name.find_first_not_of("0123456789") == absl::string_view::npos;
  return digits ? std::string(name) : "";
}

// Whether pg_database says `condition` of a database; not if it is not there.
absl::StatusOr<bool> Is(Connection& admin, absl::string_view name,
                        absl::string_view condition) {
  SLUICE_ASSIGN_OR_RETURN(
      const Result found,
      admin.ExecParams(absl::StrCat("SELECT FROM pg_catalog.pg_database WHERE "
                                    "datname = $1 AND ",
                                    condition),
                       {Param(name)}));
  return found.rows() == 1;
}

// What a DROP leaves that began and failed, for want of room for its checkpoint
// or by a kill: nobody can connect, and only DROP is possible, again.
constexpr absl::string_view kInvalid = "datconnlimit = -2";

// Templates are not dropped, so it is made none. Only where it is one: ALTER of
// an invalid database ends the session.
absl::Status Drop(Connection& admin, absl::string_view name, bool force) {
  const std::string quoted = QuoteIdentifier(name);
  SLUICE_ASSIGN_OR_RETURN(const bool is_template,
                          Is(admin, name, "datistemplate"));
  if (is_template) {
    SLUICE_RETURN_IF_ERROR(
        admin
            .Exec(absl::StrCat("ALTER DATABASE ", quoted, " IS_TEMPLATE false"))
            .status());
  }
  return admin
      .Exec(absl::StrCat("DROP DATABASE IF EXISTS ", quoted,
                         force ? " WITH (FORCE)" : ""))
      .status();
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
    const Interrupt* interrupt) {
  std::unique_ptr<StagingDatabase> staging(
      new StagingDatabase(options, here, interrupt));
  SLUICE_RETURN_IF_ERROR(staging->Administer());
  SLUICE_RETURN_IF_ERROR(staging->Lock());
  SLUICE_RETURN_IF_ERROR(staging->RemoveLeftovers());
  staging->created_ = true;  // also where an answer is lost
  SLUICE_RETURN_IF_ERROR(CreatePlaceholders(*staging->admin_, options.role_map,
                                            staging->target_oid_));
  options.Step("create");
  const absl::Status made =
      staging->admin_
          ->Exec(CreateDatabaseSql(staging->staging_, here,
                                   staging->admin_->server_version()))
          .status();
  if (!made.ok()) {
    staging->Discard(absl::Seconds(1));
    return Annotate(made, "create the database that is restored into first");
  }
  SLUICE_ASSIGN_OR_RETURN(
      const Result oid,
      staging->admin_->ExecParams(
          "SELECT oid FROM pg_catalog.pg_database WHERE datname = $1",
          {Param(staging->staging_)}));
  staging->staging_oid_ = oid.Text(0, 0);
  return staging;
}

// Not from the target: it is to be renamed.
absl::Status StagingDatabase::Administer() {
  admin_options_.Set("dbname",
                     target_ == "postgres" ? "template1" : "postgres");
  SLUICE_ASSIGN_OR_RETURN(admin_, Connection::Open(admin_options_, interrupt_));
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
  staging_ = absl::StrCat(kPrefix, target_oid_, kNew);
  old_ = absl::StrCat(kPrefix, target_oid_, kOld);
  staging_options_.Set("dbname", staging_);
  return absl::OkStatus();
}

absl::Status StagingDatabase::Lock() {
  SLUICE_ASSIGN_OR_RETURN(
      const Result locked,
      admin_->Exec(absl::StrCat("SELECT pg_catalog.pg_try_advisory_lock",
                                LockKeys(target_oid_))));
  if (locked.Bool(0, 0)) return absl::OkStatus();
  return WithHint(MakeError(absl::StatusCode::kFailedPrecondition,
                            kRestorePreconditionFailed,
                            absl::StrCat("another restore into database ",
                                         target_, " is running")),
                  "wait for it to end, or restore into another database");
}

absl::Status StagingDatabase::RemoveLeftovers() {
  SLUICE_ASSIGN_OR_RETURN(const Result names,
                          admin_->Exec(absl::StrCat(
                              "SELECT datname FROM pg_catalog.pg_database WHERE"
                              " pg_catalog.starts_with(datname, ",
                              QuoteLiteral(kPrefix), ")")));
  for (int row = 0; row < names.rows(); ++row) {
    const std::string oid = OidOf(names.Get(row, 0));
    if (oid.empty()) continue;
    options_.Step("remove leftover");
    const absl::Status removed =
        WithLockOf(oid, [&] { return RemoveLeftover(names.Get(row, 0)); });
    // Those of other targets are not worth a failure.
    if (!removed.ok() && oid == target_oid_) return removed;
    SLUICE_RETURN_IF_ERROR(interrupt_->status());
  }
  return RemoveLeftoverRoles();
}

absl::Status StagingDatabase::RemoveLeftoverRoles() {
  SLUICE_ASSIGN_OR_RETURN(const std::vector<std::string> oids,
                          TargetsWithPlaceholders(*admin_));
  for (const std::string& oid : oids) {
    const absl::Status dropped =
        WithLockOf(oid, [&] { return DropPlaceholders(*admin_, oid); });
    if (!dropped.ok() && oid == target_oid_) return dropped;
  }
  return absl::OkStatus();
}

absl::Status StagingDatabase::WithLockOf(
    absl::string_view oid, absl::FunctionRef<absl::Status()> remove) {
  if (oid == target_oid_) return remove();
  SLUICE_ASSIGN_OR_RETURN(
      const Result locked,
      admin_->Exec(absl::StrCat("SELECT pg_catalog.pg_try_advisory_lock",
                                LockKeys(oid))));
  if (!locked.Bool(0, 0)) return absl::OkStatus();  // it is being restored
  const absl::Status removed = remove();
  SLUICE_RETURN_IF_ERROR(
      admin_
          ->Exec(absl::StrCat("SELECT pg_catalog.pg_advisory_unlock",
                              LockKeys(oid)))
          .status());
  return removed;
}

absl::Status StagingDatabase::RemoveLeftover(absl::string_view name) {
  return absl::EndsWith(name, kOld) ? DropOld(interrupt_, name)
                                    : Drop(*admin_, name, true);
}

absl::Status StagingDatabase::Publish(const PayloadDatabase& properties,
                                      absl::string_view store_id,
                                      const Warn& warn) {
  options_.Step("properties");
  SLUICE_RETURN_IF_ERROR(
      ApplyDatabaseProperties(*admin_, staging_, properties));
  SLUICE_RETURN_IF_ERROR(DropPlaceholders(*admin_, target_oid_));
  SLUICE_RETURN_IF_ERROR(KeepStoreId(store_id, warn));
  SLUICE_RETURN_IF_ERROR(interrupt_->status());
  options_.Step("swap");
  SLUICE_RETURN_IF_ERROR(InUse(Swap()));
  published_ = true;
  options_.Step("drop old");
  // It is restored now, whatever comes of the old one, and of the run.
  const Interrupt patience(sdk::Run(), absl::Now() + absl::Seconds(10));
  const absl::Status dropped = DropOld(&patience, old_);
  if (!dropped.ok()) {
    warn("old_database_kept",
         absl::StrCat("the empty database that was there before is kept as ",
                      old_, ": ", dropped.message()));
  }
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

absl::Status StagingDatabase::DropOld(const Interrupt* interrupt,
                                      absl::string_view name) {
  ConnectionOptions old_options = options_.target;
  old_options.Set("dbname", name);
  // A session of its own: that of the lock may have ended with the swap.
  SLUICE_ASSIGN_OR_RETURN(const std::unique_ptr<Connection> admin,
                          Connection::Open(admin_options_, interrupt));
  SLUICE_ASSIGN_OR_RETURN(const bool is_going, Is(*admin, name, kInvalid));
  if (!is_going) {
    SLUICE_ASSIGN_OR_RETURN(const std::unique_ptr<Connection> old,
                            Connection::Open(old_options, interrupt));
    SLUICE_ASSIGN_OR_RETURN(const bool empty, IsEmptyDatabase(*old));
    if (!empty) {
      return MakeError(absl::StatusCode::kFailedPrecondition,
                       kRestorePreconditionFailed,
                       "somebody created objects in it meanwhile");
    }
  }
  return Drop(*admin, name, false);
}

void StagingDatabase::Discard(absl::Duration patience, bool disk_is_full) {
  if (!created_ || published_) return;
  const Interrupt interrupt(sdk::Run(), absl::Now() + patience);
  if (disk_is_full) DropTables(staging_options_, &interrupt).IgnoreError();
  const absl::StatusOr<std::unique_ptr<Connection>> admin =
      Connection::Open(admin_options_, &interrupt);
  if (!admin.ok()) return;
  Drop(**admin, staging_, true).IgnoreError();
  DropPlaceholders(**admin, target_oid_).IgnoreError();
}

}  // namespace sluice::postgres
