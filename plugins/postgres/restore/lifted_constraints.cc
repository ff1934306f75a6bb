#include "sluice/plugins/postgres/restore/lifted_constraints.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/postgres/client/quote.h"
#include "sluice/plugins/postgres/client/sql_error.h"

namespace sluice::postgres {
namespace {

// $ALL: whether every CHECK counts. A function is called by its name, or by an
// operator's; what it calls in turn is not known to the server.
constexpr absl::string_view kConstraintsSql = R"(
SELECT c.oid,
       CASE WHEN c.contypid <> 0
         THEN 'DOMAIN ' || pg_catalog.format_type(c.contypid, NULL)
         ELSE 'TABLE ' || c.conrelid::pg_catalog.regclass::text END,
       c.conname, pg_catalog.pg_get_constraintdef(c.oid),
       pg_catalog.obj_description(c.oid, 'pg_constraint')
FROM pg_catalog.pg_constraint c
WHERE c.oid >= 16384 AND (
  c.contype = 'f' AND c.conparentid = 0
  OR c.contype = 'c' AND ($ALL OR EXISTS (
    SELECT FROM pg_catalog.pg_depend d
    LEFT JOIN pg_catalog.pg_operator o
      ON d.refclassid = 'pg_catalog.pg_operator'::pg_catalog.regclass
      AND o.oid = d.refobjid
    JOIN pg_catalog.pg_proc p ON p.oid = coalesce(o.oprcode, CASE d.refclassid
      WHEN 'pg_catalog.pg_proc'::pg_catalog.regclass THEN d.refobjid END)
    JOIN pg_catalog.pg_language l ON l.oid = p.prolang
    WHERE d.classid = 'pg_catalog.pg_constraint'::pg_catalog.regclass
      AND d.objid = c.oid AND l.lanname NOT IN ('internal', 'c'))))
)";

absl::StatusOr<Result> Constraints(Connection& connection, bool all_checks,
                                   absl::string_view condition) {
  std::string sql(kConstraintsSql);
  sql.replace(sql.find("$ALL"), 4, all_checks ? "true" : "false");
  return connection.Exec(
      absl::StrCat(sql, " AND ", condition, " ORDER BY c.oid"));
}

// The whole of `statements`, or nothing.
absl::Status InTransaction(Connection& connection,
                           absl::string_view statements) {
  const absl::Status status =
      connection.Exec(absl::StrCat("BEGIN; ", statements, "; COMMIT")).status();
  if (!status.ok() && !SqlStateOf(status).empty()) {
    SLUICE_RETURN_IF_ERROR(connection.Exec("ROLLBACK").status());
  }
  return status;
}

// Whether it is the rows, or a function that looks at them, that the server
// does not want; else it is gone, was told to stop, or has no room.
bool IsRefusal(const absl::Status& status) {
  const std::string state = SqlStateOf(status);
  return !state.empty() && !absl::StartsWith(state, "08") &&
         !absl::StartsWith(state, "53") && !absl::StartsWith(state, "57");
}

}  // namespace

absl::Status LiftedConstraints::Lift(Connection& connection, bool all_checks) {
  SLUICE_RETURN_IF_ERROR(ReadComments(connection, all_checks));
  // What a child has beside its parent can go once the parent's has gone.
  for (size_t before = SIZE_MAX; before != lifted_.size();) {
    before = lifted_.size();
    SLUICE_RETURN_IF_ERROR(LiftRound(connection, all_checks));
  }
  return absl::OkStatus();
}

absl::Status LiftedConstraints::DropIfTakenBack(Connection& connection,
                                                const Constraint& constraint,
                                                absl::string_view how) {
  return InTransaction(
      connection, absl::StrCat(constraint.drop, "; ", constraint.add, how, "; ",
                               constraint.drop));
}

absl::Status LiftedConstraints::LiftRound(Connection& connection,
                                          bool all_checks) {
  SLUICE_ASSIGN_OR_RETURN(
      const Result found,
      Constraints(connection, all_checks, "c.coninhcount = 0"));
  for (int row = 0; row < found.rows(); ++row) {
    const std::string oid = found.Text(row, 0);
    if (std::count(kept_.begin(), kept_.end(), oid) > 0) continue;
    const std::string alter = absl::StrCat("ALTER ", found.Get(row, 1));
    const std::string name = QuoteIdentifier(found.Get(row, 2));
    Constraint constraint = {
        absl::StrCat("constraint ", name, " of ", found.Get(row, 1)),
        absl::StrCat(alter, " DROP CONSTRAINT ", name),
        absl::StrCat(alter, " ADD CONSTRAINT ", name, " ", found.Get(row, 3))};
    absl::Status dropped = DropIfTakenBack(connection, constraint, "");
    if (IsRefusal(dropped) && all_checks) {
      dropped = DropIfTakenBack(connection, constraint, " NOT VALID");
    }
    if (dropped.ok()) {
      lifted_.push_back(std::move(constraint));
    } else if (!IsRefusal(dropped)) {
      return dropped;
    } else {
      kept_.push_back(oid);
    }
  }
  return absl::OkStatus();
}

absl::Status LiftedConstraints::ReadComments(Connection& connection,
                                             bool all_checks) {
  SLUICE_ASSIGN_OR_RETURN(const Result found,
                          Constraints(connection, all_checks, "true"));
  for (int row = 0; row < found.rows(); ++row) {
    if (found.Get(row, 4).empty()) continue;
    absl::string_view object = found.Get(row, 1);
    if (absl::StartsWith(object, "TABLE ")) object.remove_prefix(6);
    comments_.push_back(absl::StrCat(
        "COMMENT ON CONSTRAINT ", QuoteIdentifier(found.Get(row, 2)), " ON ",
        object, " IS ", QuoteLiteral(found.Get(row, 4))));
  }
  return absl::OkStatus();
}

absl::Status LiftedConstraints::PutBack(
    Connection& connection, bool allow_invalid,
    absl::FunctionRef<void(absl::string_view word, absl::string_view message)>
        warn) {
  for (auto one = lifted_.rbegin(); one != lifted_.rend(); ++one) {
    absl::Status added = connection.Exec(one->add).status();
    if (added.ok()) continue;
    added = Annotate(added, absl::StrCat("put back ", one->name));
    if (!IsRefusal(added)) return added;
    if (!allow_invalid) {
      return WithHint(std::move(added),
                      "the rows break it at the source, too: repair them "
                      "there, or restore with disable_checks=1, which keeps "
                      "it as NOT VALID");
    }
    SLUICE_RETURN_IF_ERROR(
        connection.Exec(absl::StrCat(one->add, " NOT VALID")).status());
    warn("constraint_not_valid",
         absl::StrCat(one->name,
                      " does not hold for all rows, and is NOT "
                      "VALID now: ",
                      added.message()));
  }
  lifted_.clear();
  for (const std::string& comment : std::exchange(comments_, {})) {
    SLUICE_RETURN_IF_ERROR(connection.Exec(comment).status());
  }
  return absl::OkStatus();
}

}  // namespace sluice::postgres
