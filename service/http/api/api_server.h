#ifndef SLUICE_SERVICE_HTTP_API_API_SERVER_H_
#define SLUICE_SERVICE_HTTP_API_API_SERVER_H_

// The API on its sockets: what `sluice serve` starts.
//
// Example:
//
//   ApiServerOptions options;
//   options.http.tcp = http::TcpEndpoint{"127.0.0.1", 8470};
//   options.http.unix_path = "/run/sluice/api.sock";
//   SLUICE_ASSIGN_OR_RETURN(
//       const std::unique_ptr<ApiServer> server,
//       ApiServer::Start(catalog, host, nullptr, options));
//   SLUICE_ASSIGN_OR_RETURN(const std::unique_ptr<Service> service,
//                           Service::Start(catalog, host, {}));
//   server->SetService(service.get());   // its port was free: now it may work
//   AwaitSignal();
//   server->BeginDrain();                // balancers see it and go elsewhere
//   service->Drain(absl::Seconds(30));
//   server->Stop(absl::Seconds(10));
//
// Thread-safe.

#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "sluice/catalog/catalog.h"
#include "sluice/plugins/host/plugin_host.h"
#include "sluice/service/engine/service.h"
#include "sluice/service/http/api/api.h"
#include "sluice/service/http/server/http_server.h"

namespace sluice::service {

struct ApiServerOptions {
  http::HttpServerOptions http;
  ApiOptions api;
};

class ApiServer {
 public:
  // Borrows all; `service` may be null. Errors: those of Api and HttpServer.
  static absl::StatusOr<std::unique_ptr<ApiServer>> Start(
      Catalog* catalog, PluginHost* host, Service* service,
      ApiServerOptions options);
  ~ApiServer();

  // Of TCP; 0 where there is none.
  int port() const { return server_->port(); }
  // /readyz says no from now on; all else goes on.
  void BeginDrain() { api_->BeginDrain(); }
  void SetService(Service* service) { api_->SetService(service); }
  absl::Status SetPolicy(const ApiOptions& options) {
    return api_->SetPolicy(options);
  }
  // As HttpServer has them.
  absl::Status Reload() { return server_->Reload(); }
  void Stop(absl::Duration drain) { server_->Stop(drain); }

 private:
  ApiServer() = default;

  std::unique_ptr<Api> api_;
  std::unique_ptr<http::HttpServer> server_;  // goes first
};

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_HTTP_API_API_SERVER_H_
