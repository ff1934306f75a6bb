#include <fcntl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/service/http/server/server_loop.h"

namespace sluice::http {
namespace {

constexpr size_t kMostPemBytes = 1024 * 1024;

absl::StatusOr<std::string> ReadPem(const std::string& path) {
  const auto failed = [&](int error) {
    return InvalidArgument(
        absl::StrCat("read ", path, ": ", std::strerror(error)));
  };
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return failed(errno);
  const absl::Cleanup closer = [fd] { close(fd); };
  std::string bytes;
  char buffer[4096];
  while (true) {
    const ssize_t got = read(fd, buffer, sizeof(buffer));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed(errno);
    if (got == 0) break;
    bytes.append(buffer, static_cast<size_t>(got));
    if (bytes.size() > kMostPemBytes) return failed(EFBIG);
  }
  // Empty would mean: no TLS.
  if (bytes.empty()) return failed(ENODATA);
  return bytes;
}

}  // namespace

ServerLoop::ServerLoop(HttpServerOptions options, Handler handler)
    : options_(std::move(options)), handler_(std::move(handler)) {}

absl::StatusOr<std::unique_ptr<ServerLoop>> ServerLoop::Start(
    HttpServerOptions options, Handler handler) {
  std::unique_ptr<ServerLoop> loop(
      new ServerLoop(std::move(options), std::move(handler)));
  SLUICE_RETURN_IF_ERROR(loop->Init());
  return loop;
}

absl::Status ServerLoop::Init() {
  // First, since they are owned.
  SLUICE_RETURN_IF_ERROR(OpenPorts());
  const bool has_tls = std::any_of(
      ports_.begin(), ports_.end(),
      [](const std::unique_ptr<Port>& port) { return port->is_tls; });
  SLUICE_ASSIGN_OR_RETURN(inbox_, Inbox::Open());
  epoll_fd_ = epoll_create1(EPOLL_CLOEXEC);
  epoll_event event = {};
  event.events = EPOLLIN;
  event.data.u64 = TagOf(kTagInbox, 0);
  if (epoll_fd_ < 0 ||
      epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, inbox_->fd(), &event) != 0) {
    return MakeError(absl::StatusCode::kResourceExhausted, kResourceExhausted,
                     absl::StrCat("epoll: ", std::strerror(errno)));
  }
  for (const bool is_tls : {false, true}) {
    if (is_tls && !has_tls) continue;
    SLUICE_ASSIGN_OR_RETURN(daemons_.emplace_back(), NewDaemon(is_tls));
    (is_tls ? tls_ : plain_) = daemons_.back().get();
  }
  SLUICE_ASSIGN_OR_RETURN(
      workers_, WorkerPool::Start(options_.workers, options_.max_waiting));
  SLUICE_ASSIGN_OR_RETURN(
      alarm_,
      Alarm::Start(options_.clock, [inbox = inbox_] { inbox->Post([] {}); }));
  SLUICE_ASSIGN_OR_RETURN(thread_, Thread::Start("http", [this] { Run(); }));
  return absl::OkStatus();
}

absl::Status ServerLoop::OpenPorts() {
  // Owned from the first, so that an error closes them all.
  std::vector<std::unique_ptr<Listener>> inherited;
  absl::Status adopted;
  for (const int fd : options_.inherited) {
    absl::StatusOr<std::unique_ptr<Listener>> listener = Listener::Adopt(fd);
    if (!listener.ok()) {
      adopted.Update(listener.status());
    } else {
      inherited.push_back(*std::move(listener));
    }
  }
  SLUICE_RETURN_IF_ERROR(adopted);
  if (options_.clock == nullptr || options_.workers < 1 ||
      options_.max_connections < 1 || options_.max_waiting < 1 ||
      options_.tls_certificate_file.empty() != options_.tls_key_file.empty()) {
    return InvalidArgument(
        "start HTTP: no clock, no workers, no connections, or a certificate "
        "without its key");
  }
  for (std::unique_ptr<Listener>& listener : inherited) {
    SLUICE_RETURN_IF_ERROR(AddPort(std::move(listener)));
  }
  if (options_.tcp.has_value()) {
    SLUICE_RETURN_IF_ERROR(
        AddPort(Listener::OpenTcp(options_.tcp->host, options_.tcp->port)));
  }
  if (!options_.unix_path.empty()) {
    SLUICE_RETURN_IF_ERROR(
        AddPort(Listener::OpenUnix(options_.unix_path, options_.unix_mode)));
  }
  if (ports_.empty()) {
    return InvalidArgument("start HTTP: nothing to listen on");
  }
  return absl::OkStatus();
}

absl::Status ServerLoop::AddPort(
    absl::StatusOr<std::unique_ptr<Listener>> listener) {
  if (!listener.ok()) return listener.status();
  auto port = std::make_unique<Port>();
  port->listener = *std::move(listener);
  const bool is_unix = port->listener->is_unix();
  port->is_tls = !is_unix && !options_.tls_certificate_file.empty();
  if (!is_unix && !port->is_tls && !port->listener->is_loopback() &&
      !options_.allow_plain_off_loopback) {
    return InvalidArgument(
        absl::StrCat("listen on ", port->listener->address(),
                     ": off loopback only with TLS"),
        "give a certificate and its key, or listen on 127.0.0.1");
  }
  if (first_port_ == 0) first_port_ = port->listener->port();
  port->rules.max_bytes = options_.max_head_bytes;
  port->rules.max_fields = options_.max_header_fields;
  port->rules.max_body_bytes = options_.max_body_bytes;
  port->rules.is_unix = is_unix;
  port->rules.own_host = port->listener->address();
  port->rules.own_port = port->listener->port();
  port->rules.allowed_hosts = options_.allowed_hosts;
  port->rules.allowed_origins = options_.allowed_origins;
  ports_.push_back(std::move(port));
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<MhdDaemon>> ServerLoop::NewDaemon(bool is_tls) {
  MhdDaemon::Options options;
  // Room for a head twice the limit, so that it is ours to refuse it.
  options.memory_per_connection = 2 * options_.max_head_bytes + 8 * 1024;
  options.max_connections =
      options_.max_connections * static_cast<int>(ports_.size()) + 1;
  if (is_tls) {
    SLUICE_ASSIGN_OR_RETURN(options.certificate,
                            ReadPem(options_.tls_certificate_file));
    SLUICE_ASSIGN_OR_RETURN(options.key, ReadPem(options_.tls_key_file));
  }
  SLUICE_ASSIGN_OR_RETURN(std::unique_ptr<MhdDaemon> daemon,
                          MhdDaemon::Start(std::move(options), this));
  epoll_event event = {};
  event.events = EPOLLIN;
  event.data.u64 = TagOf(kTagDaemon, 0);
  if (epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, daemon->epoll_fd(), &event) != 0) {
    return MakeError(absl::StatusCode::kResourceExhausted, kResourceExhausted,
                     absl::StrCat("epoll: ", std::strerror(errno)));
  }
  return daemon;
}

ServerLoop::~ServerLoop() {
  if (thread_.joinable()) Stop(absl::ZeroDuration());
  alarm_.reset();
  workers_.reset();
  daemons_.clear();
  if (epoll_fd_ >= 0) close(epoll_fd_);
}

int ServerLoop::port() const { return first_port_; }

HttpServerStats ServerLoop::stats() const {
  HttpServerStats stats;
  stats.connections = connection_count_;
  stats.requests = requests_;
  stats.streams = streams_;
  stats.refused_connections = refused_;
  stats.failed_accepts = failed_accepts_;
  stats.turns = turns_;
  return stats;
}

absl::Status ServerLoop::Reload() {
  if (options_.tls_certificate_file.empty()) return absl::OkStatus();
  SLUICE_ASSIGN_OR_RETURN(std::unique_ptr<MhdDaemon> made, NewDaemon(true));
  // A std::function is copied, what it holds must be too.
  auto shared = std::make_shared<std::unique_ptr<MhdDaemon>>(std::move(made));
  inbox_->Post([this, shared] {
    if (tls_ == nullptr) return;
    tls_->is_retired = true;
    daemons_.push_back(std::move(*shared));
    tls_ = daemons_.back().get();
  });
  return absl::OkStatus();
}

void ServerLoop::Stop(absl::Duration drain) {
  {
    MutexLock lock(stop_mutex_);
    if (stop_called_) {
      while (!stopped_) stopped_changed_.Wait(lock);
      return;
    }
    stop_called_ = true;
  }
  inbox_->Post([this] { Drain(); });
  const absl::Duration end = Now() + drain;
  {
    MutexLock lock(stop_mutex_);
    while (!loop_ended_ && Now() < end) {
      options_.clock->WaitFor(stopped_changed_, lock, end - Now());
    }
  }
  cancel_->store(true);
  inbox_->Post([this] { Abort(); });
  thread_.Join();
  inbox_->Close();
  MutexLock lock(stop_mutex_);
  stopped_ = true;
  stopped_changed_.NotifyAll();
}

}  // namespace sluice::http
