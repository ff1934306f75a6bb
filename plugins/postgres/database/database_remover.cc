#include "sluice/plugins/postgres/database/database_remover.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/plugins/postgres/client/quote.h"

namespace sluice::postgres {
namespace {

struct State {
  bool exists = false;
  bool is_template = false;
  bool allows_connections = false;
  bool is_invalid = false;
};

absl::StatusOr<State> StateOf(Connection& admin, absl::string_view name) {
  SLUICE_ASSIGN_OR_RETURN(
      const Result found,
      admin.ExecParams("SELECT datistemplate, datallowconn, datconnlimit = -2"
                       " FROM pg_catalog.pg_database WHERE datname = $1",
                       {Param(name)}));
  if (found.rows() != 1) return State();
  return State{true, found.Bool(0, 0), found.Bool(0, 1), found.Bool(0, 2)};
}

absl::StatusOr<std::vector<std::string>> FirstColumn(Connection& connection,
                                                     absl::string_view sql,
                                                     absl::string_view name) {
  SLUICE_ASSIGN_OR_RETURN(const Result rows,
                          connection.ExecParams(sql, {Param(name)}));
  std::vector<std::string> values;
  values.reserve(static_cast<size_t>(rows.rows()));
  for (int row = 0; row < rows.rows(); ++row) {
    values.push_back(rows.Text(row, 0));
  }
  return values;
}

absl::StatusOr<std::vector<std::string>> Subscriptions(Connection& connection,
                                                       absl::string_view name) {
  return FirstColumn(connection,
                     "SELECT subname FROM pg_catalog.pg_subscription s"
                     " JOIN pg_catalog.pg_database d ON d.oid = s.subdbid"
                     " WHERE d.datname = $1 ORDER BY 1",
                     name);
}

absl::StatusOr<std::vector<std::string>> Prepared(Connection& connection,
                                                  absl::string_view name) {
  return FirstColumn(connection,
                     "SELECT gid FROM pg_catalog.pg_prepared_xacts"
                     " WHERE database = $1 ORDER BY 1",
                     name);
}

// What only a session in the database itself can take away.
absl::Status ClearWithin(const ConnectionOptions& options,
                         absl::string_view name, const Interrupt& interrupt) {
  ConnectionOptions inside = options;
  inside.Set("dbname", name);
  SLUICE_ASSIGN_OR_RETURN(const std::unique_ptr<Connection> connection,
                          Connection::Open(inside, &interrupt));
  // Its own event triggers have no say.
  SLUICE_RETURN_IF_ERROR(
      connection->Exec("SET session_replication_role = replica").status());
  SLUICE_ASSIGN_OR_RETURN(const std::vector<std::string> prepared,
                          Prepared(*connection, name));
  for (const std::string& transaction : prepared) {
    SLUICE_RETURN_IF_ERROR(connection
                               ->Exec(absl::StrCat("ROLLBACK PREPARED ",
                                                   QuoteLiteral(transaction)))
                               .status());
  }
  SLUICE_ASSIGN_OR_RETURN(const std::vector<std::string> subscriptions,
                          Subscriptions(*connection, name));
  for (const std::string& subscription : subscriptions) {
    const std::string quoted = QuoteIdentifier(subscription);
    SLUICE_RETURN_IF_ERROR(
        connection
            ->Exec(absl::StrCat(
                "ALTER SUBSCRIPTION ", quoted, " DISABLE; ALTER SUBSCRIPTION ",
                quoted, " SET (slot_name = NONE); DROP SUBSCRIPTION ", quoted))
            .status());
  }
  return absl::OkStatus();
}

absl::Status DropSlots(Connection& admin, absl::string_view name) {
  SLUICE_ASSIGN_OR_RETURN(
      const std::vector<std::string> slots,
      FirstColumn(admin,
                  "SELECT slot_name FROM pg_catalog.pg_replication_slots"
                  " WHERE database = $1 ORDER BY 1",
                  name));
  for (const std::string& slot : slots) {
    // Whoever reads from it is ended first.
    SLUICE_RETURN_IF_ERROR(
        admin
            .ExecParams(
                absl::StrCat(
                    "SELECT pg_catalog.pg_terminate_backend(",
                    admin.server_version() >= 140000 ? "active_pid, 5000)"
                                                     : "active_pid)",
                    " FROM pg_catalog.pg_replication_slots"
                    " WHERE slot_name = $1 AND active_pid IS NOT NULL"),
                {Param(slot)})
            .status());
    SLUICE_RETURN_IF_ERROR(
        admin
            .ExecParams("SELECT pg_catalog.pg_drop_replication_slot($1)",
                        {Param(slot)})
            .status());
  }
  return absl::OkStatus();
}

absl::Status Clear(Connection& admin, const ConnectionOptions& options,
                   absl::string_view name, const State& state,
                   const Interrupt& interrupt) {
  const std::string alter =
      absl::StrCat("ALTER DATABASE ", QuoteIdentifier(name));
  if (state.is_template) {
    SLUICE_RETURN_IF_ERROR(
        admin.Exec(absl::StrCat(alter, " IS_TEMPLATE false")).status());
  }
  SLUICE_ASSIGN_OR_RETURN(const std::vector<std::string> subscriptions,
                          Subscriptions(admin, name));
  SLUICE_ASSIGN_OR_RETURN(const std::vector<std::string> prepared,
                          Prepared(admin, name));
  if (!subscriptions.empty() || !prepared.empty()) {
    if (!state.allows_connections) {
      SLUICE_RETURN_IF_ERROR(
          admin.Exec(absl::StrCat(alter, " ALLOW_CONNECTIONS true")).status());
    }
    SLUICE_RETURN_IF_ERROR(ClearWithin(options, name, interrupt));
  }
  return DropSlots(admin, name);
}

}  // namespace

absl::StatusOr<bool> IsInvalidDatabase(Connection& admin,
                                       absl::string_view name) {
  SLUICE_ASSIGN_OR_RETURN(const State state, StateOf(admin, name));
  return state.is_invalid;
}

absl::Status RemoveDatabase(Connection& admin, const ConnectionOptions& options,
                            absl::string_view name,
                            const Interrupt& interrupt) {
  SLUICE_ASSIGN_OR_RETURN(const State state, StateOf(admin, name));
  if (!state.exists) return absl::OkStatus();
  // ALTER of an invalid one ends the session.
  absl::Status cleared;
  if (!state.is_invalid) {
    cleared = Clear(admin, options, name, state, interrupt);
    SLUICE_RETURN_IF_ERROR(interrupt.status());
  }
  const absl::Status dropped =
      admin
          .Exec(absl::StrCat("DROP DATABASE IF EXISTS ", QuoteIdentifier(name),
                             " WITH (FORCE)"),
                Connection::AtInterrupt::kLetItEnd)
          .status();
  if (dropped.ok() || cleared.ok()) return dropped;
  return Annotate(dropped, cleared.message());
}

}  // namespace sluice::postgres
