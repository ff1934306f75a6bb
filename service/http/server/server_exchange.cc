#include <microhttpd.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "sluice/service/http/message/problem.h"
#include "sluice/service/http/server/mhd_library.h"
#include "sluice/service/http/server/server_loop.h"

namespace sluice::http {
namespace {

// A body that is refused is read all the same up to this many times the limit,
// so that a client that writes before it reads gets the answer.
constexpr uint64_t kDrainTimes = 4;
constexpr size_t kStreamBlock = 1024;

// An MHD_Response that owns `body`.
MHD_Response* ResponseOf(std::string body) {
  auto* owned = new std::string(std::move(body));
  MHD_Response* made = Mhd().create_response_from_buffer(
      owned->size(), owned->data(),
      [](void* cls) { delete static_cast<std::string*>(cls); }, owned);
  if (made == nullptr) delete owned;
  return made;
}

}  // namespace

void* ServerLoop::OnTarget(void* context, absl::string_view target) {
  Connection& connection = *static_cast<Connection*>(context);
  if (connection.phase == Phase::kIdle) {
    connection.phase = Phase::kHead;
    SetDeadline(connection, options_.head_timeout);
  }
  connection.exchange = std::make_unique<Exchange>();
  connection.exchange->connection = &connection;
  connection.exchange->target = std::string(target);
  connection.exchange->began = Now();
  return connection.exchange.get();
}

void ServerLoop::OnCompleted(void* context) {
  Exchange& exchange = *static_cast<Exchange*>(context);
  Connection& connection = *exchange.connection;
  if (exchange.stream != nullptr) {
    --streams_;
    epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, connection.fd, nullptr);
    exchange.stream->Close();
  }
  if (options_.access_log != nullptr && exchange.head_read) {
    AccessRecord record;
    record.method = exchange.job->request.method;
    record.route = exchange.route;
    record.status = exchange.status;
    record.body_bytes = exchange.sent;
    record.duration = Now() - exchange.began;
    options_.access_log(record);
  }
  connection.exchange.reset();
  connection.phase = Phase::kIdle;
  SetDeadline(connection, options_.idle_timeout);
  if (draining_) Kick(connection);
}

bool ServerLoop::OnRequest(void* context, const MhdDaemon::Call& call,
                           size_t* upload_size) {
  if (context == nullptr) return false;
  Exchange& exchange = *static_cast<Exchange*>(context);
  if (!exchange.head_read) return OnHead(exchange, call);
  if (*upload_size > 0) {
    const absl::string_view bytes(call.upload, *upload_size);
    *upload_size = 0;
    return OnBody(exchange, bytes);
  }
  return OnWhole(exchange);
}

bool ServerLoop::OnHead(Exchange& exchange, const MhdDaemon::Call& call) {
  Connection& connection = *exchange.connection;
  ++requests_;
  exchange.head_read = true;
  Request& request = exchange.job->request;
  request.method = call.method;
  request.peer = connection.peer;
  request.is_tls = connection.port->is_tls;
  request.cancel = cancel_;
  RawHead head;
  head.target = exchange.target;
  head.version = call.version;
  exchange.is_chunked = head.version == "HTTP/1.1";
  head.is_exact =
      ReadHead(call, exchange.target.size(), &head.bytes, request.headers);
  HeadCheck check = CheckHead(connection.port->rules, head, request);
  exchange.refusal = std::move(check.refusal);
  connection.phase = Phase::kBody;
  if (check.has_body) SetDeadline(connection, options_.body_timeout);
  if (!exchange.refusal.has_value()) return true;
  const uint64_t most = kDrainTimes * options_.max_body_bytes;
  if (exchange.refusal->must_close ||
      (check.has_body &&
       (check.expects_continue || check.content_length > most))) {
    return Answer(exchange, std::move(exchange.refusal->response), true);
  }
  return true;
}

bool ServerLoop::OnBody(Exchange& exchange, absl::string_view bytes) {
  exchange.body_read += bytes.size();
  std::string& body = exchange.job->request.body;
  if (exchange.body_read > options_.max_body_bytes) {
    std::string().swap(body);
    if (!exchange.refusal.has_value()) {
      exchange.refusal = Refusal{
          ProblemResponse(413, kBodyTooLarge,
                          absl::StrCat("the body is larger than ",
                                       options_.max_body_bytes, " bytes")),
          true};
    }
    return exchange.body_read <= kDrainTimes * options_.max_body_bytes;
  }
  if (!exchange.refusal.has_value()) body.append(bytes.data(), bytes.size());
  return true;
}

bool ServerLoop::OnWhole(Exchange& exchange) {
  Connection& connection = *exchange.connection;
  if (exchange.refusal.has_value()) {
    return Answer(exchange, std::move(exchange.refusal->response),
                  exchange.refusal->must_close);
  }
  if (exchange.has_answer) {
    return Answer(exchange, std::move(exchange.job->response), false);
  }
  if (exchange.is_handled) return !connection.is_kicked;
  if (draining_) {
    return Answer(exchange,
                  ProblemResponse(503, kShuttingDown, "the server is stopping"),
                  true);
  }
  if (options_.at_once != nullptr) {
    absl::optional<Response> response = options_.at_once(exchange.job->request);
    if (response.has_value()) {
      return Answer(exchange, *std::move(response), false);
    }
  }
  Dispatch(exchange);
  if (exchange.is_handled) return true;
  return Answer(
      exchange,
      ProblemResponse(503, kOverloaded, "too many requests are waiting"),
      false);
}

void ServerLoop::Dispatch(Exchange& exchange) {
  Connection& connection = *exchange.connection;
  exchange.is_handled = workers_->Submit(
      [this, job = exchange.job, inbox = inbox_, id = connection.id] {
        job->response =
            job->request.cancelled()
                ? ProblemResponse(503, kShuttingDown, "the server is stopping")
                : handler_(job->request);
        inbox->Post([this, id] { OnHandled(id); });
      });
  if (!exchange.is_handled) return;
  connection.phase = Phase::kHandler;
  SetDeadline(connection, absl::InfiniteDuration());
  Suspend(connection);
}

void ServerLoop::OnHandled(uint64_t id) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  found->second->exchange->has_answer = true;
  Resume(*found->second);
}

bool ServerLoop::Answer(Exchange& exchange, Response response,
                        bool must_close) {
  Connection& connection = *exchange.connection;
  if (connection.is_kicked) {
    if (response.stream != nullptr) response.stream->Close();
    return false;
  }
  const bool is_head = exchange.job->request.method == "HEAD";
  std::shared_ptr<ResponseStream> stream = std::move(response.stream);
  if (stream != nullptr && is_head) std::exchange(stream, nullptr)->Close();
  exchange.status = response.status;
  exchange.route = std::move(response.route);
  exchange.sent = is_head ? 0 : response.body.size();

  AddDefaultHeaders(response.headers);
  if (must_close || draining_) response.headers.Set("Connection", "close");
  MHD_Response* made = stream != nullptr ? Mhd().create_response_from_callback(
                                               MHD_SIZE_UNKNOWN, kStreamBlock,
                                               &ReadStream, &exchange, nullptr)
                                         : ResponseOf(std::move(response.body));
  const absl::Cleanup destroy = [made] {
    if (made != nullptr) Mhd().destroy_response(made);
  };
  bool is_good = made != nullptr;
  for (const Headers::Field& field : response.headers.fields()) {
    is_good =
        is_good && Mhd().add_response_header(made, field.first.c_str(),
                                             field.second.c_str()) == MHD_YES;
  }
  connection.phase = Phase::kAnswer;
  SetDeadline(connection, options_.write_timeout);
  // Before it is queued, which may begin to read it.
  exchange.stream = stream;
  if (is_good && stream != nullptr) BeginStream(exchange);
  if (is_good && Mhd().queue_response(
                     connection.mhd, static_cast<unsigned int>(response.status),
                     made) == MHD_YES) {
    return true;
  }
  exchange.status = 0;
  if (exchange.stream != nullptr && connection.phase != Phase::kStream) {
    std::exchange(exchange.stream, nullptr)->Close();
  }
  return false;
}

void ServerLoop::BeginStream(Exchange& exchange) {
  Connection& connection = *exchange.connection;
  ++streams_;
  connection.phase = Phase::kStream;
  SetDeadline(connection, options_.heartbeat);
  exchange.stream->Bind([this, inbox = inbox_, id = connection.id] {
    inbox->Post([this, id] { OnStreamChange(id); });
  });
  // While it is suspended libmicrohttpd does not see that a client goes.
  epoll_event event = {};
  event.events = EPOLLRDHUP | EPOLLET;
  event.data.u64 = TagOf(kTagStream, connection.id);
  epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, connection.fd, &event);
  if (draining_) exchange.stream->End();
}

ssize_t ServerLoop::ReadStream(void* context, uint64_t, char* buffer,
                               size_t size) {
  Exchange& exchange = *static_cast<Exchange*>(context);
  const ResponseStream::Taken taken = exchange.stream->Take(buffer, size);
  if (taken.is_over && exchange.is_chunked) {
    return MHD_CONTENT_READER_END_OF_STREAM;
  }
  if (taken.is_cut || taken.is_over) {
    // To close from here, as END_WITH_ERROR does, leaves libmicrohttpd 0.9.75
    // with a closed connection that it does not look at again. What it cannot
    // write it closes for good.
    shutdown(exchange.connection->fd, SHUT_RDWR);
    buffer[0] = '\n';
    return 1;
  }
  exchange.sent += taken.bytes;
  if (taken.bytes == 0) {
    Mhd().suspend_connection(exchange.connection->mhd);
    exchange.connection->is_suspended = true;
  }
  return static_cast<ssize_t>(taken.bytes);
}

void ServerLoop::OnStreamChange(uint64_t id) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  Connection& connection = *found->second;
  if (connection.exchange == nullptr ||
      connection.exchange->stream == nullptr) {
    return;
  }
  if (connection.exchange->stream->is_cut()) Kick(connection);
  Resume(connection);
}

}  // namespace sluice::http
