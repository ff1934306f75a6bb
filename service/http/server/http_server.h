#ifndef SLUICE_SERVICE_HTTP_SERVER_HTTP_SERVER_H_
#define SLUICE_SERVICE_HTTP_SERVER_HTTP_SERVER_H_

// An HTTP/1.1 server for an API: requests and answers that fit into memory,
// and event streams. It knows nothing of what it serves.
//
// Example:
//
//   HttpServerOptions options;
//   options.tcp = TcpEndpoint{"127.0.0.1", 0};
//   SLUICE_ASSIGN_OR_RETURN(
//       const std::unique_ptr<HttpServer> server,
//       HttpServer::Start(options, [](Request& request) {
//         return TextResponse(200, "text/plain", "hello\n");
//       }));
//   server->port();                      // the one that it got
//   server->Stop(absl::Seconds(10));
//
// Threads: one moves all bytes and blocks for nobody; `workers` run handlers,
// which may block; one waits for deadlines. A client that is slow, or silent,
// costs its connection's memory until a deadline closes it, never a thread.
// Nothing happens while nothing happens: an idle server uses no processor time.
//
// What a handler never sees, since it was answered before:
//   400  a head or target that can be read in two ways: Transfer-Encoding with
//        Content-Length, a field twice that may stand once, folded lines, bare
//        line feeds, bad escapes, "..", no Host
//   403  a page of another origin          413  a body over the limit
//   417  an unknown Expect                 421  a Host that is not ours
//   431  a head over the limits            501  another transfer coding
//   503  more connections or waiting requests than the limits, or stopping
// A head, body or reader over its time is cut off without an answer. What
// libmicrohttpd itself refuses, such as a head over twice the limit, it answers
// in words of its own.
//
// The server is thread-safe.

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "sluice/base/clock.h"
#include "sluice/service/http/message/request.h"
#include "sluice/service/http/message/response.h"
#include "sluice/service/http/message/router.h"

namespace sluice::http {

struct TcpEndpoint {
  std::string host = "127.0.0.1";  // numeric, or "localhost"
  int port = 0;                    // 0 picks one
};

// One request that is over. Holds neither query, path nor header.
struct AccessRecord {
  std::string method;
  std::string route;  // the pattern, "/plans/{name}"; empty where none matched
  int status = 0;     // 0: the client went, or was cut off, before an answer
  uint64_t body_bytes = 0;  // of the answer
  absl::Duration duration;
};

struct HttpServerOptions {
  // Any of these three, at least one.
  absl::optional<TcpEndpoint> tcp;
  std::string unix_path;       // none if empty
  mode_t unix_mode = 0660;     // who may connect; request.peer says who did
  std::vector<int> inherited;  // owned from then on: InheritedListeners()

  // PEM files. With them TCP is TLS 1.2 or later; unix sockets never are.
  std::string tls_certificate_file;
  std::string tls_key_file;
  // Off loopback everybody on the way reads and changes what is sent.
  bool allow_plain_off_loopback = false;

  // Beside loopback names with our port: "name" or "name:port". A unix socket
  // takes any.
  std::vector<std::string> allowed_hosts;
  // Beside pages of the server itself: "https://admin.example.org".
  std::vector<std::string> allowed_origins;

  int workers = 4;  // threads that run handlers
  // Requests that wait for one of them. A connection waits with one, so that
  // this many turn nobody away who was let in.
  int max_waiting = 2048;
  int max_connections = 512;  // of each listening socket
  // Of each address of a TCP client. A proxy is one address.
  int max_connections_per_address = 256;
  size_t max_head_bytes = 16 * 1024;  // request line and headers
  int max_header_fields = 100;
  size_t max_body_bytes = 1024 * 1024;

  // From the first byte that may come to the end of the headers, TLS included.
  absl::Duration head_timeout = absl::Seconds(10);
  absl::Duration body_timeout = absl::Seconds(30);
  // For a client to take an answer.
  absl::Duration write_timeout = absl::Seconds(60);
  // Between two requests.
  absl::Duration idle_timeout = absl::Seconds(60);
  // Between two comments on a stream that has nothing to say. Who takes nothing
  // for that long although there is something is cut off.
  absl::Duration heartbeat = absl::Seconds(15);

  // Asked before a worker is: what it answers is answered, however busy those
  // are. Called by the thread that moves the bytes: it must not block. May be
  // empty.
  std::function<absl::optional<Response>(Request&)> at_once;

  Clock* clock = Clock::Real();  // borrowed
  // Called by the thread that moves the bytes: it must not block.
  std::function<void(const AccessRecord&)> access_log;
};

struct HttpServerStats {
  int connections = 0;
  int requests = 0;             // whose head was read, in all
  int streams = 0;              // open ones
  int refused_connections = 0;  // over a limit, in all
  int failed_accepts = 0;       // no descriptors left, in all
  int turns = 0;                // of the thread that moves the bytes
};

class ServerLoop;

class HttpServer {
 public:
  // invalid_argument: options that make no sense, a certificate that cannot be
  // used. listen_failed: a socket that cannot be had. resource_exhausted: no
  // threads.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(
      HttpServerOptions options, Handler handler);

  // Stop(0).
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Of TCP, the first such socket; 0 where there is none.
  int port() const;

  // Reads the certificate and key files again, for connections from now on;
  // those that are open keep the old ones. On an error all stays as it was.
  absl::Status Reload();

  // Accepts no more, closes idle connections, ends streams, lets requests in
  // flight finish for up to `drain`; then closes what is left. Returns when
  // all handlers have returned: one that hangs holds it. Later calls wait for
  // the first. Not from a handler, which would wait for itself.
  void Stop(absl::Duration drain);

  HttpServerStats stats() const;

 private:
  explicit HttpServer(std::unique_ptr<ServerLoop> loop);

  std::unique_ptr<ServerLoop> loop_;
};

}  // namespace sluice::http

#endif  // SLUICE_SERVICE_HTTP_SERVER_HTTP_SERVER_H_
