#include "sluice/plugins/postgres/client/connection.h"

#include <errno.h>
#include <fcntl.h>
#include <libpq-fe.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "sluice/base/error.h"
#include "sluice/base/mutex.h"
#include "sluice/base/status_macros.h"
#include "sluice/base/thread.h"
#include "sluice/plugins/postgres/client/input_buffer.h"
#include "sluice/plugins/postgres/client/row_budget.h"
#include "sluice/plugins/postgres/client/sql_error.h"

namespace sluice::postgres {
namespace {

constexpr absl::string_view kCannotConnect = "08001";
constexpr absl::Duration kPollInterval = absl::Milliseconds(50);
// A cancel is a connection of its own, which libpq opens blocking: where the
// network is gone it must not hold the run.
constexpr absl::Duration kCancelPatience = absl::Milliseconds(400);
// libpq sends only when its buffer is full and told to: let that not grow.
constexpr uint64_t kFlushBytes = 64 << 10;
constexpr size_t kPutBytes = 1 << 20;
// As much as a socket holds, so that one call brings all that is there.
constexpr size_t kReadBytes = 256 << 10;
constexpr int kFewBytes = 64 << 10;
// Rows that are longer count: what is shorter is no more than the buffer.
constexpr uint64_t kLongRowBytes = 256 << 10;

// What the meaning of our statements and of their results depends on.
struct Setting {
  absl::string_view name;
  absl::string_view value;
};
constexpr Setting kSettings[] = {
    {"search_path", ""},
    {"row_security", "off"},
    {"statement_timeout", "0"},
    {"lock_timeout", "0"},
    {"idle_in_transaction_session_timeout", "0"},
    {"standard_conforming_strings", "on"},
    {"synchronize_seqscans", "off"},
    {"quote_all_identifiers", "off"},
    {"bytea_output", "hex"},
    {"datestyle", "ISO, YMD"},
    {"intervalstyle", "postgres"},
    {"extra_float_digits", "3"},
    {"xmloption", "content"},
    {"array_nulls", "on"},
    {"transform_null_equals", "off"},
    {"jit", "off"},
};

// "-c name=value ..." for a startup packet. A space within a value would have
// to be escaped; lists do without.
std::string StartupSettings() {
  std::string text;
  for (const Setting& setting : kSettings) {
    absl::StrAppend(&text, text.empty() ? "-c " : " -c ", setting.name, "=",
                    absl::StrReplaceAll(setting.value, {{" ", ""}}));
  }
  return text;
}

// Statements that set all of it; `scope` is LOCAL or SESSION.
std::string SetStatements(absl::string_view scope, int server_version) {
  std::string sql;
  for (const Setting& setting : kSettings) {
    absl::StrAppend(&sql, "SET ", scope, " ", setting.name, " = '",
                    setting.value, "';");
  }
  if (server_version >= 170000) {
    absl::StrAppend(&sql, "SET ", scope, " transaction_timeout = 0;");
  }
  return sql;
}

// What the session has, as one row of text; last two: whose backend it is, and
// whether it knows how to keep views out.
std::string ReadSettings() {
  std::string sql = "SELECT ";
  for (const Setting& setting : kSettings) {
    absl::StrAppend(&sql, "pg_catalog.current_setting('", setting.name, "'), ");
  }
  return absl::StrCat(sql,
                      "pg_catalog.pg_backend_pid(), pg_catalog.current_setting("
                      "'restrict_nonsystem_relation_kind', true) IS NOT NULL");
}

// A pooler that knows no options in a startup packet, or a server that forbids
// one of ours.
bool RefusesOptions(const absl::Status& status) {
  const std::string state = SqlStateOf(status);
  return state == "08P01" || state == "0A000" || state == "42704";
}

// A database in an encoding that the server cannot convert to UTF-8.
bool RefusesEncoding(const absl::Status& status, absl::string_view encoding) {
  const std::string state = SqlStateOf(status);
  return (state == "0A000" || state == "22023") &&
         (absl::StrContains(status.message(), "client_encoding") ||
          absl::StrContains(status.message(), encoding));
}

// A server sends 8 KiB at a time. To be woken for each takes a processor from
// it that it could use, so what has begun to come is let come for a moment.
void LetGather(int socket) {
  int waiting = 0;
  if (ioctl(socket, FIONREAD, &waiting) == 0 && waiting < kFewBytes) {
    constexpr timespec kMoment = {0, 100'000};
    nanosleep(&kMoment, nullptr);
  }
}

// Of a FATAL at connecting libpq gives only text. Its verbose form bears the
// SQLSTATE, in every language: "FATAL:  28P01: password ...\nLOCATION: ...".
std::string SqlStateIn(absl::string_view message) {
  for (size_t at = message.find(":  "); at != absl::string_view::npos;
       at = message.find(":  ", at + 1)) {
    const absl::string_view state = message.substr(at + 3, 5);
    const absl::string_view rest =
        message.substr(std::min(at + 8, message.size()));
    if (state.size() == 5 && absl::StartsWith(rest, ": ") &&
        std::all_of(state.begin(), state.end(), [](unsigned char c) {
          return absl::ascii_isdigit(c) || absl::ascii_isupper(c);
        })) {
      return std::string(state);
    }
  }
  return "";
}

// Without the place in the server's source, which no user wants.
std::string WithoutLocation(absl::string_view message) {
  std::vector<absl::string_view> lines =
      absl::StrSplit(message, '\n', absl::SkipWhitespace());
  lines.erase(std::remove_if(lines.begin(), lines.end(),
                             [](absl::string_view line) {
                               return absl::StartsWith(line, "LOCATION:");
                             }),
              lines.end());
  // A second line, whether the server is running, begins with a tab.
  return absl::StrJoin(lines, "; ", [](std::string* out, auto line) {
    out->append(std::string(absl::StripAsciiWhitespace(line)));
  });
}

std::string Redacted(absl::string_view message, absl::string_view password) {
  if (password.empty()) return std::string(message);
  return absl::StrReplaceAll(message, {{password, "********"}});
}

// Tells the server to cancel what `connection` does, and waits a little for it
// to have understood.
void CancelOnServer(PGconn* connection) {
  PGcancel* const cancel = PQgetCancel(connection);
  if (cancel == nullptr) return;
  struct State {
    Mutex mutex;
    CondVar changed;
    bool done ABSL_GUARDED_BY(mutex) = false;
  };
  const auto state = std::make_shared<State>();
  absl::StatusOr<Thread> thread = Thread::Start("pg-cancel", [cancel, state] {
    char error[256];
    PQcancel(cancel, error, sizeof(error));
    PQfreeCancel(cancel);
    MutexLock lock(state->mutex);
    state->done = true;
    state->changed.NotifyAll();
  });
  if (!thread.ok()) {
    // The server sees that we are gone when it next sends.
    PQfreeCancel(cancel);
    return;
  }
  thread->Detach();
  const absl::Time deadline = absl::Now() + kCancelPatience;
  MutexLock lock(state->mutex);
  while (!state->done && absl::Now() < deadline) {
    state->changed.WaitFor(lock, deadline - absl::Now());
  }
}

std::string OrEmpty(const char* text) { return text == nullptr ? "" : text; }

// libpq tells what failed in words alone, in any language.
bool MayNotUseSocket(const std::string& folder, const std::string& port) {
  if (folder.empty() || folder[0] != '/') return false;
  const std::string path = absl::StrCat(folder, "/.s.PGSQL.", port);
  return faccessat(AT_FDCWD, path.c_str(), W_OK, AT_EACCESS) != 0 &&
         errno == EACCES;
}

}  // namespace

void ConnectionOptions::Set(absl::string_view keyword,
                            absl::string_view value) {
  for (auto& parameter : parameters) {
    if (parameter.first == keyword) {
      parameter.second = std::string(value);
      return;
    }
  }
  parameters.emplace_back(std::string(keyword), std::string(value));
}

std::string ConnectionOptions::Get(absl::string_view keyword) const {
  for (const auto& parameter : parameters) {
    if (parameter.first == keyword) return parameter.second;
  }
  return "";
}

Param Param::Null() {
  Param param("");
  param.null = true;
  return param;
}

Result::Result(pg_result* result) : result_(result) {}
Result::Result(Result&& other) noexcept
    : result_(std::exchange(other.result_, nullptr)) {}
Result& Result::operator=(Result&& other) noexcept {
  std::swap(result_, other.result_);
  return *this;
}
Result::~Result() { PQclear(result_); }

int Result::rows() const { return PQntuples(result_); }
int Result::columns() const { return PQnfields(result_); }
bool Result::IsNull(int row, int column) const {
  return PQgetisnull(result_, row, column) != 0;
}
absl::string_view Result::Get(int row, int column) const {
  const char* const value = PQgetvalue(result_, row, column);
  if (value == nullptr) return "";
  return {value, static_cast<size_t>(PQgetlength(result_, row, column))};
}
std::string Result::Text(int row, int column) const {
  return std::string(Get(row, column));
}
bool Result::Bool(int row, int column) const { return Get(row, column) == "t"; }
int64_t Result::Integer(int row, int column) const {
  int64_t value = 0;
  return absl::SimpleAtoi(Get(row, column), &value) ? value : 0;
}
uint64_t Result::affected_rows() const {
  uint64_t rows = 0;
  return absl::SimpleAtoi(OrEmpty(PQcmdTuples(result_)), &rows) ? rows : 0;
}
bool Result::has_rows() const {
  return PQresultStatus(result_) == PGRES_TUPLES_OK;
}
std::string Result::column_name(int column) const {
  return OrEmpty(PQfname(result_, column));
}
uint32_t Result::column_type(int column) const {
  return PQftype(result_, column);
}
std::string Result::command_tag() const {
  return result_ == nullptr ? "" : OrEmpty(PQcmdStatus(result_));
}

void Connection::Closer::operator()(pg_conn* connection) const {
  PQfinish(connection);
}

Connection::Connection(pg_conn* connection, const Interrupt* interrupt,
                       const ConnectionOptions& options)
    : connection_(connection),
      interrupt_(interrupt),
      password_(options.password),
      row_budget_(options.row_budget) {}

Connection::~Connection() { ReleaseRow(); }

absl::StatusOr<std::unique_ptr<Connection>> Connection::Open(
    const ConnectionOptions& options, const Interrupt* interrupt) {
  // libpq takes options from one place alone, so ours stand beside those that
  // it would have taken. Those of a service file only libpq can read: there the
  // packet stays as it is.
  std::string theirs = options.Get("options");
  const bool service =
      !options.Get("service").empty() || std::getenv("PGSERVICE") != nullptr;
  if (theirs.empty() && !service) theirs = OrEmpty(std::getenv("PGOPTIONS"));
  std::string startup = theirs;
  if (!service || !theirs.empty()) {
    absl::StrAppend(&startup, theirs.empty() ? "" : " ", StartupSettings());
  }
  std::string encoding = options.Get("client_encoding");
  if (encoding.empty()) encoding = "UTF8";
  auto connection = Start(options, encoding, startup, interrupt);
  if (!connection.ok() && RefusesEncoding(connection.status(), encoding)) {
    encoding = "SQL_ASCII";
    connection = Start(options, encoding, startup, interrupt);
  }
  if (!connection.ok() && startup != theirs &&
      RefusesOptions(connection.status())) {
    connection = Start(options, encoding, theirs, interrupt);
  }
  SLUICE_RETURN_IF_ERROR(connection.status());
  if (!InputBuffer((*connection)->connection_.get()).IsOfThisLayout()) {
    return MakeError(absl::StatusCode::kInternal, kInternal,
                     "libpq is not the one of the headers it was built with");
  }
  SLUICE_RETURN_IF_ERROR((*connection)->FixSession(options.in_transactions));
  return connection;
}

absl::StatusOr<std::unique_ptr<Connection>> Connection::Start(
    const ConnectionOptions& options, const std::string& encoding,
    const std::string& startup, const Interrupt* interrupt) {
  ConnectionOptions all = options;
  all.Set("client_encoding", encoding);
  if (!startup.empty()) all.Set("options", startup);
  if (all.Get("fallback_application_name").empty()) {
    all.Set("fallback_application_name", "sluice");
  }
  if (!options.password.empty()) all.Set("password", options.password);
  std::vector<const char*> keywords, values;
  for (const auto& parameter : all.parameters) {
    keywords.push_back(parameter.first.c_str());
    values.push_back(parameter.second.c_str());
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  std::unique_ptr<Connection> connection(
      new Connection(PQconnectStartParams(keywords.data(), values.data(), 0),
                     interrupt, options));
  SLUICE_RETURN_IF_ERROR(
      connection->Connect(absl::Now() + options.connect_timeout));
  return connection;
}

absl::Status Connection::FixSession(bool in_transactions) {
  SLUICE_ASSIGN_OR_RETURN(const Result row, Exec(ReadSettings()));
  bool fixed = true;
  int column = 0;
  for (const Setting& setting : kSettings) {
    fixed &= row.Get(0, column) == setting.value;
    ++column;
  }
  pooled_ = row.Integer(0, column) != backend_pid();
  restricts_relation_kinds_ = row.Bool(0, column + 1);
  if (pooled_ && in_transactions) return absl::OkStatus();
  std::string sql;
  if (!fixed) sql = SetStatements("SESSION", server_version());
  if (fixed && server_version() >= 170000) {
    absl::StrAppend(&sql, "SET transaction_timeout = 0;");
  }
  if (server_version() >= 140000) {
    absl::StrAppend(&sql, "SET idle_session_timeout = 0;");
  }
  return sql.empty() ? absl::OkStatus() : Exec(sql).status();
}

absl::Status Connection::Begin(absl::string_view mode) {
  std::string sql = absl::StrCat("BEGIN ", mode, ";",
                                 SetStatements("LOCAL", server_version()));
  if (restricts_relation_kinds_) {
    absl::StrAppend(&sql,
                    "SET LOCAL restrict_nonsystem_relation_kind = "
                    "'view, foreign-table';");
  }
  return Exec(sql).status();
}

absl::Status Connection::Connect(absl::Time deadline) {
  if (connection_ == nullptr) {
    return MakeError(absl::StatusCode::kResourceExhausted, kResourceExhausted,
                     "no memory for a connection");
  }
  PGconn* const connection = connection_.get();
  PQsetErrorVerbosity(connection, PQERRORS_VERBOSE);
  PQsetNoticeProcessor(
      connection, [](void*, const char*) {}, nullptr);
  PostgresPollingStatusType state = PGRES_POLLING_WRITING;
  if (PQstatus(connection) == CONNECTION_BAD) state = PGRES_POLLING_FAILED;
  while (state == PGRES_POLLING_READING || state == PGRES_POLLING_WRITING) {
    if (absl::Now() >= deadline) {
      return MakeError(absl::StatusCode::kUnavailable, kSourceUnavailable,
                       "connect: the server did not answer in time");
    }
    pollfd poller{
        PQsocket(connection),
        static_cast<short>(state == PGRES_POLLING_READING ? POLLIN : POLLOUT),
        0};
    const int ready =
        poll(&poller, 1, absl::ToInt64Milliseconds(kPollInterval));
    SLUICE_RETURN_IF_ERROR(interrupt_->status());
    if (ready > 0) state = PQconnectPoll(connection);
  }
  if (state == PGRES_POLLING_FAILED) return ConnectError();
  PQsetErrorVerbosity(connection, PQERRORS_DEFAULT);
  if (PQsetnonblocking(connection, 1) != 0) return Lost();
  return absl::OkStatus();
}

absl::Status Connection::ConnectError() const {
  PGconn* const connection = connection_.get();
  const std::string text =
      Redacted(WithoutLocation(PQerrorMessage(connection)), password_);
  std::string state = SqlStateIn(text);
  const bool needs_password = PQconnectionNeedsPassword(connection) != 0;
  if (state.empty() &&
      (needs_password || PQconnectionUsedPassword(connection) != 0)) {
    state = "28P01";
  }
  if (state.empty()) state = std::string(kCannotConnect);
  absl::Status status = SqlError(state, text);
  // Whatever it was, nothing had begun yet.
  if (ErrorCodeOf(status) == kSourceFailed) {
    status = WithCode(std::move(status), kSourceUnavailable);
  }
  if (state == kCannotConnect && MayNotUseSocket(host(), port())) {
    return WithHint(
        MakeError(absl::StatusCode::kPermissionDenied, kSourcePermissionDenied,
                  status.message()),
        "run sluice as a user who may reach the server's socket, or name the "
        "server by a host that listens on TCP");
  }
  if (needs_password) {
    // .pgpass is read by all four, and often names another database.
    status = WithHint(
        std::move(status),
        absl::StrCat("no password was found for ", host(), ":", port(), ":",
                     database(), ":", user(),
                     ": give one in ~/.pgpass for that host, port, database "
                     "and user, in a service file, or as password=env:NAME"));
  }
  return status;
}

absl::Status Connection::CheckOpen() const {
  if (connection_ == nullptr || PQstatus(connection_.get()) != CONNECTION_OK) {
    SLUICE_RETURN_IF_ERROR(interrupt_->status());
    return ConnectionLost("the connection to the server is closed");
  }
  return absl::OkStatus();
}

absl::Status Connection::Wait(short events) {
  if (absl::Status why = interrupt_->status(); !why.ok()) {
    return Interrupted(std::move(why));
  }
  pollfd poller{PQsocket(connection_.get()), events, 0};
  poll(&poller, 1, absl::ToInt64Milliseconds(kPollInterval));
  return absl::OkStatus();
}

absl::Status Connection::Interrupted(absl::Status why) {
  if (at_interrupt_ == AtInterrupt::kCancel) CancelOnServer(connection_.get());
  connection_.reset();
  return why;
}

absl::Status Connection::Lost() {
  const std::string text =
      Redacted(PQerrorMessage(connection_.get()), password_);
  connection_.reset();
  return ConnectionLost(text.empty() ? "the connection to the server was lost"
                                     : text);
}

absl::Status Connection::ErrorOf(const pg_result* result) const {
  const std::string state =
      OrEmpty(PQresultErrorField(result, PG_DIAG_SQLSTATE));
  if (state.empty()) {
    return ConnectionLost(Redacted(PQresultErrorMessage(result), password_));
  }
  std::string text =
      OrEmpty(PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
  for (const char field : {PG_DIAG_MESSAGE_DETAIL, PG_DIAG_CONTEXT}) {
    const std::string more = OrEmpty(PQresultErrorField(result, field));
    if (!more.empty()) absl::StrAppend(&text, "; ", more);
  }
  absl::Status status = SqlError(state, Redacted(text, password_));
  const std::string hint =
      OrEmpty(PQresultErrorField(result, PG_DIAG_MESSAGE_HINT));
  if (!hint.empty() && HintOf(status).empty()) {
    status = WithHint(std::move(status), hint);
  }
  return status;
}

absl::Status Connection::Flush() {
  while (true) {
    const int left = PQflush(connection_.get());
    if (left == 0) break;
    if (left < 0) return Lost();
    // A server that has something to say first must be listened to, or both
    // sides wait for ever.
    SLUICE_RETURN_IF_ERROR(Wait(POLLIN | POLLOUT));
    if (PQconsumeInput(connection_.get()) == 0) return Lost();
  }
  unflushed_ = 0;
  return absl::OkStatus();
}

absl::StatusOr<pg_result*> Connection::NextResult() {
  while (PQisBusy(connection_.get()) != 0) {
    SLUICE_RETURN_IF_ERROR(Wait(POLLIN));
    // What came before the end may still tell why: PQgetResult knows.
    if (PQconsumeInput(connection_.get()) == 0) break;
  }
  return PQgetResult(connection_.get());
}

absl::StatusOr<Result> Connection::Collect() {
  Result last(nullptr);
  absl::Status error;
  while (true) {
    SLUICE_ASSIGN_OR_RETURN(pg_result * next, NextResult());
    if (next == nullptr) break;
    Result result(next);
    switch (PQresultStatus(next)) {
      case PGRES_COMMAND_OK:
      case PGRES_TUPLES_OK:
      case PGRES_EMPTY_QUERY:
        last = std::move(result);
        break;
      case PGRES_COPY_IN:
      case PGRES_COPY_OUT:
      case PGRES_COPY_BOTH:
        // Nobody will read or write it: the session cannot go on.
        connection_.reset();
        return absl::InternalError("COPY within Exec");
      default:
        if (error.ok()) error = ErrorOf(next);
    }
  }
  if (!error.ok()) return error;
  return last;
}

absl::StatusOr<Result> Connection::Exec(absl::string_view sql,
                                        AtInterrupt at_interrupt) {
  SLUICE_RETURN_IF_ERROR(CheckOpen());
  at_interrupt_ = at_interrupt;
  const absl::Cleanup restore = [this] {
    at_interrupt_ = AtInterrupt::kCancel;
  };
  if (PQsendQuery(connection_.get(), std::string(sql).c_str()) == 0) {
    return Lost();
  }
  SLUICE_RETURN_IF_ERROR(Flush());
  return Collect();
}

absl::StatusOr<Result> Connection::ExecParams(
    absl::string_view sql, absl::Span<const Param> parameters, Format results) {
  SLUICE_RETURN_IF_ERROR(CheckOpen());
  std::vector<std::string> texts;  // libpq wants text to end with a NUL
  std::vector<const char*> values;
  std::vector<int> lengths, formats;
  texts.reserve(parameters.size());
  for (const Param& parameter : parameters) {
    texts.emplace_back(parameter.format == Format::kText
                           ? std::string(parameter.bytes)
                           : std::string());
    values.push_back(parameter.null ? nullptr
                     : parameter.format == Format::kText
                         ? texts.back().c_str()
                         : parameter.bytes.data());
    lengths.push_back(static_cast<int>(parameter.bytes.size()));
    formats.push_back(static_cast<int>(parameter.format));
  }
  if (PQsendQueryParams(connection_.get(), std::string(sql).c_str(),
                        static_cast<int>(parameters.size()), nullptr,
                        values.data(), lengths.data(), formats.data(),
                        static_cast<int>(results)) == 0) {
    return Lost();
  }
  SLUICE_RETURN_IF_ERROR(Flush());
  return Collect();
}

absl::Status Connection::BeginCopy(absl::string_view sql, int expected) {
  SLUICE_RETURN_IF_ERROR(CheckOpen());
  if (PQsendQuery(connection_.get(), std::string(sql).c_str()) == 0) {
    return Lost();
  }
  SLUICE_RETURN_IF_ERROR(Flush());
  SLUICE_ASSIGN_OR_RETURN(pg_result * next, NextResult());
  const Result result(next);
  if (PQresultStatus(next) == expected) return absl::OkStatus();
  const absl::Status error =
      PQresultStatus(next) == PGRES_FATAL_ERROR
          ? ErrorOf(next)
          : absl::InternalError("a statement that is no such COPY");
  Collect().status().IgnoreError();  // the first error is the cause
  return error;
}

absl::Status Connection::BeginCopyOut(absl::string_view sql) {
  SLUICE_RETURN_IF_ERROR(BeginCopy(sql, PGRES_COPY_OUT));
  InputBuffer(connection_.get()).Reserve(kReadBytes);
  return absl::OkStatus();
}

void Connection::ReleaseRow() {
  PQfreemem(std::exchange(row_, nullptr));
  if (admitted_ == 0) return;
  // The memory first: another one begins to fill its own at once.
  if (connection_ != nullptr) {
    InputBuffer(connection_.get()).ShrinkTo(kReadBytes);
  }
  row_budget_->GiveBack(std::exchange(admitted_, 0));
}

absl::Status Connection::AdmitRow(uint64_t bytes) {
  if (row_budget_ != nullptr && admitted_ == 0 && bytes > kLongRowBytes) {
    absl::Status status = row_budget_->Take(bytes, *interrupt_);
    if (!status.ok()) return Interrupted(std::move(status));
    admitted_ = bytes;
  }
  InputBuffer(connection_.get()).Reserve(bytes + kReadBytes);
  return absl::OkStatus();
}

absl::StatusOr<bool> Connection::NextRow(absl::string_view* row) {
  ReleaseRow();
  if (connection_ == nullptr) return CheckOpen();
  InputBuffer input(connection_.get());
  bool at_end = false;
  while (!input.NextCopyData(row)) {
    if (const uint64_t bytes = input.pending_bytes(); bytes > 0) {
      if (at_end) return Lost();
      SLUICE_RETURN_IF_ERROR(AdmitRow(bytes));
    } else {
      const int size = PQgetCopyData(connection_.get(), &row_, /*async=*/1);
      if (size > 0) {
        *row = absl::string_view(row_, static_cast<size_t>(size));
        return true;
      }
      if (size == -1) {
        SLUICE_RETURN_IF_ERROR(Collect().status());
        return false;
      }
      if (size < 0 || at_end) return Lost();
    }
    SLUICE_RETURN_IF_ERROR(Wait(POLLIN));
    LetGather(PQsocket(connection_.get()));
    at_end = PQconsumeInput(connection_.get()) == 0;
  }
  return true;
}

absl::Status Connection::BeginCopyIn(absl::string_view sql) {
  return BeginCopy(sql, PGRES_COPY_IN);
}

absl::Status Connection::Put(absl::string_view bytes) {
  SLUICE_RETURN_IF_ERROR(CheckOpen());
  while (!bytes.empty()) {
    const absl::string_view piece = bytes.substr(0, kPutBytes);
    const int sent = PQputCopyData(connection_.get(), piece.data(),
                                   static_cast<int>(piece.size()));
    if (sent < 0) return Lost();
    if (sent > 0) {
      bytes.remove_prefix(piece.size());
      unflushed_ += piece.size();
    }
    if (sent == 0 || unflushed_ >= kFlushBytes) {
      SLUICE_RETURN_IF_ERROR(Flush());
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<uint64_t> Connection::EndCopyIn() {
  SLUICE_RETURN_IF_ERROR(EndCopy(nullptr));
  SLUICE_ASSIGN_OR_RETURN(const Result result, Collect());
  return result.affected_rows();
}

absl::Status Connection::AbortCopyIn(absl::string_view reason) {
  SLUICE_RETURN_IF_ERROR(EndCopy(std::string(reason).c_str()));
  const absl::Status status = Collect().status();
  // That the statement failed is what was asked for.
  return SqlStateOf(status).empty() ? status : absl::OkStatus();
}

absl::Status Connection::EndCopy(const char* reason) {
  SLUICE_RETURN_IF_ERROR(CheckOpen());
  while (true) {
    const int sent = PQputCopyEnd(connection_.get(), reason);
    if (sent < 0) return Lost();
    SLUICE_RETURN_IF_ERROR(Flush());
    if (sent > 0) return absl::OkStatus();
  }
}

int Connection::server_version() const {
  return PQserverVersion(connection_.get());
}
std::string Connection::ServerSetting(absl::string_view name) const {
  return OrEmpty(
      PQparameterStatus(connection_.get(), std::string(name).c_str()));
}
int Connection::backend_pid() const { return PQbackendPID(connection_.get()); }
bool Connection::tls() const { return PQsslInUse(connection_.get()) != 0; }
std::string Connection::host() const {
  return OrEmpty(PQhost(connection_.get()));
}
std::string Connection::port() const {
  return OrEmpty(PQport(connection_.get()));
}
std::string Connection::user() const {
  return OrEmpty(PQuser(connection_.get()));
}
std::string Connection::database() const {
  return OrEmpty(PQdb(connection_.get()));
}
std::string Connection::password() const {
  return OrEmpty(PQpass(connection_.get()));
}

}  // namespace sluice::postgres
