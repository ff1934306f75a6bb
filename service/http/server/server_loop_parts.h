#ifndef SLUICE_SERVICE_HTTP_SERVER_SERVER_LOOP_PARTS_H_
#define SLUICE_SERVICE_HTTP_SERVER_SERVER_LOOP_PARTS_H_

// What a ServerLoop keeps of each socket, connection and request.

#include <microhttpd.h>

#include <cstdint>
#include <memory>
#include <string>

#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "sluice/service/http/server/server_loop.h"

namespace sluice {
namespace http {

struct ServerLoop::Port {
  std::unique_ptr<Listener> listener;
  HeadRules rules;
  bool is_tls = false;
  int connections = 0;
  bool is_watched = false;  // in epoll_fd_
  bool is_ready = false;
  absl::Duration accept_again = absl::InfiniteDuration();
};

struct ServerLoop::Exchange {
  Connection* connection = nullptr;
  std::string target;
  absl::Duration began;
  std::shared_ptr<Job> job = std::make_shared<Job>();
  absl::optional<Refusal> refusal;
  bool head_read = false;
  bool is_chunked = false;  // a stream's end can be told
  bool is_handled = false;  // a worker has it, or had it
  bool has_answer = false;  // the worker's is in job->response
  uint64_t body_read = 0;
  std::shared_ptr<ResponseStream> stream;
  std::string route;
  int status = 0;
  uint64_t sent = 0;
};

struct ServerLoop::Connection {
  uint64_t id = 0;
  int fd = -1;
  Port* port = nullptr;
  MhdDaemon* daemon = nullptr;
  MHD_Connection* mhd = nullptr;
  Peer peer;
  Phase phase = Phase::kHead;
  absl::Duration deadline = absl::InfiniteDuration();
  std::unique_ptr<Exchange> exchange;
  bool is_suspended = false;
  bool is_kicked = false;
};

}  // namespace http
}  // namespace sluice

#endif  // SLUICE_SERVICE_HTTP_SERVER_SERVER_LOOP_PARTS_H_
