#include "sluice/catalog/sqlite/sqlite.h"

#include <errno.h>
#include <sqlite3.h>

#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/catalog/catalog_error.h"

namespace sluice {
namespace {

// How often a waiter looks again. SQLite has no way to be woken by another
// process.
constexpr absl::Duration kBusyPoll = absl::Milliseconds(2);
// Operations of SQLite's machine between two looks at the context.
constexpr int kOperationsPerPoll = 20000;
constexpr absl::string_view kBusyPayload = "sluice.catalog/busy";

absl::Status Unavailable(absl::StatusCode canonical, absl::string_view message,
                         absl::string_view hint) {
  return WithHint(MakeError(canonical, kCatalogUnavailable, message), hint);
}

absl::Status BusyError(absl::string_view message) {
  absl::Status status =
      Unavailable(absl::StatusCode::kUnavailable, message,
                  "another sluice is working with this catalog; try again, or "
                  "see which one with `sluice job list`");
  status.SetPayload(kBusyPayload, absl::Cord("1"));
  return status;
}

bool IsBusy(const absl::Status& status) {
  return status.GetPayload(kBusyPayload).has_value();
}

absl::Status StatusOf(sqlite3* database, int result) {
  const int native = database == nullptr ? 0 : sqlite3_system_errno(database);
  const std::string message = absl::StrCat(
      "catalog: ",
      database == nullptr ? sqlite3_errstr(result) : sqlite3_errmsg(database),
      " (", result, native == 0 ? "" : ", errno ",
      native == 0 ? "" : absl::StrCat(native), ")");
  switch (result & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      return BusyError(message);
    case SQLITE_FULL:
      return WithHint(MakeError(absl::StatusCode::kResourceExhausted,
                                kCatalogNoSpace, message),
                      "make room on the disk that the catalog is on");
    case SQLITE_IOERR:
      if (native == ENOSPC || native == EDQUOT) {
        return WithHint(MakeError(absl::StatusCode::kResourceExhausted,
                                  kCatalogNoSpace, message),
                        "make room on the disk that the catalog is on");
      }
      return Unavailable(absl::StatusCode::kUnavailable, message,
                         "the disk that the catalog is on has failed");
    case SQLITE_NOTADB:
    case SQLITE_CORRUPT:
      return Unavailable(
          absl::StatusCode::kDataLoss, message,
          "the archives are not touched by this: move the catalog's files "
          "away, add the repo again and run `sluice reconcile --adopt`");
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_READONLY:
      // On a read-only disk it is the log beside the file that is not there,
      // and cannot be made.
      if (native == ENOENT && sqlite3_db_readonly(database, "main") != 1) {
        return Unavailable(absl::StatusCode::kNotFound, message,
                           "--catalog names another place");
      }
      return WithHint(MakeError(absl::StatusCode::kPermissionDenied,
                                kCatalogPermissionDenied, message),
                      "the catalog and its folder must be writable for the "
                      "user who runs sluice; --catalog names another place");
    case SQLITE_NOMEM:
    case SQLITE_TOOBIG:
      return MakeError(absl::StatusCode::kResourceExhausted, kResourceExhausted,
                       message);
    case SQLITE_INTERRUPT:
      return absl::CancelledError(message);
    default:
      return MakeError(absl::StatusCode::kInternal, kInternal, message);
  }
}

}  // namespace

SqliteStatement::SqliteStatement(SqliteStatement&& other) noexcept
    : database_(other.database_),
      cache_(other.cache_),
      statement_(std::exchange(other.statement_, nullptr)),
      parameter_(other.parameter_),
      bind_error_(other.bind_error_) {}

SqliteStatement::~SqliteStatement() { cache_->Return(statement_); }

SqliteStatement& SqliteStatement::Bind(absl::string_view text) {
  // A null pointer would bind NULL, an empty text is none.
  const char* data = text.data() == nullptr ? "" : text.data();
  const int result =
      sqlite3_bind_text64(statement_, ++parameter_, data, text.size(),
                          SQLITE_TRANSIENT, SQLITE_UTF8);
  if (bind_error_ == SQLITE_OK) bind_error_ = result;
  return *this;
}

SqliteStatement& SqliteStatement::Bind(int64_t value) {
  const int result = sqlite3_bind_int64(statement_, ++parameter_, value);
  if (bind_error_ == SQLITE_OK) bind_error_ = result;
  return *this;
}

absl::StatusOr<bool> SqliteStatement::Step() {
  if (bind_error_ != SQLITE_OK) return StatusOf(database_, bind_error_);
  const int result = sqlite3_step(statement_);
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) return false;
  return StatusOf(database_, sqlite3_extended_errcode(database_));
}

absl::Status SqliteStatement::Run() {
  while (true) {
    SLUICE_ASSIGN_OR_RETURN(const bool row, Step());
    if (!row) return absl::OkStatus();
  }
}

void SqliteStatement::Reset() {
  sqlite3_reset(statement_);
  parameter_ = 0;
  bind_error_ = SQLITE_OK;
}

std::string SqliteStatement::Text(int column) const {
  const unsigned char* text = sqlite3_column_text(statement_, column);
  if (text == nullptr) return "";
  return std::string(
      reinterpret_cast<const char*>(text),
      static_cast<size_t>(sqlite3_column_bytes(statement_, column)));
}

int64_t SqliteStatement::Integer(int column) const {
  return sqlite3_column_int64(statement_, column);
}

absl::StatusOr<SqliteStatement> SqliteConnection::Prepare(
    absl::string_view sql) {
  sqlite3_stmt* statement = cache_->Take(sql);
  if (statement != nullptr) {
    return SqliteStatement(database_, cache_, statement);
  }
  const int result =
      sqlite3_prepare_v3(database_, sql.data(), static_cast<int>(sql.size()),
                         SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (result != SQLITE_OK) return StatusOf(database_, result);
  return SqliteStatement(database_, cache_, statement);
}

absl::Status SqliteConnection::Execute(const std::string& sql) {
  const int result =
      sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr);
  return result == SQLITE_OK ? absl::OkStatus() : StatusOf(database_, result);
}

absl::StatusOr<int64_t> SqliteConnection::QueryInteger(absl::string_view sql) {
  SLUICE_ASSIGN_OR_RETURN(SqliteStatement statement, Prepare(sql));
  SLUICE_ASSIGN_OR_RETURN(const bool row, statement.Step());
  if (!row) return absl::NotFoundError(absl::StrCat("no row: ", sql));
  return statement.Integer(0);
}

int64_t SqliteConnection::Changes() const {
  return sqlite3_changes64(database_);
}

// Exclusive use of the connection, waited for with the context in view.
class SqliteDatabase::Turn {
 public:
  Turn(SqliteDatabase& database, const Context& context) : database_(database) {
    MutexLock lock(database_.mutex_);
    while (database_.in_use_) {
      status_ = context.status();
      if (!status_.ok()) return;
      database_.turn_ended_.WaitFor(lock, kBusyPoll);
    }
    status_ = context.status();
    if (!status_.ok()) return;
    database_.in_use_ = true;
    taken_ = true;
    database_.context_ = &context;
    database_.give_up_at_ =
        database_.options_.clock->SinceBoot() + database_.options_.busy_timeout;
  }

  ~Turn() {
    if (!taken_) return;
    database_.context_ = nullptr;
    MutexLock lock(database_.mutex_);
    database_.in_use_ = false;
    database_.turn_ended_.NotifyOne();
  }

  const absl::Status& status() const { return status_; }

 private:
  SqliteDatabase& database_;
  absl::Status status_;
  bool taken_ = false;
};

absl::StatusOr<std::unique_ptr<SqliteDatabase>> SqliteDatabase::Open(
    const SqliteOptions& options) {
  sqlite3* handle = nullptr;
  // Callers take turns, so SQLite need not lock for us.
  const int result =
      sqlite3_open_v2(options.path.c_str(), &handle,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
                      options.vfs.empty() ? nullptr : options.vfs.c_str());
  if (result != SQLITE_OK) {
    const absl::Status status = StatusOf(handle, result);
    sqlite3_close(handle);
    return Annotate(status, options.path);
  }
  return std::unique_ptr<SqliteDatabase>(new SqliteDatabase(options, handle));
}

SqliteDatabase::SqliteDatabase(const SqliteOptions& options, sqlite3* database)
    : options_(options), database_(database) {
  sqlite3_extended_result_codes(database_, 1);
  // What a hostile or damaged file may try to make us run.
  sqlite3_db_config(database_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(database_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_busy_handler(
      database_,
      [](void* self, int) {
        return static_cast<SqliteDatabase*>(self)->WaitWhileBusy() ? 1 : 0;
      },
      this);
  sqlite3_progress_handler(
      database_, kOperationsPerPoll,
      [](void* self) {
        const Context* context = static_cast<SqliteDatabase*>(self)->context_;
        return context != nullptr && context->done() ? 1 : 0;
      },
      this);
  // Touches no file; there is no error to tell.
  if (options_.exclusive) {
    sqlite3_exec(database_, "PRAGMA locking_mode = EXCLUSIVE", nullptr, nullptr,
                 nullptr);
  }
}

SqliteDatabase::~SqliteDatabase() {
  cache_.Clear();
  sqlite3_close(database_);
}

void SqliteDatabase::LeaveAsItIs() {
  sqlite3_db_config(database_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

bool SqliteDatabase::WaitWhileBusy() {
  if (context_ == nullptr || context_->done()) return false;
  if (options_.clock->SinceBoot() >= give_up_at_) return false;
  // A sleep, by a condition that is never notified.
  Mutex mutex;
  CondVar condition;
  MutexLock lock(mutex);
  condition.WaitFor(lock, kBusyPoll);
  return true;
}

absl::Status SqliteDatabase::RetryWhileBusy(
    const Context& context, absl::FunctionRef<absl::Status()> body) {
  absl::Status status = body();
  // SQLite does not ask its busy handler everywhere (not when two processes
  // turn a new file into WAL mode at once).
  while (IsBusy(status) && WaitWhileBusy()) status = body();
  if (IsBusy(status) && context.done()) return context.status();
  return status;
}

// An open file that was moved or removed takes all writes, for nobody: what was
// acknowledged would be missing from the catalog that the next one opens.
absl::Status SqliteDatabase::CheckInPlace() {
  int moved = 0;
  const int result =
      sqlite3_file_control(database_, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
  if (result != SQLITE_OK || moved == 0) return absl::OkStatus();
  return Unavailable(
      absl::StatusCode::kUnavailable,
      absl::StrCat("catalog: ", options_.path,
                   " is gone, or another file than the one that was opened"),
      "bring the file back; one that took its place is used after a restart");
}

absl::Status SqliteDatabase::Transact(const Context& context, const char* begin,
                                      Body body) {
  Turn turn(*this, context);
  SLUICE_RETURN_IF_ERROR(turn.status());
  SLUICE_RETURN_IF_ERROR(CheckInPlace());
  SqliteConnection connection(database_, &cache_);
  const auto execute = [&](const char* sql) -> absl::Status {
    SLUICE_ASSIGN_OR_RETURN(SqliteStatement statement, connection.Prepare(sql));
    return statement.Run();
  };
  SLUICE_RETURN_IF_ERROR(
      RetryWhileBusy(context, [&] { return execute(begin); }));
  absl::Status status = body(connection);
  if (status.ok()) {
    status = RetryWhileBusy(context, [&] { return execute("COMMIT"); });
  }
  if (!status.ok()) {
    // Fails only where SQLite has rolled back by itself.
    if (sqlite3_get_autocommit(database_) == 0)
      connection.Execute("ROLLBACK").IgnoreError();
    if (absl::IsCancelled(status) && !context.status().ok())
      return context.status();
  }
  return status;
}

absl::Status SqliteDatabase::Read(const Context& context, Body body) {
  return Transact(context, "BEGIN DEFERRED", body);
}

absl::Status SqliteDatabase::Write(const Context& context, Body body) {
  return Transact(context, "BEGIN IMMEDIATE", body);
}

absl::StatusOr<size_t> SqliteDatabase::Delete(const Context& context,
                                              absl::string_view sql,
                                              int64_t parameter) {
  size_t deleted = 0;
  SLUICE_RETURN_IF_ERROR(
      Write(context, [&](SqliteConnection& connection) -> absl::Status {
        SLUICE_ASSIGN_OR_RETURN(SqliteStatement remove,
                                connection.Prepare(sql));
        SLUICE_RETURN_IF_ERROR(remove.Bind(parameter).Run());
        deleted = static_cast<size_t>(connection.Changes());
        return absl::OkStatus();
      }));
  return deleted;
}

absl::Status SqliteDatabase::Configure(const Context& context, Body body) {
  Turn turn(*this, context);
  SLUICE_RETURN_IF_ERROR(turn.status());
  SqliteConnection connection(database_, &cache_);
  return RetryWhileBusy(context, [&] { return body(connection); });
}

}  // namespace sluice
