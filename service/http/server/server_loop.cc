#include "sluice/service/http/server/server_loop.h"

#include <arpa/inet.h>
#include <signal.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "sluice/service/http/server/mhd_library.h"

namespace sluice::http {
namespace {

constexpr int kMostEvents = 64;
constexpr int kMostAcceptsPerTurn = 64;
constexpr absl::Duration kAcceptAgain = absl::Milliseconds(100);

Peer PeerOf(const sockaddr_storage& address) {
  Peer peer;
  char text[INET6_ADDRSTRLEN] = "";
  if (address.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(address);
    inet_ntop(AF_INET, &v4.sin_addr, text, sizeof(text));
    peer.port = ntohs(v4.sin_port);
  } else if (address.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(address);
    inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof(text));
    peer.port = ntohs(v6.sin6_port);
  } else {
    peer.is_unix = true;
  }
  peer.address = text;
  return peer;
}

bool ReadCredentials(int fd, Peer& peer) {
  ucred credentials = {};
  socklen_t size = sizeof(credentials);
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
    return false;
  }
  peer.uid = credentials.uid;
  peer.gid = credentials.gid;
  peer.pid = credentials.pid;
  return true;
}

}  // namespace

void ServerLoop::Run() {
  // MSG_NOSIGNAL is not everywhere in libmicrohttpd.
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
  while (!draining_ || !connections_.empty()) Turn();
  MutexLock lock(stop_mutex_);
  loop_ended_ = true;
  stopped_changed_.NotifyAll();
}

void ServerLoop::Turn() {
  ++turns_;
  Wait();
  for (const std::unique_ptr<Port>& port : ports_) {
    if (port->is_ready) AcceptAll(*port);
  }
  for (const std::unique_ptr<MhdDaemon>& daemon : daemons_) daemon->Run();
  // After what had arrived was read, so that it counts as in flight.
  for (const Inbox::Call& call : inbox_->Take()) call();
  Expire();
  RemoveRetired();
  SetAlarm();
}

void ServerLoop::Wait() {
  for (const std::unique_ptr<Port>& port : ports_) {
    if (port->is_watched || port->listener->fd() < 0 ||
        port->accept_again != absl::InfiniteDuration()) {
      continue;
    }
    epoll_event event = {};
    event.events = EPOLLIN;
    event.data.u64 =
        TagOf(kTagPort, static_cast<uint64_t>(&port - ports_.data()));
    port->is_watched =
        epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, port->listener->fd(), &event) == 0;
  }
  const bool has_work =
      std::exchange(has_resumed_, false) ||
      std::any_of(daemons_.begin(), daemons_.end(),
                  [](const std::unique_ptr<MhdDaemon>& daemon) {
                    return daemon->HasWork();
                  });
  epoll_event events[kMostEvents];
  const int count =
      epoll_wait(epoll_fd_, events, kMostEvents, has_work ? 0 : -1);
  for (int i = 0; i < count; ++i) {
    const uint64_t id = events[i].data.u64 & ((uint64_t{1} << kTagShift) - 1);
    switch (events[i].data.u64 >> kTagShift) {
      case kTagPort:
        ports_[id]->is_ready = true;
        break;
      case kTagStream:
        if (const auto found = connections_.find(id);
            found != connections_.end()) {
          Kick(*found->second);
        }
        break;
      default:
        break;  // each turn runs all daemons, and empties the inbox
    }
  }
}

void ServerLoop::SetAlarm() {
  absl::Duration next =
      deadlines_.empty() ? absl::InfiniteDuration() : deadlines_.begin()->first;
  for (const std::unique_ptr<Port>& port : ports_) {
    next = std::min(next, port->accept_again);
  }
  alarm_->Set(next);
}

void ServerLoop::Expire() {
  const absl::Duration now = Now();
  for (const std::unique_ptr<Port>& port : ports_) {
    if (port->accept_again <= now) {
      port->accept_again = absl::InfiniteDuration();
    }
  }
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    Connection& connection = *deadlines_.begin()->second;
    const bool is_stream = connection.phase == Phase::kStream;
    SetDeadline(connection,
                is_stream ? options_.heartbeat : absl::InfiniteDuration());
    if (!is_stream || !connection.exchange->stream->Heartbeat()) {
      Kick(connection);
    }
  }
}

void ServerLoop::RemoveRetired() {
  daemons_.erase(std::remove_if(daemons_.begin(), daemons_.end(),
                                [](const std::unique_ptr<MhdDaemon>& daemon) {
                                  return daemon->is_retired &&
                                         daemon->connections == 0;
                                }),
                 daemons_.end());
}

void ServerLoop::Drain() {
  draining_ = true;
  for (const std::unique_ptr<Port>& port : ports_) {
    if (port->is_watched) {
      epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, port->listener->fd(), nullptr);
    }
    port->is_watched = false;
    port->accept_again = absl::InfiniteDuration();
    port->listener->Close();
  }
  for (const auto& [id, connection] : connections_) {
    if (connection->exchange == nullptr) {
      Kick(*connection);
    } else if (connection->phase == Phase::kStream) {
      connection->exchange->stream->End();
    }
  }
}

void ServerLoop::Abort() {
  aborting_ = true;
  for (const auto& [id, connection] : connections_) Kick(*connection);
}

void ServerLoop::AcceptAll(Port& port) {
  port.is_ready = false;
  for (int i = 0; i < kMostAcceptsPerTurn; ++i) {
    sockaddr_storage address = {};
    socklen_t size = sizeof(address);
    const int fd =
        accept4(port.listener->fd(), reinterpret_cast<sockaddr*>(&address),
                &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0) {
      Accept(port, fd, address, size);
      continue;
    }
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
        errno == ENOMEM) {
      // The connection stays in the backlog, and the socket readable: without
      // a pause this would be tried without end.
      ++failed_accepts_;
      epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, port.listener->fd(), nullptr);
      port.is_watched = false;
      port.accept_again = Now() + kAcceptAgain;
      return;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) return;
    // Otherwise that client is gone; there may be others.
  }
}

bool ServerLoop::IsOverLimit(const Port& port,
                             const std::string& address) const {
  if (port.connections >= options_.max_connections) return true;
  const auto found = connections_of_.find(address);
  return !port.listener->is_unix() && found != connections_of_.end() &&
         found->second >= options_.max_connections_per_address;
}

void ServerLoop::Accept(Port& port, int fd, const sockaddr_storage& address,
                        socklen_t size) {
  auto connection = std::make_unique<Connection>();
  connection->peer = PeerOf(address);
  if (IsOverLimit(port, connection->peer.address) ||
      (port.listener->is_unix() && !ReadCredentials(fd, connection->peer))) {
    Refuse(port, fd);
    return;
  }
  connection->id = ++last_id_;
  connection->fd = fd;
  connection->port = &port;
  connection->daemon = port.is_tls ? tls_ : plain_;
  Connection* opened = connection.get();
  connections_[opened->id] = std::move(connection);
  ++connection_count_;
  ++port.connections;
  ++opened->daemon->connections;
  if (!port.listener->is_unix()) ++connections_of_[opened->peer.address];
  SetDeadline(*opened, options_.head_timeout);
  opening_ = opened;
  if (!opened->daemon->Add(fd, reinterpret_cast<const sockaddr*>(&address),
                           size) &&
      opening_ != nullptr) {
    OnClose(opened);  // libmicrohttpd never saw it
  }
  opening_ = nullptr;
}

void ServerLoop::Refuse(const Port& port, int fd) {
  ++refused_;
  if (!port.is_tls) {
    constexpr absl::string_view kAnswer =
        "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n"
        "Retry-After: 1\r\nContent-Length: 0\r\n\r\n";
    // Best effort: it fits into an empty socket's buffer.
    [[maybe_unused]] const ssize_t sent =
        send(fd, kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    // What is closed unread is reset, and the answer with it.
    char unread[2048];
    shutdown(fd, SHUT_WR);
    while (recv(fd, unread, sizeof(unread), MSG_DONTWAIT) ==
           static_cast<ssize_t>(sizeof(unread))) {
    }
  }
  close(fd);
}

void ServerLoop::OnOpen(MHD_Connection* mhd, void** context) {
  opening_->mhd = mhd;
  *context = opening_;
  opening_ = nullptr;
}

void ServerLoop::OnClose(void* context) {
  Connection& connection = *static_cast<Connection*>(context);
  // The number of a descriptor is used again; what epoll knows of it goes with
  // the file.
  SetDeadline(connection, absl::InfiniteDuration());
  --connection_count_;
  --connection.port->connections;
  --connection.daemon->connections;
  if (!connection.port->listener->is_unix()) {
    const auto found = connections_of_.find(connection.peer.address);
    if (--found->second == 0) connections_of_.erase(found);
  }
  connections_.erase(connection.id);
}

void ServerLoop::SetDeadline(Connection& connection, absl::Duration after) {
  if (connection.deadline != absl::InfiniteDuration()) {
    deadlines_.erase({connection.deadline, &connection});
  }
  connection.deadline = Now() + after;
  if (connection.deadline != absl::InfiniteDuration()) {
    deadlines_.insert({connection.deadline, &connection});
  }
}

void ServerLoop::Suspend(Connection& connection) {
  Mhd().suspend_connection(connection.mhd);
  connection.is_suspended = true;
}

void ServerLoop::Resume(Connection& connection) {
  if (!connection.is_suspended) return;
  connection.is_suspended = false;
  has_resumed_ = true;  // which nothing else tells
  Mhd().resume_connection(connection.mhd);
}

void ServerLoop::Kick(Connection& connection) {
  if (connection.is_kicked) return;
  connection.is_kicked = true;
  // libmicrohttpd sees the end of the socket, and closes. One that a worker has
  // is closed when it comes back.
  shutdown(connection.fd, SHUT_RDWR);
  if (connection.phase == Phase::kStream) {
    connection.exchange->stream->Cut();
    Resume(connection);
  }
}

}  // namespace sluice::http
