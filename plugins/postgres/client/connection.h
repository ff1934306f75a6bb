#ifndef SLUICE_PLUGINS_POSTGRES_CLIENT_CONNECTION_H_
#define SLUICE_PLUGINS_POSTGRES_CLIENT_CONNECTION_H_

// A session with a PostgreSQL server that never outlasts its run.
//
//   SLUICE_ASSIGN_OR_RETURN(std::unique_ptr<Connection> connection,
//                           Connection::Open(options, &interrupt));
//   SLUICE_ASSIGN_OR_RETURN(Result tables,
//                           connection->Exec("SELECT oid FROM pg_class"));
//   for (int row = 0; row < tables.rows(); ++row) Use(tables.Get(row, 0));
//
//   SLUICE_RETURN_IF_ERROR(connection->BeginCopyOut("COPY t TO STDOUT"));
//   absl::string_view row;
//   while (true) {
//     SLUICE_ASSIGN_OR_RETURN(const bool more, connection->NextRow(&row));
//     if (!more) break;
//     Use(row);
//   }
//
// libpq is driven without blocking. The interrupt is looked at ten times a
// second and more: once it says stop, the server is told to cancel, which ends
// a wait for a lock, too, and the call returns within a second. A session whose
// call ended so, or lost its server, is closed: each later call fails. After
// any other error of the server it is as usable as its transaction is.
//
// What the meaning of a statement depends on (search_path, row_security, time
// limits, formats) is fixed twice. The startup packet carries it, so that not
// even the first statement runs under a role's statement_timeout. Behind a
// pooler that drops such a packet's options, and gives each transaction a
// session of its own choice, nothing is SET for the session, which is another
// client's next; there only what Begin opens is safe, for it sets all of it for
// its transaction:
//
//   SLUICE_RETURN_IF_ERROR(connection->Begin("READ ONLY"));
//   ... and in the end
//   SLUICE_RETURN_IF_ERROR(connection->Exec("ROLLBACK").status());
//
// One thread at a time. Borrows the interrupt. Errors are those of sql_error.h;
// none shows the password. A session holds one row of a COPY, or one result, in
// memory, and what the socket brought with it.
//
// Only the lookup of a host's name blocks beyond the interrupt: libpq leaves it
// to the C library.

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "sluice/plugins/postgres/client/interrupt.h"
#include "sluice/plugins/postgres/client/row_budget.h"

// libpq's own, declared so that its header stays out of ours.
struct pg_conn;
struct pg_result;

namespace sluice::postgres {

struct ConnectionOptions {
  // libpq's keywords and values: host, port, user, dbname, service, sslmode...
  // What is missing comes from the environment and ~/.pgpass, as libpq does it.
  std::vector<std::pair<std::string, std::string>> parameters;
  std::string password;  // empty: from .pgpass, a service file, or none needed
  absl::Duration connect_timeout = absl::Seconds(10);
  // All work lies between Begin and ROLLBACK: behind a pooler nothing is SET
  // for the session. False: everything is, wherever it is.
  bool in_transactions = false;
  // Long rows of a COPY are read within this; null: as they come. Borrowed, for
  // as long as the connection lives, by all that share it.
  RowBudget* row_budget = nullptr;

  // Sets or replaces one parameter.
  void Set(absl::string_view keyword, absl::string_view value);
  // The value of a parameter, "" where it is not given.
  std::string Get(absl::string_view keyword) const;
};

enum class Format { kText = 0, kBinary = 1 };

// A parameter $1, $2, ...: a view.
struct Param {
  // Implicit, from whatever a view is made of.
  template <typename Text, typename = std::enable_if_t<
                               std::is_convertible_v<Text, absl::string_view>>>
  Param(const Text& value, Format value_format = Format::kText)  // NOLINT
      : bytes(value), format(value_format) {}
  static Param Null();

  absl::string_view bytes;
  Format format;
  bool null = false;
};

// What a statement returned. Movable; views live as long as it does.
class Result {
 public:
  explicit Result(pg_result* result);
  Result(Result&&) noexcept;
  Result& operator=(Result&&) noexcept;
  ~Result();

  int rows() const;
  int columns() const;
  bool IsNull(int row, int column) const;
  // "" for NULL.
  absl::string_view Get(int row, int column) const;
  std::string Text(int row, int column) const;
  bool Bool(int row, int column) const;        // of a boolean in text form
  int64_t Integer(int row, int column) const;  // 0 where it is none
  uint64_t affected_rows() const;  // of INSERT, UPDATE, DELETE, COPY
  // Whether the statement returns rows, be it none; else it has no columns.
  bool has_rows() const;
  std::string column_name(int column) const;
  uint32_t column_type(int column) const;  // its OID
  std::string command_tag() const;         // "SELECT 3"

 private:
  pg_result* result_;
};

class Connection {
 public:
  // Connects, then fixes what an environment could bend: client encoding UTF-8
  // (SQL_ASCII, bytes as they are, where the server cannot convert to it),
  // empty search_path, row_security off, no timeouts, ISO dates, 17 digits.
  static absl::StatusOr<std::unique_ptr<Connection>> Open(
      const ConnectionOptions& options, const Interrupt* interrupt);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Opens a transaction, `mode` as BEGIN takes it, with all of that for itself.
  // Fixes no snapshot. Also that no view is read in place of a table of its
  // name, where the server knows how (restrict_nonsystem_relation_kind).
  absl::Status Begin(absl::string_view mode);

  // What becomes of a statement that the server still works on when the
  // interrupt ends the wait for it.
  enum class AtInterrupt { kCancel, kLetItEnd };

  // One statement or several separated by ';'; the result of the last.
  absl::StatusOr<Result> Exec(absl::string_view sql,
                              AtInterrupt at_interrupt = AtInterrupt::kCancel);
  // One statement with parameters.
  absl::StatusOr<Result> ExecParams(absl::string_view sql,
                                    absl::Span<const Param> parameters,
                                    Format results = Format::kText);
  absl::StatusOr<Result> ExecParams(absl::string_view sql,
                                    std::initializer_list<Param> parameters,
                                    Format results = Format::kText) {
    return ExecParams(
        sql, absl::MakeConstSpan(parameters.begin(), parameters.size()),
        results);
  }

  // COPY ... TO STDOUT. NextRow sets `row` to what the server sent as one
  // message, valid until the next call: a line with its newline, or a binary
  // tuple, the header and the trailer apart or with a tuple. It is a view of
  // what the socket brought. False: the end, and the server said that all went
  // well; until then no other call.
  absl::Status BeginCopyOut(absl::string_view sql);
  absl::StatusOr<bool> NextRow(absl::string_view* row);

  // COPY ... FROM STDIN. Put takes any bytes, not only whole rows, and blocks
  // while the server is behind. EndCopyIn returns the number of rows.
  // AbortCopyIn makes the statement fail; the session stays usable.
  absl::Status BeginCopyIn(absl::string_view sql);
  absl::Status Put(absl::string_view bytes);
  absl::StatusOr<uint64_t> EndCopyIn();
  absl::Status AbortCopyIn(absl::string_view reason);

  // 150018 for 15.18.
  int server_version() const;
  // A setting that the server reports, such as "server_encoding"; "" if not.
  std::string ServerSetting(absl::string_view name) const;
  int backend_pid() const;
  // Whether a pooler lies between: the session is not ours alone.
  bool pooled() const { return pooled_; }
  // Whether Begin keeps views and foreign tables out.
  bool restricts_relation_kinds() const { return restricts_relation_kinds_; }
  bool tls() const;
  // What libpq has settled on, service file and environment seen through.
  std::string host() const;
  std::string port() const;
  std::string user() const;
  std::string database() const;
  // The one it has come from a .pgpass or a service file, or was given. Secret.
  std::string password() const;

 private:
  struct Closer {
    void operator()(pg_conn* connection) const;
  };

  Connection(pg_conn* connection, const Interrupt* interrupt,
             const ConnectionOptions& options);

  // Connects with `encoding` and `startup` as the options of the packet.
  static absl::StatusOr<std::unique_ptr<Connection>> Start(
      const ConnectionOptions& options, const std::string& encoding,
      const std::string& startup, const Interrupt* interrupt);
  // Looks what the packet has brought, and sets what it has not.
  absl::Status FixSession(bool in_transactions);
  absl::Status Connect(absl::Time deadline);
  absl::Status ConnectError() const;
  absl::Status CheckOpen() const;
  // Waits until the socket is ready for `events`, or for a twentieth of a
  // second; an error only from the interrupt.
  absl::Status Wait(short events);
  absl::Status Interrupted(absl::Status why);
  absl::Status Flush();
  absl::Status Lost();
  absl::Status ErrorOf(const pg_result* result) const;
  // The next result of a statement, null after the last. Owned by the caller.
  absl::StatusOr<pg_result*> NextResult();
  absl::StatusOr<Result> Collect();
  absl::Status BeginCopy(absl::string_view sql, int expected);
  // Makes room for a row of which only the beginning is there.
  absl::Status AdmitRow(uint64_t bytes);
  // The row that NextRow has shown is no longer needed.
  void ReleaseRow();
  absl::Status EndCopy(const char* reason);

  std::unique_ptr<pg_conn, Closer> connection_;
  AtInterrupt at_interrupt_ = AtInterrupt::kCancel;  // of what goes on
  const Interrupt* const interrupt_;
  const std::string password_;  // never in a message
  RowBudget* const row_budget_;
  char* row_ = nullptr;     // of NextRow, libpq's to free
  uint64_t admitted_ = 0;   // bytes of it, taken from the budget
  uint64_t unflushed_ = 0;  // bytes given to libpq since its last flush
  bool pooled_ = false;
  bool restricts_relation_kinds_ = false;
};

}  // namespace sluice::postgres

#endif  // SLUICE_PLUGINS_POSTGRES_CLIENT_CONNECTION_H_
