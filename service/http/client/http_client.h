#ifndef SLUICE_SERVICE_HTTP_CLIENT_HTTP_CLIENT_H_
#define SLUICE_SERVICE_HTTP_CLIENT_HTTP_CLIENT_H_

// Requests to an HTTP server, through libcurl: the command as a client of the
// API, webhooks, heartbeats.
//
// Example:
//
//   HttpClientOptions options;
//   options.unix_socket = "/run/sluice/api.sock";
//   HttpCall call;
//   call.url = "http://localhost/api/v1/plans";
//   SLUICE_ASSIGN_OR_RETURN(const HttpAnswer answer,
//                           HttpClient(options).Send(context, call));
//   if (answer.status == 200) Show(answer.body);
//
// An answer of any status is an answer, so it is OK: who calls looks at it. An
// error is that there was none, or not all of it:
// - http_unreachable: no connection, no such name, refused, reset, too late;
//   whether the server did what was asked is not known
// - http_address_denied: `allow_address` would have none of the addresses
// - http_tls_failed: a certificate that cannot be verified
// - http_answer_too_large
// - http_library_missing: libcurl is not on this machine
// - invalid_argument: a URL, file or header that cannot be used
// and the context's own. Redirects are never followed. Nothing of a URL but its
// scheme, host and port is ever in a message: the rest may be a secret.
//
// libcurl (the GnuTLS build) is loaded with the first request: whoever sends
// none needs none.
//
// Immutable; any thread. Each Send is a connection of its own.

#include <sys/socket.h>

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sluice/executor/context.h"
#include "sluice/service/http/message/request.h"

namespace sluice::http {

inline constexpr absl::string_view kHttpUnreachable = "http_unreachable";
inline constexpr absl::string_view kHttpAddressDenied = "http_address_denied";
inline constexpr absl::string_view kHttpTlsFailed = "http_tls_failed";
inline constexpr absl::string_view kHttpAnswerTooLarge =
    "http_answer_too_large";
inline constexpr absl::string_view kHttpLibraryMissing = "http_library_missing";

struct HttpClientOptions {
  std::string unix_socket;  // an absolute path; empty: by the URL's host
  // PEM, beside the system's authorities; empty: those alone.
  std::string ca_file;
  bool use_proxy = true;  // as https_proxy and its kin say
  absl::Duration connect_timeout = absl::Seconds(10);
  absl::Duration timeout = absl::Seconds(60);  // of all; infinite: none
  size_t max_body_bytes = 16 * 1024 * 1024;    // of what Send keeps
  // Asked of each address after the lookup, before anything is sent to it. An
  // error tries the next one. Empty: all are. With it no proxy is used.
  std::function<absl::Status(const sockaddr* address, socklen_t size)>
      allow_address;
};

struct HttpCall {
  std::string method = "GET";
  std::string url;  // http or https
  Headers headers;
  std::string body;
};

struct HttpAnswer {
  int status = 0;
  Headers headers;
  std::string body;  // of a stream: what came with a status of 300 or more
};

class HttpClient {
 public:
  explicit HttpClient(HttpClientOptions options);

  absl::StatusOr<HttpAnswer> Send(const Context& context,
                                  const HttpCall& call) const;

  // The body goes to `on_bytes` as it comes, on this thread; an error of it ends
  // the stream and is returned. One whose status is not 2xx is kept in the
  // answer instead. Only connect_timeout and the context limit it.
  absl::StatusOr<HttpAnswer> Stream(
      const Context& context, const HttpCall& call,
      const std::function<absl::Status(absl::string_view)>& on_bytes) const;

 private:
  const HttpClientOptions options_;
};

}  // namespace sluice::http

#endif  // SLUICE_SERVICE_HTTP_CLIENT_HTTP_CLIENT_H_
