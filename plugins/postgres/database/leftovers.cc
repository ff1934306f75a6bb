#include "sluice/plugins/postgres/database/leftovers.h"

#include <utility>

#include "absl/functional/function_ref.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/postgres/client/quote.h"
#include "sluice/plugins/postgres/client/sql_error.h"
#include "sluice/plugins/postgres/database/database_properties.h"
#include "sluice/plugins/postgres/database/database_remover.h"
#include "sluice/plugins/postgres/database/role_map.h"

namespace sluice::postgres {
namespace {

constexpr absl::string_view kPrefix = "sluice-restore-";
constexpr absl::string_view kNew = "-new";
constexpr absl::string_view kOld = "-old";
// "SLUI": the first key of the advisory locks, the second is the oid.
constexpr int kLockClass = 0x534c5549;
constexpr absl::string_view kUnknownDatabase = "3D000";

// The 32 bits of an oid as the int4 that an advisory lock takes.
std::string LockKeys(absl::string_view oid) {
  return absl::StrCat("(", kLockClass, ", (", oid, "::bigint - (CASE WHEN ",
                      oid,
                      "::bigint > 2147483647 THEN 4294967296 ELSE 0 END))"
                      "::integer)");
}

absl::Status Unlock(Connection& admin, absl::string_view oid) {
  return admin
      .Exec(absl::StrCat("SELECT pg_catalog.pg_advisory_unlock", LockKeys(oid)))
      .status();
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

// Calls `remove` unless a restore into the target of that oid is alive.
absl::Status WithLockOf(Connection& admin, absl::string_view oid,
                        absl::string_view own_oid,
                        absl::FunctionRef<absl::Status()> remove) {
  if (oid == own_oid) return remove();
  SLUICE_ASSIGN_OR_RETURN(const bool locked, TryLockTarget(admin, oid));
  if (!locked) return absl::OkStatus();
  const absl::Status removed = remove();
  SLUICE_RETURN_IF_ERROR(Unlock(admin, oid));
  return removed;
}

absl::Status RemoveLeftover(Connection& admin, const ConnectionOptions& options,
                            absl::string_view name,
                            const Interrupt& interrupt) {
  return absl::EndsWith(name, kOld)
             ? DropOldDatabase(admin, options, name, interrupt)
             : RemoveDatabase(admin, options, name, interrupt);
}

absl::Status RemoveLeftoverRoles(Connection& admin, absl::string_view own_oid) {
  SLUICE_ASSIGN_OR_RETURN(const std::vector<std::string> oids,
                          TargetsWithPlaceholders(admin));
  for (const std::string& oid : oids) {
    const absl::Status dropped = WithLockOf(
        admin, oid, own_oid, [&] { return DropPlaceholders(admin, oid); });
    if (!dropped.ok() && oid == own_oid) return dropped;
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> Names(Connection& connection,
                                               absl::string_view condition) {
  SLUICE_ASSIGN_OR_RETURN(
      const Result rows,
      connection.Exec(absl::StrCat("SELECT datname FROM pg_catalog.pg_database"
                                   " WHERE pg_catalog.starts_with(datname, ",
                                   QuoteLiteral(kPrefix), ")", condition,
                                   " ORDER BY datname")));
  std::vector<std::string> names;
  for (int row = 0; row < rows.rows(); ++row) {
    if (!OidOf(rows.Get(row, 0)).empty()) names.push_back(rows.Text(row, 0));
  }
  return names;
}

}  // namespace

std::string StagingName(absl::string_view oid) {
  return absl::StrCat(kPrefix, oid, kNew);
}

std::string OldName(absl::string_view oid) {
  return absl::StrCat(kPrefix, oid, kOld);
}

absl::StatusOr<std::unique_ptr<Connection>> OpenAdmin(
    ConnectionOptions options, absl::string_view target,
    const Interrupt* interrupt) {
  absl::Status first;
  for (const absl::string_view name : {"postgres", "template1"}) {
    if (name == target) continue;
    options.Set("dbname", name);
    absl::StatusOr<std::unique_ptr<Connection>> admin =
        Connection::Open(options, interrupt);
    if (admin.ok()) return admin;
    if (first.ok()) {
      first =
          Annotate(admin.status(), absl::StrCat("connect to database ", name));
    }
    if (SqlStateOf(admin.status()) != kUnknownDatabase &&
        !absl::IsPermissionDenied(admin.status())) {
      break;
    }
  }
  return WithHint(std::move(first),
                  "a restore fills a database beside the target and then "
                  "changes names from database postgres, or template1: let the "
                  "role connect to one of them and to sluice-restore-*");
}

absl::StatusOr<bool> TryLockTarget(Connection& admin, absl::string_view oid) {
  SLUICE_ASSIGN_OR_RETURN(
      const Result locked,
      admin.Exec(absl::StrCat("SELECT pg_catalog.pg_try_advisory_lock",
                              LockKeys(oid))));
  if (!locked.Bool(0, 0)) return false;
  SLUICE_ASSIGN_OR_RETURN(
      const Result elsewhere,
      admin.Exec(absl::StrCat(
          "SELECT FROM pg_catalog.pg_locks WHERE locktype = 'advisory'"
          " AND objsubid = 2 AND granted AND classid = ",
          kLockClass, " AND objid = ", oid,
          " AND pid <> pg_catalog.pg_backend_pid()")));
  if (elsewhere.rows() == 0) return true;
  SLUICE_RETURN_IF_ERROR(Unlock(admin, oid));
  return false;
}

absl::Status LockTarget(Connection& admin, absl::string_view oid) {
  return admin
      .Exec(absl::StrCat("SELECT pg_catalog.pg_advisory_lock", LockKeys(oid)))
      .status();
}

absl::StatusOr<std::vector<std::string>> RemoveLeftovers(
    Connection& admin, const ConnectionOptions& options,
    absl::string_view own_oid, const Interrupt& interrupt) {
  SLUICE_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                          Names(admin, ""));
  std::vector<std::string> left;
  for (const std::string& name : names) {
    const std::string oid = OidOf(name);
    const absl::Status removed = WithLockOf(admin, oid, own_oid, [&] {
      return RemoveLeftover(admin, options, name, interrupt);
    });
    SLUICE_RETURN_IF_ERROR(interrupt.status());
    if (removed.ok()) continue;
    left.push_back(absl::StrCat(name, " (", removed.message(), ")"));
    if (oid != own_oid) continue;
    return WithHint(
        Annotate(removed, absl::StrCat("remove database ", name,
                                       ", which a restore that died has left")),
        "drop that database by hand");
  }
  SLUICE_RETURN_IF_ERROR(RemoveLeftoverRoles(admin, own_oid));
  return left;
}

absl::Status DropOldDatabase(Connection& admin,
                             const ConnectionOptions& options,
                             absl::string_view name,
                             const Interrupt& interrupt) {
  SLUICE_ASSIGN_OR_RETURN(const bool is_going, IsInvalidDatabase(admin, name));
  const std::string quoted = QuoteIdentifier(name);
  if (!is_going) {
    ConnectionOptions old_options = options;
    old_options.Set("dbname", name);
    SLUICE_ASSIGN_OR_RETURN(const std::unique_ptr<Connection> old,
                            Connection::Open(old_options, &interrupt));
    SLUICE_ASSIGN_OR_RETURN(const bool empty, IsEmptyDatabase(*old));
    if (!empty) {
      return MakeError(absl::StatusCode::kFailedPrecondition,
                       kRestorePreconditionFailed,
                       "somebody created objects in it meanwhile");
    }
    // Templates are not dropped; ALTER of an invalid database ends the session.
    SLUICE_RETURN_IF_ERROR(
        admin
            .Exec(absl::StrCat("ALTER DATABASE ", quoted, " IS_TEMPLATE false"))
            .status());
  }
  // Not by force: whoever is in it may be about to create something.
  return admin.Exec(absl::StrCat("DROP DATABASE IF EXISTS ", quoted)).status();
}

std::string SweepLeftovers(Connection& connection,
                           const ConnectionOptions& options,
                           const Interrupt& interrupt) {
  const absl::StatusOr<std::vector<std::string>> names =
      Names(connection,
            " AND NOT pg_catalog.pg_is_in_recovery()"
            " AND pg_catalog.pg_has_role(datdba, 'USAGE')");
  if (!names.ok() || names->empty()) return "";
  const absl::StatusOr<std::unique_ptr<Connection>> admin =
      OpenAdmin(options, "", &interrupt);
  if (!admin.ok()) return "";
  const absl::StatusOr<std::vector<std::string>> left =
      RemoveLeftovers(**admin, options, "", interrupt);
  return left.ok() ? absl::StrJoin(*left, ", ") : absl::StrJoin(*names, ", ");
}

}  // namespace sluice::postgres
