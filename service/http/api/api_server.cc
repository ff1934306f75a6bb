#include "sluice/service/http/api/api_server.h"

#include <string>
#include <utility>
#include <vector>

#include "absl/types/optional.h"
#include "sluice/base/status_macros.h"

namespace sluice::service {

absl::StatusOr<std::unique_ptr<ApiServer>> ApiServer::Start(
    Catalog* catalog, PluginHost* host, Service* service,
    ApiServerOptions options) {
  std::unique_ptr<ApiServer> server(new ApiServer);
  SLUICE_ASSIGN_OR_RETURN(server->api_,
                          Api::Create(catalog, host, service, options.api));
  // Whoever probes for life must not be told of none while all workers wait for
  // the catalog.
  options.http.at_once =
      [api = server->api_.get()](
          http::Request& request) -> absl::optional<http::Response> {
    if (request.path != std::vector<std::string>{"healthz"}) {
      return absl::nullopt;
    }
    return api->Handle(request);
  };
  SLUICE_ASSIGN_OR_RETURN(
      server->server_, http::HttpServer::Start(
                           std::move(options.http),
                           [api = server->api_.get()](http::Request& request) {
                             return api->Handle(request);
                           }));
  return server;
}

ApiServer::~ApiServer() = default;

}  // namespace sluice::service
