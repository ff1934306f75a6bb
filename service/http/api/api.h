#ifndef SLUICE_SERVICE_HTTP_API_API_H_
#define SLUICE_SERVICE_HTTP_API_API_H_

// The API, without a socket: requests in, answers out. docs/api.md is for those
// who use it, docs/openapi.json describes each route.
//
// Example:
//
//   ApiOptions options;
//   options.restore_root = "/srv/restored";
//   SLUICE_ASSIGN_OR_RETURN(const std::unique_ptr<Api> api,
//                           Api::Create(catalog, host, service, options));
//   http::Response response = api->Handle(request);
//
// Who asks is known by a bearer token, by the cookie of a session, or by the
// process at the other end of a unix socket. A token that is limited to a plan
// sees and touches what is that plan's; of anything else it is told 404.
//
// No shell: what comes over HTTP names no source, repo or target that is new,
// and refers to no secret, unless `ApiOptions` allow it; but an admin on the
// unix socket (root, or the service's own user) may all that the command may.
//
// Thread-safe. Handle blocks for the catalog, some routes for a repo or a
// store. Costs a thread while there are event streams.

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "sluice/base/clock.h"
#include "sluice/base/version.h"
#include "sluice/catalog/catalog.h"
#include "sluice/plugins/host/plugin_host.h"
#include "sluice/service/engine/service.h"
#include "sluice/service/http/message/request.h"
#include "sluice/service/http/message/response.h"
#include "sluice/service/http/message/router.h"

namespace sluice::service {

struct ApiOptions {
  // URIs whose values may hold '*', any text but a reference to a secret:
  // "memory:?load=/srv/*". A URI is allowed that has the same options, each
  // with a value that fits. Whoever may write these may read what they allow.
  std::vector<std::string> allowed_sources;
  std::vector<std::string> allowed_repos;
  std::vector<std::string> allowed_restores;  // for admins
  // An absolute folder: who may restore at all may do so beneath it. Empty:
  // there is none.
  std::string restore_root;
  // Unix peers of this group are operators; root and this process's user are
  // admins; all others are nobody.
  absl::optional<gid_t> operator_group;
  // This machine, as MachineOf has it: while the catalog is another one's, no
  // change is taken (catalog_cloned). Empty: it may be any machine's.
  std::string machine_id;
  std::string version = std::string(kVersion);
  // How often a stream's news are looked for, while there are streams.
  absl::Duration poll = absl::Milliseconds(250);
  Clock* clock = Clock::Real();
  // Told of what cannot be done beside an answer (an audit row that cannot be
  // written), from any thread. May be empty.
  std::function<void(absl::string_view what, const absl::Status&)> on_problem;
};

struct ApiState;

class Api {
 public:
  // Borrows all; `service` may be null: then who asks for work has it done by
  // whatever service looks at the catalog. invalid_argument: a pattern that is
  // no URI, a restore_root that is not absolute.
  static absl::StatusOr<std::unique_ptr<Api>> Create(Catalog* catalog,
                                                     PluginHost* host,
                                                     Service* service,
                                                     ApiOptions options);
  // Ends all streams.
  ~Api();
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;

  http::Response Handle(http::Request& request);
  // /readyz says no from now on.
  void BeginDrain();
  // Who does the work, where it begins after the API.
  void SetService(Service* service);
  // Takes over allowed_* and restore_root; on an error all stays as it was.
  absl::Status SetPolicy(const ApiOptions& options);

 private:
  Api(std::unique_ptr<ApiState> state, http::Router router);

  const std::unique_ptr<ApiState> state_;
  const http::Router router_;
};

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_HTTP_API_API_H_
