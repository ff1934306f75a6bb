#ifndef SLUICE_SERVICE_HTTP_SERVER_MHD_DAEMON_H_
#define SLUICE_SERVICE_HTTP_SERVER_MHD_DAEMON_H_

// libmicrohttpd's daemon, without a thread and without a socket that listens:
// its owner gives it connections and calls Run. One thread for all calls, and
// all callbacks come from within them.

#include <microhttpd.h>
#include <sys/socket.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/service/http/message/request.h"

namespace sluice::http {

class MhdDaemon {
 public:
  // One call for a request. What it points to lives as long as the call.
  struct Call {
    MHD_Connection* connection = nullptr;
    const char* url = nullptr;
    const char* method = nullptr;
    const char* version = nullptr;
    const char* upload = nullptr;
  };

  class Events {
   public:
    virtual ~Events() = default;
    virtual void OnOpen(MHD_Connection* mhd, void** context) = 0;
    virtual void OnClose(void* context) = 0;
    // The request's line was read. Returns what stands for the request.
    virtual void* OnTarget(void* context, absl::string_view target) = 0;
    // As MHD_AccessHandlerCallback: with the head, for each part of the body,
    // then until there is an answer. False ends the connection.
    virtual bool OnRequest(void* exchange, const Call& call,
                           size_t* upload_size) = 0;
    virtual void OnCompleted(void* exchange) = 0;
  };

  struct Options {
    // PEM; both empty: no TLS.
    std::string certificate;
    std::string key;
    size_t memory_per_connection = 0;
    int max_connections = 0;
  };

  static absl::StatusOr<std::unique_ptr<MhdDaemon>> Start(Options options,
                                                          Events* events);
  // No connection may be suspended.
  ~MhdDaemon();
  MhdDaemon(const MhdDaemon&) = delete;
  MhdDaemon& operator=(const MhdDaemon&) = delete;

  bool is_tls() const { return !options_.certificate.empty(); }
  int epoll_fd() const { return epoll_fd_; }
  // Takes over `fd`, also where it fails.
  bool Add(int fd, const sockaddr* address, socklen_t size);
  void Run();
  // Whether Run has something to do whatever epoll_fd() says.
  bool HasWork() const;

  int connections = 0;      // its owner counts
  bool is_retired = false;  // goes with the last of them

 private:
  explicit MhdDaemon(Options options) : options_(std::move(options)) {}

  const Options options_;
  std::string log_;  // what was wrong at the start
  bool is_started_ = false;
  MHD_Daemon* daemon_ = nullptr;
  int epoll_fd_ = -1;

  static void Log(void* cls, const char* format, va_list arguments);
};

// Fills in the headers and says whether the head's lines stand in memory as
// HTTP says, each behind the one before, parted by CR LF: libmicrohttpd 0.9.75
// also takes folded lines, bare line feeds and NULs, which a proxy before it
// may read in another way.
bool ReadHead(const MhdDaemon::Call& call, size_t target_size, size_t* bytes,
              Headers& headers);

}  // namespace sluice::http

#endif  // SLUICE_SERVICE_HTTP_SERVER_MHD_DAEMON_H_
