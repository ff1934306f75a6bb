#ifndef SLUICE_PLUGINS_POSTGRES_RESTORE_LIFTED_CONSTRAINTS_H_
#define SLUICE_PLUGINS_POSTGRES_RESTORE_LIFTED_CONSTRAINTS_H_

// Constraints that rows break only because they come in no order, taken off
// until all rows are there.
//
//   LiftedConstraints lifted;
//   SLUICE_RETURN_IF_ERROR(lifted.Lift(connection, /*all_checks=*/false));
//   ... every table is loaded, in any order ...
//   SLUICE_RETURN_IF_ERROR(lifted.PutBack(connection, false, warn));
//
// Which: foreign keys that are there before the rows (an extension brings those
// of its configuration tables), and CHECKs of tables and domains that call a
// function which is not written in C, since such a one may look into another
// table. pg_restore does the same by loading tables one after the other, and
// hopes that the order is right.
//
// One is taken off only after the server has shown, on the empty table, that it
// takes it back as it was; where it does not (a domain within a composite type,
// a table of another owner's), the constraint stays. Taken back, each is held
// against all rows: a scan of the table, nothing else.
//
// One thread. Errors are the connection's, and source_failed for rows that a
// constraint does not hold for.

#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "sluice/plugins/postgres/client/connection.h"

namespace sluice::postgres {

class LiftedConstraints {
 public:
  // In the database of `connection`, whose tables are empty. `all_checks`: all
  // CHECKs, whatever they call, also those that the server takes back NOT VALID
  // alone.
  absl::Status Lift(Connection& connection, bool all_checks);
  // In reverse. `allow_invalid`: one that does not hold comes back NOT VALID,
  // and `warn` is told (constraint_not_valid); else that is an error.
  absl::Status PutBack(
      Connection& connection, bool allow_invalid,
      absl::FunctionRef<void(absl::string_view word, absl::string_view message)>
          warn);

  size_t size() const { return lifted_.size(); }

 private:
  struct Constraint {
    std::string name;  // for people
    std::string drop;  // statements
    std::string add;
  };

  // Drops it, having shown that the server takes it back so.
  static absl::Status DropIfTakenBack(Connection& connection,
                                      const Constraint& constraint,
                                      absl::string_view how);
  // Those without a parent, which can be dropped; again after each drop.
  absl::Status LiftRound(Connection& connection, bool all_checks);
  absl::Status ReadComments(Connection& connection, bool all_checks);

  std::vector<Constraint> lifted_;     // in the order in which they went
  std::vector<std::string> kept_;      // oids of those that stay
  std::vector<std::string> comments_;  // statements
};

}  // namespace sluice::postgres

#endif  // SLUICE_PLUGINS_POSTGRES_RESTORE_LIFTED_CONSTRAINTS_H_
