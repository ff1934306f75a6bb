#ifndef SLUICE_SERVICE_HTTP_SERVER_LISTENER_H_
#define SLUICE_SERVICE_HTTP_SERVER_LISTENER_H_

// Sockets that listen: TCP, a unix socket, or one that was inherited.
//
// Example:
//
//   SLUICE_ASSIGN_OR_RETURN(const std::unique_ptr<Listener> listener,
//                           Listener::OpenUnix("/run/sluice/api.sock", 0660));
//
// Thread-safe but for Close. Errors: invalid_argument, listen_failed.

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace sluice::http {

inline constexpr absl::string_view kListenFailed = "listen_failed";

// Non-blocking, closed on exec.
class Listener {
 public:
  // `host` is a numeric address, with brackets or without, or "localhost",
  // which is 127.0.0.1. Port 0 picks one.
  static absl::StatusOr<std::unique_ptr<Listener>> OpenTcp(
      const std::string& host, int port);
  // A socket file that is there is removed if nobody listens on it, and nothing
  // else ever is. PATH.lock, which stays, keeps two servers that start at once
  // from taking each other's for a dead one. Clients can connect only after the
  // mode is set.
  static absl::StatusOr<std::unique_ptr<Listener>> OpenUnix(
      const std::string& path, mode_t mode);
  // Takes over `fd`, a stream socket that listens already, as systemd passes.
  static absl::StatusOr<std::unique_ptr<Listener>> Adopt(int fd);

  // Closes, and removes the socket file if it is still this one's.
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  void Close();

  int fd() const { return fd_; }  // -1 once closed
  bool is_unix() const { return is_unix_; }
  bool is_loopback() const { return is_loopback_; }
  // Of TCP: the address, "[::1]" for IPv6, and the port that it got.
  const std::string& address() const { return address_; }
  int port() const { return port_; }

 private:
  Listener() = default;
  absl::Status Describe();

  int fd_ = -1;
  int lock_fd_ = -1;
  bool is_unix_ = false;
  bool is_loopback_ = false;
  std::string address_;
  int port_ = 0;
  std::string path_;  // of a unix socket that this one made
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

// The descriptors that systemd passed to `process` (sd_listen_fds), which is
// this one or the one that forked it: 3 and so on, as LISTEN_FDS and LISTEN_PID
// of the environment say. Empty where they are not for it.
std::vector<int> InheritedListeners(pid_t process);

}  // namespace sluice::http

#endif  // SLUICE_SERVICE_HTTP_SERVER_LISTENER_H_
