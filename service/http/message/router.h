#ifndef SLUICE_SERVICE_HTTP_MESSAGE_ROUTER_H_
#define SLUICE_SERVICE_HTTP_MESSAGE_ROUTER_H_

// Which handler answers which method and path, as one table that tests and a
// description of the API are made from, too.
//
// Example:
//
//   SLUICE_ASSIGN_OR_RETURN(
//       const Router router,
//       Router::Create({{"POST", "/plans/{name}/run", "runPlan", kOperator,
//                        true, [](Request& request) {
//                          return Run(request.params["name"]);
//                        }}}));
//   Response response = router.Handle(request);
//
// HEAD is answered as GET is (the server leaves out the body); OPTIONS of a
// known path is 204 with Allow. A path that is not known is 404, a known one
// with another method 405 with Allow, a method that no HTTP of ours knows 501.
// A segment that is written out goes before one that is a name: /jobs/latest
// before /jobs/{id}. Empty segments match nothing.
//
// Immutable once created: any number of threads. Cost: linear in the routes.

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/optional.h"
#include "sluice/service/http/message/request.h"
#include "sluice/service/http/message/response.h"

namespace sluice::http {

// Called on one of the server's worker threads; may block.
using Handler = std::function<Response(Request&)>;

struct Route {
  std::string method;     // "GET", "POST", "PUT", "PATCH", "DELETE"
  std::string pattern;    // "/plans/{name}/run"
  std::string operation;  // its id in a description of the API, unique
  int role = 0;           // what a guard asks for; means nothing here
  bool changes_state = false;
  Handler handler;
};

class Router {
 public:
  // Asked before each handler, with request.route and params set; an answer
  // stands in for the handler's.
  using Guard = std::function<absl::optional<Response>(Request&)>;

  // invalid_argument: a pattern that is none, a GET that changes state, an
  // operation or a method and pattern twice.
  static absl::StatusOr<Router> Create(std::vector<Route> routes,
                                       Guard guard = nullptr);

  Response Handle(Request& request) const;
  // Sorted: by pattern, those that are written out first.
  const std::vector<Route>& routes() const { return routes_; }

 private:
  Router(std::vector<Route> routes, Guard guard);
  bool Matches(const Route& route, const Request& request) const;
  Response Run(const Route& route, Request& request) const;

  std::vector<Route> routes_;
  Guard guard_;
};

}  // namespace sluice::http

#endif  // SLUICE_SERVICE_HTTP_MESSAGE_ROUTER_H_
