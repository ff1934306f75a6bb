#ifndef SLUICE_CLI_SERVE_API_FRONT_H_
#define SLUICE_CLI_SERVE_API_FRONT_H_

// The API of a `sluice serve`: its sockets, its log, and what of it changes at
// SIGHUP.
//
//   SLUICE_ASSIGN_OR_RETURN(auto front, ApiFront::Open(settings, catalog, host,
//                                                      &console));
//   ... start the service: the port is ours ...
//   front->SetService(service.get());
//   front->BeginDrain();
//   service->Drain(drain);
//   front->Stop();
//
// One thread.

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "sluice/catalog/catalog.h"
#include "sluice/cli/serve/access_log.h"
#include "sluice/cli/serve/serve_settings.h"
#include "sluice/cli/terminal/console.h"
#include "sluice/plugins/host/plugin_host.h"
#include "sluice/service/engine/service.h"
#include "sluice/service/http/api/api_server.h"

namespace sluice::cli {

class ApiFront {
 public:
  // Borrows all. `machine` is this one, as MachineOf has it. Sockets that the
  // service manager passed (LISTEN_FDS) take the place of those that nobody has
  // named. Without any socket there is no API. Errors: those of ApiServer, with
  // what a person can do about them.
  static absl::StatusOr<std::unique_ptr<ApiFront>> Open(
      const ServeSettings& settings, const std::string& machine,
      Catalog* catalog, PluginHost* host, Console* console);

  void SetService(service::Service* service);
  // As SIGHUP has it: what the API may name, and the certificate. On an error
  // the old ones stay.
  absl::Status Reload(const ServeSettings& settings);
  // /readyz says no from now on.
  void BeginDrain();
  // Requests in flight may end.
  void Stop();

 private:
  ApiFront() = default;
  absl::Status Start(service::ApiServerOptions options, Catalog* catalog,
                     PluginHost* host, Console& console);

  std::unique_ptr<AccessLog> log_;
  std::unique_ptr<service::ApiServer> server_;  // goes first; may be null
};

}  // namespace sluice::cli

#endif  // SLUICE_CLI_SERVE_API_FRONT_H_
