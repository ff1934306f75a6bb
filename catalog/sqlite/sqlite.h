#ifndef SLUICE_CATALOG_SQLITE_SQLITE_H_
#define SLUICE_CATALOG_SQLITE_SQLITE_H_

// SQLite as the catalog needs it: one connection, transactions that honour a
// Context, and errors in our words.
//
//   SLUICE_ASSIGN_OR_RETURN(auto database,
//                           SqliteDatabase::Open(context, {.path = path}));
//   SLUICE_RETURN_IF_ERROR(database->Write(context, [&](auto& connection) {
//     SLUICE_ASSIGN_OR_RETURN(auto statement,
//         connection.Prepare("UPDATE jobs SET stage = ? WHERE id = ?"));
//     return statement.Bind("done").Bind(job_id).Run();
//   }));
//
// SqliteDatabase is thread-safe: callers take turns on its one connection.
// Each call blocks for disk (a committed Write was synced) and for other
// processes' transactions, until the context ends or `busy_timeout` passed.
//
// Errors: the context's own; catalog_no_space; else catalog_unavailable with a
// hint. A failed Write changed nothing that anybody can see; where its COMMIT
// failed on the way to the disk, a crash right after may still bring it back
// whole, so callers make their writes safe to repeat.

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sluice/base/clock.h"
#include "sluice/base/mutex.h"
#include "sluice/base/status_macros.h"
#include "sluice/catalog/sqlite/statement_cache.h"
#include "sluice/executor/context.h"

struct sqlite3;
struct sqlite3_stmt;

namespace sluice {

// A prepared statement; ends before its connection. One thread.
class SqliteStatement {
 public:
  SqliteStatement(SqliteStatement&& other) noexcept;
  SqliteStatement(const SqliteStatement&) = delete;
  SqliteStatement& operator=(const SqliteStatement&) = delete;
  ~SqliteStatement();

  // Bind the next parameter. A failure is told by the next Step.
  SqliteStatement& Bind(absl::string_view text);
  SqliteStatement& Bind(const char* text) {
    return Bind(absl::string_view(text));
  }
  SqliteStatement& Bind(int64_t value);

  // True: a row is there to be read. False: the end.
  absl::StatusOr<bool> Step();
  // Steps to the end, passing over rows.
  absl::Status Run();
  // The rows that are left, each as `row` makes it.
  template <typename Row>
  absl::StatusOr<std::vector<Row>> All(
      absl::FunctionRef<Row(const SqliteStatement&)> row) {
    std::vector<Row> rows;
    while (true) {
      SLUICE_ASSIGN_OR_RETURN(const bool more, Step());
      if (!more) return rows;
      rows.push_back(row(*this));
    }
  }
  // For the next use, from the first parameter on.
  void Reset();

  // Of the current row; columns count from 0.
  std::string Text(int column) const;
  int64_t Integer(int column) const;

 private:
  friend class SqliteConnection;
  SqliteStatement(sqlite3* database, StatementCache* cache,
                  sqlite3_stmt* statement)
      : database_(database), cache_(cache), statement_(statement) {}

  sqlite3* database_;
  StatementCache* cache_;
  sqlite3_stmt* statement_;
  int parameter_ = 0;
  int bind_error_ = 0;
};

// What a transaction works on. Valid within it only.
class SqliteConnection {
 public:
  absl::StatusOr<SqliteStatement> Prepare(absl::string_view sql);
  // Any number of statements, rows passed over.
  absl::Status Execute(const std::string& sql);
  // The integer of the first row of `sql`; NOT_FOUND where there is none.
  absl::StatusOr<int64_t> QueryInteger(absl::string_view sql);
  // Rows that the last INSERT, UPDATE or DELETE changed.
  int64_t Changes() const;

 private:
  friend class SqliteDatabase;
  SqliteConnection(sqlite3* database, StatementCache* cache)
      : database_(database), cache_(cache) {}
  sqlite3* database_;
  StatementCache* cache_;
};

struct SqliteOptions {
  std::string path;
  // Name of a registered VFS; empty: SQLite's own.
  std::string vfs;
  // Measures busy_timeout.
  Clock* clock = Clock::Real();
  // How long a call waits for other processes. It ends sooner with its context.
  absl::Duration busy_timeout = absl::Seconds(30);
  // Keeps every other process out for as long as the database is open; needs no
  // shared memory. For tests on a file system of their own.
  bool exclusive = false;
};

class SqliteDatabase {
 public:
  // Opens the existing file `path` (an empty one is an empty database). Reads
  // nothing and changes nothing yet.
  static absl::StatusOr<std::unique_ptr<SqliteDatabase>> Open(
      const SqliteOptions& options);
  ~SqliteDatabase();
  SqliteDatabase(const SqliteDatabase&) = delete;
  SqliteDatabase& operator=(const SqliteDatabase&) = delete;

  using Body = absl::FunctionRef<absl::Status(SqliteConnection&)>;

  // Runs `body` on one unchanging view of the database.
  absl::Status Read(const Context& context, Body body);
  // The same for a `body` that answers an absl::StatusOr<T>.
  template <typename T>
  absl::StatusOr<T> Get(
      const Context& context,
      absl::FunctionRef<absl::StatusOr<T>(SqliteConnection&)> body) {
    absl::StatusOr<T> got;
    const absl::Status status =
        Read(context, [&](SqliteConnection& connection) {
          got = body(connection);
          return got.status();
        });
    if (!status.ok()) return status;
    return got;
  }
  // Runs `body` as the only writer of all processes, and commits if it returned
  // OK. When that succeeds, it survives a power cut.
  absl::Status Write(const Context& context, Body body);
  // Runs a DELETE with one parameter; how many rows went.
  absl::StatusOr<size_t> Delete(const Context& context, absl::string_view sql,
                                int64_t parameter);
  // Runs `body` outside any transaction, again for as long as it finds the
  // database busy. For pragmas.
  absl::Status Configure(const Context& context, Body body);

  // On closing, leaves the files as they are: does not fold the log into the
  // database. For a database that is not ours to change.
  void LeaveAsItIs();

 private:
  class Turn;

  SqliteDatabase(const SqliteOptions& options, sqlite3* database);
  absl::Status CheckInPlace();
  absl::Status Transact(const Context& context, const char* begin, Body body);
  absl::Status RetryWhileBusy(const Context& context,
                              absl::FunctionRef<absl::Status()> body);
  // True: waited a little, try again. False: out of time.
  bool WaitWhileBusy();

  const SqliteOptions options_;
  sqlite3* const database_;  // closed after cache_ is empty
  Mutex mutex_;
  CondVar turn_ended_;
  bool in_use_ ABSL_GUARDED_BY(mutex_) = false;
  // Belong to whoever has the turn.
  StatementCache cache_;
  const Context* context_ = nullptr;
  absl::Duration give_up_at_;
};

}  // namespace sluice

#endif  // SLUICE_CATALOG_SQLITE_SQLITE_H_
