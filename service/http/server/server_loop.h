#ifndef SLUICE_SERVICE_HTTP_SERVER_SERVER_LOOP_H_
#define SLUICE_SERVICE_HTTP_SERVER_SERVER_LOOP_H_

// The thread that moves the bytes of an HttpServer.
//
// libmicrohttpd runs in it by external polling and starts no thread of its
// own: each of its calls is made, and each of its callbacks comes, on this one
// thread, so that nothing of it needs a lock. Connections are accepted here and
// handed to it: several sockets, limits and what to do without descriptors are
// ours. It has one daemon for all that is plain and one for TLS; a reload
// starts another, and the old one goes with its last connection.
//
// A connection is suspended while a worker has its request, or while its stream
// has nothing to send. Deadlines are ours too, since libmicrohttpd's are
// per activity: one more byte puts them off.

#include <microhttpd.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "sluice/base/mutex.h"
#include "sluice/base/thread.h"
#include "sluice/service/http/server/alarm.h"
#include "sluice/service/http/server/head.h"
#include "sluice/service/http/server/http_server.h"
#include "sluice/service/http/server/inbox.h"
#include "sluice/service/http/server/listener.h"
#include "sluice/service/http/server/mhd_daemon.h"
#include "sluice/service/http/server/worker_pool.h"

namespace sluice::http {

class ServerLoop : private MhdDaemon::Events {
 public:
  static absl::StatusOr<std::unique_ptr<ServerLoop>> Start(
      HttpServerOptions options, Handler handler);
  ~ServerLoop() override;

  int port() const;
  absl::Status Reload();
  void Stop(absl::Duration drain);
  HttpServerStats stats() const;

 private:
  // What the events of epoll_fd_ are about: a kind in the high bits, an id below.
  enum Tag : uint64_t { kTagInbox, kTagPort, kTagDaemon, kTagStream };
  static constexpr int kTagShift = 56;
  static uint64_t TagOf(Tag tag, uint64_t id) {
    return static_cast<uint64_t>(tag) << kTagShift | id;
  }

  enum class Phase { kHead, kBody, kHandler, kAnswer, kStream, kIdle };

  struct Connection;
  // What crosses to a worker and back.
  struct Job {
    Request request;
    Response response;
  };
  struct Port {
    std::unique_ptr<Listener> listener;
    HeadRules rules;
    bool is_tls = false;
    int connections = 0;
    bool is_watched = false;  // in epoll_fd_
    bool is_ready = false;
    absl::Duration accept_again = absl::InfiniteDuration();
  };

  struct Exchange {
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

  struct Connection {
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

  ServerLoop(HttpServerOptions options, Handler handler);
  absl::Status Init();
  absl::Status OpenPorts();
  absl::Status AddPort(absl::StatusOr<std::unique_ptr<Listener>> listener);
  absl::StatusOr<std::unique_ptr<MhdDaemon>> NewDaemon(bool is_tls);

  // The thread.
  void Run();
  void Turn();
  void Wait();
  void Expire();
  void SetAlarm();
  void RemoveRetired();
  void Drain();
  void Abort();
  absl::Duration Now() const { return options_.clock->SinceBoot(); }

  void AcceptAll(Port& port);
  void Accept(Port& port, int fd, const sockaddr_storage& address,
              socklen_t size);
  bool IsOverLimit(const Port& port, const std::string& address) const;
  void Refuse(const Port& port, int fd);

  // MhdDaemon::Events.
  void OnOpen(MHD_Connection* mhd, void** context) override;
  void OnClose(void* context) override;
  void* OnTarget(void* context, absl::string_view target) override;
  bool OnRequest(void* exchange, const MhdDaemon::Call& call,
                 size_t* upload_size) override;
  void OnCompleted(void* exchange) override;

  bool OnHead(Exchange& exchange, const MhdDaemon::Call& call);
  bool OnBody(Exchange& exchange, absl::string_view bytes);
  bool OnWhole(Exchange& exchange);
  void Dispatch(Exchange& exchange);
  bool Answer(Exchange& exchange, Response response, bool must_close);
  void BeginStream(Exchange& exchange);
  static ssize_t ReadStream(void* exchange, uint64_t position, char* buffer,
                            size_t size);

  void SetDeadline(Connection& connection, absl::Duration after);
  void Suspend(Connection& connection);
  void Resume(Connection& connection);
  void Kick(Connection& connection);
  void OnHandled(uint64_t id);
  void OnStreamChange(uint64_t id);

  const HttpServerOptions options_;
  const Handler handler_;
  std::shared_ptr<Inbox> inbox_;
  std::unique_ptr<Alarm> alarm_;
  std::unique_ptr<WorkerPool> workers_;
  int epoll_fd_ = -1;

  // The thread's own, once it runs.
  std::vector<std::unique_ptr<Port>> ports_;
  std::vector<std::unique_ptr<MhdDaemon>> daemons_;
  MhdDaemon* plain_ = nullptr;
  MhdDaemon* tls_ = nullptr;
  std::unordered_map<uint64_t, std::unique_ptr<Connection>> connections_;
  std::map<std::string, int> connections_of_;  // by a TCP client's address
  std::set<std::pair<absl::Duration, Connection*>> deadlines_;
  Connection* opening_ = nullptr;
  uint64_t last_id_ = 0;
  bool has_resumed_ = false;
  bool draining_ = false;
  bool aborting_ = false;
  const std::shared_ptr<std::atomic<bool>> cancel_ =
      std::make_shared<std::atomic<bool>>(false);

  int first_port_ = 0;
  std::atomic<int> connection_count_{0};
  std::atomic<int> requests_{0};
  std::atomic<int> streams_{0};
  std::atomic<int> refused_{0};
  std::atomic<int> failed_accepts_{0};
  std::atomic<int> turns_{0};

  Mutex stop_mutex_;
  CondVar stopped_changed_;
  bool stop_called_ ABSL_GUARDED_BY(stop_mutex_) = false;
  bool loop_ended_ ABSL_GUARDED_BY(stop_mutex_) = false;
  bool stopped_ ABSL_GUARDED_BY(stop_mutex_) = false;
  Thread thread_;
};

}  // namespace sluice::http

#endif  // SLUICE_SERVICE_HTTP_SERVER_SERVER_LOOP_H_
