#include "sluice/service/http/server/http_server.h"

#include <utility>

#include "sluice/base/status_macros.h"
#include "sluice/service/http/server/server_loop.h"

namespace sluice::http {

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Start(
    HttpServerOptions options, Handler handler) {
  SLUICE_ASSIGN_OR_RETURN(
      std::unique_ptr<ServerLoop> loop,
      ServerLoop::Start(std::move(options), std::move(handler)));
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(loop)));
}

HttpServer::HttpServer(std::unique_ptr<ServerLoop> loop)
    : loop_(std::move(loop)) {}
HttpServer::~HttpServer() = default;

int HttpServer::port() const { return loop_->port(); }
absl::Status HttpServer::Reload() { return loop_->Reload(); }
void HttpServer::Stop(absl::Duration drain) { loop_->Stop(drain); }
HttpServerStats HttpServer::stats() const { return loop_->stats(); }

}  // namespace sluice::http
