#ifndef SLUICE_SERVICE_HTTP_SERVER_HEAD_H_
#define SLUICE_SERVICE_HTTP_SERVER_HEAD_H_

// What is asked of a request's line and headers before anything else is done
// with it. Pure; any thread.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "sluice/service/http/message/request.h"
#include "sluice/service/http/message/response.h"

namespace sluice::http {

struct HeadRules {
  size_t max_bytes = 0;
  int max_fields = 0;
  size_t max_body_bytes = 0;
  // Of the socket: its address, "[::1]" for IPv6, and port. A unix socket takes
  // any Host.
  bool is_unix = false;
  std::string own_host;
  int own_port = 0;
  std::vector<std::string> allowed_hosts;
  std::vector<std::string> allowed_origins;
};

// A head as it was sent; request.method and headers are set already.
struct RawHead {
  absl::string_view target;
  absl::string_view version;
  size_t bytes = 0;
  // Whether its lines are what HTTP says, byte by byte.
  bool is_exact = true;
};

struct Refusal {
  Response response;
  // Where a body begins, or what follows it, is not certain.
  bool must_close = false;
};

struct HeadCheck {
  absl::optional<Refusal> refusal;
  bool has_body = false;
  bool expects_continue = false;
  uint64_t content_length = 0;  // where it is said
};

// Sets request.path and query.
HeadCheck CheckHead(const HeadRules& rules, const RawHead& head,
                    Request& request);

}  // namespace sluice::http

#endif  // SLUICE_SERVICE_HTTP_SERVER_HEAD_H_
