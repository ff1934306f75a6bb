#include "sluice/plugins/postgres/tools/session_gateway.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "sluice/base/scratch_folder.h"
#include "sluice/base/status_macros.h"
#include "sluice/base/thread.h"
#include "sluice/plugins/postgres/client/sql_error.h"
#include "sluice/plugins/postgres/payload/scratch.h"
#include "sluice/plugins/sdk/barrier.h"

namespace sluice::postgres {
namespace {

// What libpq remembers of a session, and pg_dump asks it for.
constexpr absl::string_view kReported[] = {"server_version",
                                           "server_encoding",
                                           "client_encoding",
                                           "application_name",
                                           "is_superuser",
                                           "session_authorization",
                                           "DateStyle",
                                           "IntervalStyle",
                                           "TimeZone",
                                           "integer_datetimes",
                                           "standard_conforming_strings"};

std::string Int32(uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) {
    bytes.push_back(static_cast<char>(value >> shift & 0xff));
  }
  return bytes;
}

std::string Int16(uint32_t value) { return Int32(value).substr(2); }

// With the NUL that the protocol ends texts with.
std::string Text(absl::string_view text) {
  return std::string(text) + std::string(1, '\0');
}

std::string Message(char type, absl::string_view body) {
  return absl::StrCat(absl::string_view(&type, 1),
                      Int32(static_cast<uint32_t>(body.size() + 4)), body);
}

std::string RowDescription(const Result& result) {
  std::string body = Int16(static_cast<uint32_t>(result.columns()));
  for (int column = 0; column < result.columns(); ++column) {
    // No table, the type, any length, no modifier, text.
    absl::StrAppend(&body, Text(result.column_name(column)), Int32(0), Int16(0),
                    Int32(result.column_type(column)), Int16(0xffff),
                    Int32(0xffffffff), Int16(0));
  }
  return Message('T', body);
}

std::string DataRow(const Result& result, int row) {
  std::string body = Int16(static_cast<uint32_t>(result.columns()));
  for (int column = 0; column < result.columns(); ++column) {
    const absl::string_view value = result.Get(row, column);
    if (result.IsNull(row, column)) {
      absl::StrAppend(&body, Int32(0xffffffff));
    } else {
      absl::StrAppend(&body, Int32(static_cast<uint32_t>(value.size())), value);
    }
  }
  return Message('D', body);
}

std::string ErrorResponse(const absl::Status& status) {
  std::string state = SqlStateOf(status);
  if (state.empty()) state = "58000";
  return Message('E', absl::StrCat("S", Text("ERROR"), "V", Text("ERROR"), "C",
                                   Text(state), "M", Text(status.message()),
                                   absl::string_view("\0", 1)));
}

std::string Ready() { return Message('Z', "T"); }

}  // namespace

SessionGateway::SessionGateway(Connection& session, const Interrupt& interrupt)
    : session_(session), interrupt_(interrupt) {}

absl::StatusOr<std::unique_ptr<SessionGateway>> SessionGateway::Open(
    Connection& session, const Interrupt& interrupt,
    const std::string& scratch_folder) {
  constexpr absl::string_view kFolder = "/sluice-XXXXXX";
  constexpr absl::string_view kSocket = "/.s.PGSQL.5432";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::string folder = ScratchFolderOf(scratch_folder);
  // The kernel has room for a short path alone.
  if (folder.size() + kFolder.size() + kSocket.size() >=
      sizeof(address.sun_path)) {
    folder = "/tmp";
  }
  absl::StrAppend(&folder, kFolder);
  if (mkdtemp(folder.data()) == nullptr) {
    return ScratchError("make folder", folder, errno);
  }
  std::unique_ptr<SessionGateway> gateway(
      new SessionGateway(session, interrupt));
  gateway->folder_ = folder;
  const std::string path = absl::StrCat(folder, kSocket);
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  gateway->listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (gateway->listener_ < 0 ||
      bind(gateway->listener_, reinterpret_cast<sockaddr*>(&address),
           sizeof(address)) != 0 ||
      listen(gateway->listener_, 1) != 0) {
    return ScratchError("make a socket in", folder, errno);
  }
  SLUICE_ASSIGN_OR_RETURN(gateway->thread_,
                          Thread::Start("pg-gateway", [raw = gateway.get()] {
                            sdk::GuardedQuietly([raw] { raw->Serve(); });
                          }));
  return gateway;
}

SessionGateway::~SessionGateway() {
  Close().IgnoreError();
  if (listener_ >= 0) close(listener_);
  unlink(absl::StrCat(folder_, "/.s.PGSQL.5432").c_str());
  rmdir(folder_.c_str());
}

ConnectionOptions SessionGateway::connection() const {
  ConnectionOptions options;
  options.Set("host", folder_);
  options.Set("port", "5432");
  options.Set("user", session_.user());
  options.Set("dbname", session_.database());
  options.Set("sslmode", "disable");
  options.Set("gssencmode", "disable");
  options.Set("client_encoding", session_.ServerSetting("client_encoding"));
  return options;
}

absl::Status SessionGateway::Close() {
  closing_ = true;
  thread_.Join();
  return failure_;
}

bool SessionGateway::ShouldGoOn() const {
  return !closing_ && interrupt_.status().ok();
}

void SessionGateway::Serve() {
  const int client = Accept();
  if (client < 0) return;
  const absl::Cleanup closer = [client] { close(client); };
  FrontendParser parser;
  std::string answer;
  do {
    const absl::optional<FrontendRequest> request = parser.Next();
    if (!request.has_value()) {
      answer.clear();
      if (!Read(client, parser)) return;
      continue;
    }
    switch (request->kind) {
      case FrontendRequest::Kind::kEncryption:
        answer = "N";
        break;
      case FrontendRequest::Kind::kStartup:
        answer = Greeting();
        break;
      case FrontendRequest::Kind::kQuery:
        answer = Answer(request->sql) + Ready();
        break;
      case FrontendRequest::Kind::kEnd:
        return;
    }
  } while (Write(client, answer));
}

int SessionGateway::Accept() {
  while (ShouldGoOn()) {
    pollfd poller{listener_, POLLIN, 0};
    if (poll(&poller, 1, kPollMilliseconds) <= 0) continue;
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (client >= 0) return client;
  }
  return -1;
}

std::string SessionGateway::Greeting() const {
  std::string greeting = Message('R', Int32(0));
  for (const absl::string_view name : kReported) {
    absl::StrAppend(
        &greeting,
        Message('S', Text(name) + Text(session_.ServerSetting(name))));
  }
  // A cancel of the client's would go nowhere: ours reaches the session.
  absl::StrAppend(&greeting, Message('K', Int32(0) + Int32(0)), Ready());
  return greeting;
}

std::string SessionGateway::Answer(const std::string& sql) {
  const absl::string_view statement = absl::StripLeadingAsciiWhitespace(sql);
  if (absl::StartsWithIgnoreCase(statement, "BEGIN")) {
    return Message('C', Text("BEGIN"));
  }
  // Ours, too: how long the session waits for a lock.
  if (absl::StartsWithIgnoreCase(statement, "SET TRANSACTION") ||
      absl::StartsWithIgnoreCase(statement, "SET lock_timeout")) {
    return Message('C', Text("SET"));
  }
  const absl::StatusOr<Result> result = session_.Exec(sql);
  if (!result.ok()) {
    if (failure_.ok()) failure_ = DeepCopy(result.status());
    return ErrorResponse(result.status());
  }
  std::string answer;
  if (result->has_rows()) {
    answer = RowDescription(*result);
    for (int row = 0; row < result->rows(); ++row) {
      absl::StrAppend(&answer, DataRow(*result, row));
    }
  }
  absl::StrAppend(&answer, Message('C', Text(result->command_tag())));
  return answer;
}

bool SessionGateway::Read(int client, FrontendParser& parser) {
  char buffer[16 << 10];
  while (ShouldGoOn()) {
    pollfd poller{client, POLLIN, 0};
    if (poll(&poller, 1, kPollMilliseconds) <= 0) continue;
    const ssize_t got = recv(client, buffer, sizeof(buffer), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    parser.Feed(absl::string_view(buffer, static_cast<size_t>(got)));
    return true;
  }
  return false;
}

bool SessionGateway::Write(int client, absl::string_view bytes) {
  while (!bytes.empty()) {
    if (!ShouldGoOn()) return false;
    pollfd poller{client, POLLOUT, 0};
    if (poll(&poller, 1, kPollMilliseconds) <= 0) continue;
    const ssize_t sent =
        send(client, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0 && errno != EINTR && errno != EAGAIN) return false;
    if (sent > 0) bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

}  // namespace sluice::postgres
