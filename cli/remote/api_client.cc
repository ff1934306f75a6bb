#include "sluice/cli/remote/api_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "sluice/base/error.h"
#include "sluice/base/mutex.h"
#include "sluice/base/status_macros.h"
#include "sluice/cli/terminal/exit_code.h"
#include "sluice/cli/terminal/json.h"
#include "sluice/executor/ulid.h"
#include "sluice/service/http/message/json_body.h"

namespace sluice::cli {
namespace {

constexpr char kRoot[] = "/api/v1";
constexpr absl::Duration kLongestWait = absl::Seconds(5);

absl::Status AllowLoopback(const sockaddr* address, socklen_t size) {
  bool is_ours = false;
  if (address->sa_family == AF_INET && size >= sizeof(sockaddr_in)) {
    const auto* const v4 = reinterpret_cast<const sockaddr_in*>(address);
    is_ours = (ntohl(v4->sin_addr.s_addr) >> 24) == 127;
  } else if (address->sa_family == AF_INET6 && size >= sizeof(sockaddr_in6)) {
    const auto* const v6 = reinterpret_cast<const sockaddr_in6*>(address);
    is_ours = IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
  }
  return is_ours ? absl::OkStatus()
                 : InvalidArgument("not an address of this machine",
                                   "https:// for another one");
}

http::HttpClientOptions OptionsFor(const ServerAddress& server,
                                   const ApiClientOptions& options) {
  http::HttpClientOptions made;
  made.unix_socket = server.unix_socket;
  made.ca_file = options.ca_file;
  made.connect_timeout = options.connect_timeout;
  made.timeout = options.timeout;
  if (!server.unix_socket.empty()) made.use_proxy = false;
  if (server.loopback_only) made.allow_address = AllowLoopback;
  return made;
}

bool IsJson(const http::HttpAnswer& answer) {
  const absl::string_view type =
      answer.headers.Find("Content-Type").value_or("");
  return absl::StartsWithIgnoreCase(type, "application/json") ||
         absl::StartsWithIgnoreCase(type, "application/problem+json");
}

absl::StatusCode CanonicalOf(int status, absl::string_view code) {
  if (code == kCancelled) return absl::StatusCode::kCancelled;
  if (code == kDeadlineExceeded) return absl::StatusCode::kDeadlineExceeded;
  switch (status) {
    case 400:
      return absl::StatusCode::kInvalidArgument;
    case 401:
      return absl::StatusCode::kUnauthenticated;
    case 403:
      return absl::StatusCode::kPermissionDenied;
    case 404:
      return absl::StatusCode::kNotFound;
    case 503:
      return absl::StatusCode::kUnavailable;
    default:
      return absl::StatusCode::kFailedPrecondition;
  }
}

std::string HintFor(absl::string_view code, const std::string& hint) {
  if (code == "unauthenticated") {
    return "--token env:NAME or file:PATH, or SLUICE_TOKEN; `sluice token "
           "create` where the server runs makes one";
  }
  if (code == "not_found" && hint.empty()) {
    return "this server does not know how: is it of an older version?";
  }
  return hint;
}

bool IsWord(absl::string_view text) {
  return !text.empty() && text.size() <= 64 &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return absl::ascii_islower(static_cast<unsigned char>(c)) ||
                  absl::ascii_isdigit(static_cast<unsigned char>(c)) ||
                  c == '_';
         });
}

// What a server says of an error, as the error that it is.
absl::Status ErrorOfProblem(int status, const AnswerJson& body) {
  SLUICE_ASSIGN_OR_RETURN(const std::string code, ReadText(body, "code"));
  SLUICE_ASSIGN_OR_RETURN(const std::string detail, ReadText(body, "detail"));
  SLUICE_ASSIGN_OR_RETURN(const std::string hint, ReadText(body, "hint"));
  if (!IsWord(code)) {
    return AnswerError(absl::StrCat("HTTP status ", status, " without a code"));
  }
  absl::Status error = MakeError(CanonicalOf(status, code), code,
                                 detail.empty() ? code : detail);
  const std::string said = HintFor(code, hint);
  return said.empty() ? error : WithHint(error, said);
}

// What was sent back, if it is Sluice's; else what it seems to be.
absl::StatusOr<ApiAnswer> Understand(const http::HttpAnswer& answer) {
  ApiAnswer read;
  read.status = answer.status;
  if (answer.status == 204) return read;
  if (answer.status >= 300 && answer.status < 400) {
    return AnswerError(absl::StrCat("HTTP status ", answer.status,
                                    ", a redirect, which is not followed"));
  }
  if (!IsJson(answer)) {
    return AnswerError(absl::StrCat("HTTP status ", answer.status,
                                    ", and no JSON: a proxy, or another "
                                    "service"));
  }
  absl::StatusOr<AnswerJson> body = http::ParseJsonObject(answer.body);
  if (!body.ok()) {
    return AnswerError(absl::StrCat("HTTP status ", answer.status, ", ",
                                    body.status().message()));
  }
  if (answer.status >= 400) return ErrorOfProblem(answer.status, *body);
  if (answer.status < 200) {
    return AnswerError(absl::StrCat("HTTP status ", answer.status));
  }
  read.body = *std::move(body);
  return read;
}

// What libcurl says of a socket is about a host and a port.
absl::Status SocketError(const std::string& path) {
  const bool is_there = access(path.c_str(), F_OK) == 0;
  const bool may = access(path.c_str(), W_OK) == 0;
  if (is_there && !may) {
    return WithHint(
        MakeError(absl::StatusCode::kUnavailable, kServerUnreachable,
                  absl::StrCat("server unix:", path, ": permission denied")),
        "root, the service's own user, and the socket's group may");
  }
  return WithHint(
      MakeError(absl::StatusCode::kUnavailable, kServerUnreachable,
                absl::StrCat("server unix:", path, ": ",
                             is_there ? "nobody answers at the socket"
                                      : "there is no such socket")),
      "does `sluice serve` run there?");
}

// Another try may go well, and does no harm.
bool IsPassing(const absl::Status& status) {
  return status.code() == absl::StatusCode::kUnavailable;
}

}  // namespace

std::string UrlEscape(absl::string_view text) {
  std::string escaped;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (absl::ascii_isalnum(byte) || c == '-' || c == '.' || c == '_' ||
        c == '~') {
      escaped.push_back(c);
    } else {
      absl::StrAppend(&escaped, "%",
                      absl::AsciiStrToUpper(
                          absl::StrCat(absl::Hex(byte, absl::kZeroPad2))));
    }
  }
  return escaped;
}

std::string WithQuery(
    absl::string_view path,
    const std::vector<std::pair<std::string, std::string>>& query) {
  std::string target(path);
  char separator = '?';
  for (const auto& [name, value] : query) {
    if (value.empty()) continue;
    target.push_back(separator);
    absl::StrAppend(&target, name, "=", UrlEscape(value));
    separator = '&';
  }
  return target;
}

bool WaitFor(const Context& context, Clock& clock, absl::Duration duration) {
  Mutex mutex;
  CondVar ended;
  const Context::Registration told = context.OnDone([&](const absl::Status&) {
    MutexLock lock(mutex);
    ended.NotifyAll();
  });
  MutexLock lock(mutex);
  const absl::Duration until = clock.SinceBoot() + duration;
  while (!context.done() && clock.SinceBoot() < until) {
    clock.WaitFor(ended, lock, until - clock.SinceBoot());
  }
  return !context.done();
}

ApiClient::ApiClient(ServerAddress server, std::string token,
                     ApiClientOptions options)
    : server_(std::move(server)),
      token_(std::move(token)),
      options_(std::move(options)) {}

http::HttpCall ApiClient::CallOf(absl::string_view method,
                                 const std::string& path,
                                 const std::string& body) const {
  http::HttpCall call;
  call.method = std::string(method);
  call.url = absl::StrCat(server_.origin, kRoot, path);
  if (!token_.empty()) {
    call.headers.Set("Authorization", absl::StrCat("Bearer ", token_));
  }
  if (!body.empty()) call.headers.Set("Content-Type", "application/json");
  call.headers.Set("Accept", "application/json");
  call.body = body;
  return call;
}

absl::Status ApiClient::OurError(const absl::Status& status) const {
  const std::string word = ErrorCodeOf(status);
  absl::string_view why = status.message();
  absl::ConsumePrefix(&why, server_.origin);
  absl::ConsumePrefix(&why, ": ");
  const std::string message = absl::StrCat("server ", server_.text, ": ", why);
  if (word == http::kHttpUnreachable) {
    if (!server_.unix_socket.empty()) return SocketError(server_.unix_socket);
    return WithHint(
        MakeError(absl::StatusCode::kUnavailable, kServerUnreachable, message),
        "does `sluice serve` run there?");
  }
  if (word == http::kHttpTlsFailed) {
    return WithHint(MakeError(absl::StatusCode::kUnauthenticated,
                              kServerUntrusted, message),
                    "--ca FILE names the authority of its certificate");
  }
  if (word == http::kHttpAddressDenied) {
    return InvalidArgument(message, "https:// for another machine");
  }
  if (word == http::kHttpAnswerTooLarge) return AnswerError("it is too large");
  return status;
}

absl::StatusOr<ApiAnswer> ApiClient::SendOnce(
    const Context& context, const http::HttpCall& call) const {
  const absl::StatusOr<http::HttpAnswer> answer =
      http::HttpClient(OptionsFor(server_, options_)).Send(context, call);
  if (!answer.ok()) return OurError(answer.status());
  return Understand(*answer);
}

absl::StatusOr<ApiAnswer> ApiClient::SendAgain(
    const Context& context, const http::HttpCall& call) const {
  const absl::Duration end = options_.clock->SinceBoot() + options_.patience;
  absl::Duration wait = options_.first_wait;
  for (int left = options_.tries;; --left) {
    absl::StatusOr<ApiAnswer> answer = SendOnce(context, call);
    if (answer.ok() || left <= 1 || !IsPassing(answer.status()) ||
        options_.clock->SinceBoot() + wait > end) {
      return answer;
    }
    if (!WaitFor(context, *options_.clock, wait)) return context.status();
    wait = std::min(2 * wait, kLongestWait);
  }
}

absl::StatusOr<ApiAnswer> ApiClient::Get(const Context& context,
                                         const std::string& path) const {
  SLUICE_ASSIGN_OR_RETURN(ApiAnswer answer,
                          SendAgain(context, CallOf("GET", path, "")));
  if (!answer.body.is_object()) return AnswerError("it is empty");
  return answer;
}

absl::StatusOr<ApiAnswer> ApiClient::Queue(const Context& context,
                                           const std::string& path,
                                           const service::Json& body) const {
  http::HttpCall call = CallOf("POST", path, Encode(body));
  call.headers.Set("Idempotency-Key", NewUlid(*options_.clock));
  absl::StatusOr<ApiAnswer> answer = SendAgain(context, call);
  if (ErrorCodeOf(answer.status()) == kServerUnreachable) {
    return WithHint(answer.status(),
                    "whether it was asked for is not known: `sluice job list` "
                    "shows it");
  }
  if (answer.ok() && answer->status != 202) {
    return AnswerError(absl::StrCat("HTTP status ", answer->status,
                                    " where a job is to be made"));
  }
  return answer;
}

absl::StatusOr<ApiAnswer> ApiClient::Change(const Context& context,
                                            absl::string_view method,
                                            const std::string& path,
                                            const service::Json& body,
                                            uint64_t if_match) const {
  http::HttpCall call =
      CallOf(method, path, body.is_null() ? "" : Encode(body));
  if (if_match > 0) {
    call.headers.Set("If-Match", absl::StrCat("\"", if_match, "\""));
  }
  absl::StatusOr<ApiAnswer> changed = SendOnce(context, call);
  if (ErrorCodeOf(changed.status()) == kServerUnreachable) {
    return WithHint(changed.status(),
                    "whether it was done is not known: look before it is done "
                    "again");
  }
  return changed;
}

absl::StatusOr<std::string> ApiClient::NextPage(
    const ApiAnswer& answer, const std::string& before) const {
  SLUICE_ASSIGN_OR_RETURN(std::string next,
                          ReadText(answer.body, "next_cursor"));
  if (!next.empty() && next == before) {
    return AnswerError("a page that is followed by itself");
  }
  return next;
}

absl::Status ApiClient::Follow(const Context& context, const std::string& path,
                               absl::Duration longest,
                               const SseReader::OnEvent& on_event) const {
  http::HttpCall call = CallOf("GET", path, "");
  call.headers.Set("Accept", "text/event-stream");
  SseReader reader;
  const Context limited =
      Context::WithTimeout(context, options_.clock, longest).first;
  const absl::StatusOr<http::HttpAnswer> answer =
      http::HttpClient(OptionsFor(server_, options_))
          .Stream(limited, call, [&](absl::string_view bytes) {
            return reader.Take(bytes, on_event);
          });
  SLUICE_RETURN_IF_ERROR(context.status());
  if (limited.done()) return absl::OkStatus();
  if (!answer.ok()) return OurError(answer.status());
  return answer->status < 300 ? absl::OkStatus() : Understand(*answer).status();
}

}  // namespace sluice::cli
