#ifndef SLUICE_SERVICE_HTTP_MESSAGE_REQUEST_H_
#define SLUICE_SERVICE_HTTP_MESSAGE_REQUEST_H_

// One HTTP request, whole, as a handler gets it.
//
// Example:
//
//   if (request.peer.is_unix && request.peer.uid == 0) Grant();
//   if (request.headers.Find("Last-Event-ID").has_value()) Replay();
//
// A value: one thread at a time, but for cancelled(), which any may ask.

#include <sys/types.h>

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "sluice/service/http/message/target.h"

namespace sluice::http {

struct Route;

// Fields in the order in which they were sent or will be.
class Headers {
 public:
  using Field = std::pair<std::string, std::string>;

  void Add(absl::string_view name, absl::string_view value);
  // In place of those of that name.
  void Set(absl::string_view name, absl::string_view value);
  // The first of that name, whatever its case. Borrowed from this.
  absl::optional<absl::string_view> Find(absl::string_view name) const;
  int Count(absl::string_view name) const;
  const std::vector<Field>& fields() const { return fields_; }

 private:
  std::vector<Field> fields_;
};

// Who asks.
struct Peer {
  bool is_unix = false;
  // Of a unix socket: the process that connected, as the kernel says.
  uid_t uid = 0;
  gid_t gid = 0;
  pid_t pid = 0;
  // Of TCP: a numeric address, "127.0.0.1" or "::1".
  std::string address;
  int port = 0;
};

struct Request {
  std::string method;  // as sent: "GET", "POST"
  // Decoded segments, "/plans/a%2Fb" is {"plans", "a/b"}. None holds a NUL or a
  // control character, none is "." or "..", all are UTF-8.
  std::vector<std::string> path;
  Query query;
  Headers headers;
  std::string body;
  Peer peer;
  bool is_tls = false;

  // What a Router adds: the route, and the values of its pattern's names.
  const Route* route = nullptr;
  std::map<std::string, std::string> params;

  // Whether the answer will reach nobody, since the server was told to stop and
  // its deadline has passed: a handler that waits for something looks at it.
  bool cancelled() const { return cancel != nullptr && cancel->load(); }
  std::shared_ptr<std::atomic<bool>> cancel;
};

}  // namespace sluice::http

#endif  // SLUICE_SERVICE_HTTP_MESSAGE_REQUEST_H_
