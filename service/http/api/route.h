#ifndef SLUICE_SERVICE_HTTP_API_ROUTE_H_
#define SLUICE_SERVICE_HTTP_API_ROUTE_H_

// The one table of routes: who may call each, what it takes, what it answers.
// The router, the checks of bodies and queries, the OpenAPI document and the
// tests of access are made from it.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "nlohmann/json.hpp"
#include "sluice/executor/context.h"
#include "sluice/service/admin/plan_admin.h"
#include "sluice/service/admin/tokens.h"
#include "sluice/service/http/api/access.h"
#include "sluice/service/http/message/request.h"
#include "sluice/service/http/message/response.h"

namespace sluice::service {

struct ApiState;
struct ApiCall;

using ApiHandler = absl::StatusOr<http::Response> (*)(ApiState&, ApiCall&);

enum class BodyKind { kText, kFlag, kCount, kTexts, kTextMap };

struct BodyField {
  std::string name;
  BodyKind kind = BodyKind::kText;
  std::string help;
  bool required = false;
  bool nullable = false;  // null takes it back
};

struct ApiRoute {
  std::string method;
  std::string pattern;  // whole: "/api/v1/jobs/{id}"
  std::string operation;
  std::string summary;
  absl::optional<Role> role;  // none: anybody
  ApiHandler handler = nullptr;
  std::string answer;  // a schema's name: "Job"; empty: no body
  int status = 200;    // where all went well
  std::vector<std::string> query = {};
  std::vector<BodyField> body = {};
  // A token that is limited to a plan is 403 here.
  bool whole_catalog = false;
  // Its Idempotency-Key is kept with the job that it makes.
  bool queues = false;
  bool may_lack_body = false;
  // Also where the catalog is a copy, which takes no changes; GETs are in any
  // case.
  bool on_a_copy = false;
};

// In the order in which people read them.
const std::vector<ApiRoute>& ApiRoutes();
const ApiRoute& RouteOf(absl::string_view operation);

// Each room's part.
void AddBackupRoutes(std::vector<ApiRoute>& routes);
void AddJobRoutes(std::vector<ApiRoute>& routes);
void AddPlanRoutes(std::vector<ApiRoute>& routes);
void AddRepoRoutes(std::vector<ApiRoute>& routes);
void AddNotificationRoutes(std::vector<ApiRoute>& routes);
void AddAccessRoutes(std::vector<ApiRoute>& routes);
void AddSystemRoutes(std::vector<ApiRoute>& routes);

// The body's fields, read by the route's table.
class ApiBody {
 public:
  // Names the field that is wrong, unknown or missing.
  static absl::StatusOr<ApiBody> Parse(const ApiRoute& route,
                                       absl::string_view text);

  bool Has(absl::string_view name) const;
  bool IsNull(absl::string_view name) const;
  // Empty, false, 0 where it is absent.
  std::string Text(absl::string_view name) const;
  bool Flag(absl::string_view name, bool otherwise = false) const;
  int64_t Count(absl::string_view name) const;
  std::vector<std::string> Texts(absl::string_view name) const;
  const nlohmann::json* Find(absl::string_view name) const;

 private:
  nlohmann::json fields_ = nlohmann::json::object();
};

// One request on its way through a handler.
struct ApiCall {
  http::Request& request;
  const ApiRoute& route;
  Caller caller;
  Context context;
  ApiBody body;
  std::string sha256;  // of what is asked for
  // What the audit list says that it was done to: the path's name, unless a
  // handler knows better.
  std::string target;

  std::string Param(absl::string_view name) const;
  absl::optional<std::string> Query(absl::string_view name) const;
  Asker asker() const;
};

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_HTTP_API_ROUTE_H_
