#include "sluice/service/http/server/listener.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"

namespace sluice::http {
namespace {

// Reached only where clients connect faster than they are accepted.
constexpr int kBacklog = 512;
constexpr int kFirstInherited = 3;
constexpr int kMostInherited = 64;

absl::Status Failed(absl::string_view what, int error,
                    absl::string_view hint = "") {
  absl::Status status =
      MakeError(absl::StatusCode::kUnavailable, kListenFailed,
                absl::StrCat("listen on ", what, ": ", std::strerror(error)));
  return hint.empty() ? status : WithHint(std::move(status), hint);
}

absl::Status InUse(absl::string_view path) {
  return WithHint(
      MakeError(absl::StatusCode::kUnavailable, kListenFailed,
                absl::StrCat("listen on ", path, ": another server uses it")),
      "stop the other one, or name another path");
}

bool ParseAddress(std::string host, int port, sockaddr_storage& address,
                  socklen_t& size) {
  if (host == "localhost") host = "127.0.0.1";
  absl::string_view bare = host;
  if (absl::ConsumePrefix(&bare, "[") && !absl::ConsumeSuffix(&bare, "]")) {
    return false;
  }
  const std::string text(bare);
  address = {};
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address);
  if (inet_pton(AF_INET, text.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(static_cast<uint16_t>(port));
    size = sizeof(*v4);
    return true;
  }
  if (inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(static_cast<uint16_t>(port));
    size = sizeof(*v6);
    return true;
  }
  return false;
}

// Whether somebody listens on the socket file; what cannot be told is a yes.
bool IsAlive(const sockaddr_un& address) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return true;
  const bool refused = connect(fd, reinterpret_cast<const sockaddr*>(&address),
                               sizeof(address)) != 0 &&
                       errno == ECONNREFUSED;
  close(fd);
  return !refused;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Listener>> Listener::OpenTcp(
    const std::string& host, int port) {
  sockaddr_storage address;
  socklen_t size = 0;
  if (port < 0 || port > 65535 || !ParseAddress(host, port, address, size)) {
    return InvalidArgument(
        absl::StrCat("listen on ", host, ":", port, ": no such address"),
        "name a numeric address and a port, such as 127.0.0.1 and 7450");
  }
  std::unique_ptr<Listener> listener(new Listener);
  const std::string what = absl::StrCat(host, ":", port);
  listener->fd_ =
      socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (listener->fd_ < 0) return Failed(what, errno);
  const int on = 1;
  setsockopt(listener->fd_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (address.ss_family == AF_INET6) {
    setsockopt(listener->fd_, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
  }
  if (bind(listener->fd_, reinterpret_cast<const sockaddr*>(&address), size) !=
          0 ||
      listen(listener->fd_, kBacklog) != 0) {
    return Failed(what, errno,
                  errno == EADDRINUSE ? "another server listens there" : "");
  }
  SLUICE_RETURN_IF_ERROR(listener->Describe());
  return listener;
}

absl::StatusOr<std::unique_ptr<Listener>> Listener::OpenUnix(
    const std::string& path, mode_t mode) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.empty() || path[0] != '/' ||
      path.size() >= sizeof(address.sun_path) ||
      path.find('\0') != std::string::npos) {
    return InvalidArgument(
        absl::StrCat("listen on \"", path, "\": no path of a unix socket"),
        "name an absolute path of at most 107 bytes");
  }
  std::memcpy(address.sun_path, path.data(), path.size());

  std::unique_ptr<Listener> listener(new Listener);
  listener->lock_fd_ = open(absl::StrCat(path, ".lock").c_str(),
                            O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (listener->lock_fd_ < 0) return Failed(path, errno);
  if (flock(listener->lock_fd_, LOCK_EX | LOCK_NB) != 0) return InUse(path);

  struct stat found = {};
  if (lstat(path.c_str(), &found) == 0) {
    if (!S_ISSOCK(found.st_mode)) {
      return Failed(path, EEXIST, "what is there is no socket: move it away");
    }
    if (IsAlive(address)) return InUse(path);
    if (unlink(path.c_str()) != 0) return Failed(path, errno);
  }
  listener->fd_ =
      socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (listener->fd_ < 0 ||
      bind(listener->fd_, reinterpret_cast<const sockaddr*>(&address),
           sizeof(address)) != 0) {
    return Failed(path, errno);
  }
  listener->path_ = path;
  if (lstat(path.c_str(), &found) != 0) return Failed(path, errno);
  listener->device_ = found.st_dev;
  listener->inode_ = found.st_ino;
  // Before listen, a connect is refused.
  if (chmod(path.c_str(), mode) != 0 || listen(listener->fd_, kBacklog) != 0) {
    return Failed(path, errno);
  }
  SLUICE_RETURN_IF_ERROR(listener->Describe());
  return listener;
}

absl::StatusOr<std::unique_ptr<Listener>> Listener::Adopt(int fd) {
  std::unique_ptr<Listener> listener(new Listener);
  listener->fd_ = fd;
  int listens = 0;
  int type = 0;
  socklen_t size = sizeof(int);
  if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 ||
      getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0 || listens == 0 ||
      type != SOCK_STREAM) {
    return InvalidArgument(
        absl::StrCat("descriptor ", fd, " is no stream socket that listens"));
  }
  const int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
      fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
    return Failed(absl::StrCat("descriptor ", fd), errno);
  }
  SLUICE_RETURN_IF_ERROR(listener->Describe());
  return listener;
}

Listener::~Listener() { Close(); }

void Listener::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
  struct stat found = {};
  if (!path_.empty() && lstat(path_.c_str(), &found) == 0 &&
      found.st_dev == device_ && found.st_ino == inode_) {
    unlink(path_.c_str());
  }
  path_.clear();
  if (lock_fd_ >= 0) close(lock_fd_);
  lock_fd_ = -1;
}

absl::Status Listener::Describe() {
  sockaddr_storage address = {};
  socklen_t size = sizeof(address);
  if (getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return Failed(absl::StrCat("descriptor ", fd_), errno);
  }
  char text[INET6_ADDRSTRLEN] = "";
  switch (address.ss_family) {
    case AF_UNIX:
      is_unix_ = true;
      return absl::OkStatus();
    case AF_INET: {
      const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
      inet_ntop(AF_INET, &v4.sin_addr, text, sizeof(text));
      address_ = text;
      port_ = ntohs(v4.sin_port);
      is_loopback_ = ntohl(v4.sin_addr.s_addr) >> 24 == 127;
      return absl::OkStatus();
    }
    case AF_INET6: {
      const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
      inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof(text));
      address_ = absl::StrCat("[", text, "]");
      port_ = ntohs(v6.sin6_port);
      is_loopback_ = IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr) != 0;
      return absl::OkStatus();
    }
    default:
      return InvalidArgument(
          absl::StrCat("descriptor ", fd_, " is neither TCP nor unix"));
  }
}

std::vector<int> InheritedListeners(pid_t process) {
  const char* pid = std::getenv("LISTEN_PID");
  const char* count = std::getenv("LISTEN_FDS");
  int said_pid = 0;
  int said_count = 0;
  std::vector<int> found;
  if (pid == nullptr || count == nullptr || !absl::SimpleAtoi(pid, &said_pid) ||
      !absl::SimpleAtoi(count, &said_count) || said_pid != process ||
      said_count > kMostInherited) {
    return found;
  }
  for (int i = 0; i < said_count; ++i) found.push_back(kFirstInherited + i);
  return found;
}

}  // namespace sluice::http
