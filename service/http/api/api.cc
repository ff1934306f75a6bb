#include "sluice/service/http/api/api.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/catalog/catalog_error.h"
#include "sluice/service/http/api/api_state.h"
#include "sluice/service/http/api/route.h"
#include "sluice/service/http/message/problem.h"
#include "sluice/service/settings/machine.h"

namespace sluice::service {
namespace {

constexpr size_t kMaxKeyBytes = 128;
constexpr size_t kMaxTargetBytes = 200;

absl::Status Unauthenticated() {
  return WithHint(
      MakeError(absl::StatusCode::kUnauthenticated, http::kUnauthenticated,
                "no valid token, session or unix peer"),
      "Authorization: Bearer TOKEN; `sluice token create` makes "
      "one");
}

absl::Status CheckCaller(ApiState& state, ApiCall& call) {
  if (!call.route.role.has_value()) return absl::OkStatus();
  SLUICE_ASSIGN_OR_RETURN(
      const absl::optional<Caller> caller,
      state.gatekeeper.Identify(call.context, call.request));
  if (!caller.has_value()) return Unauthenticated();
  call.caller = *caller;
  if (caller->role < *call.route.role) {
    return Forbidden(
        absl::StrCat("the role ", RoleWord(caller->role), " may not do this"),
        absl::StrCat("it needs the role ", RoleWord(*call.route.role)));
  }
  if (call.route.whole_catalog && !caller->plan_id.empty()) {
    return Forbidden("a token that is limited to a plan may not do this",
                     "it needs a token for all plans");
  }
  return absl::OkStatus();
}

absl::Status CheckIdempotencyKey(const http::Request& request) {
  const auto key = request.headers.Find("Idempotency-Key");
  if (!key.has_value()) return absl::OkStatus();
  const bool is_plain =
      !key->empty() && key->size() <= kMaxKeyBytes &&
      std::all_of(key->begin(), key->end(), [](char c) {
        return absl::ascii_isgraph(static_cast<unsigned char>(c));
      });
  if (is_plain) return absl::OkStatus();
  return InvalidArgument("Idempotency-Key: is empty, too long or not plain",
                         "1 to 128 visible ASCII characters, such as a UUID");
}

absl::Status CheckMediaType(const http::Request& request) {
  if (request.body.empty()) return absl::OkStatus();
  absl::string_view type = request.headers.Find("Content-Type").value_or("");
  type = absl::StripAsciiWhitespace(type.substr(0, type.find(';')));
  if (absl::EqualsIgnoreCase(type, "application/json")) return absl::OkStatus();
  return MakeError(absl::StatusCode::kInvalidArgument,
                   http::kUnsupportedMediaType,
                   "the body is not application/json");
}

absl::Status ReadCall(ApiCall& call) {
  const http::Request& request = call.request;
  const std::vector<absl::string_view> known(call.route.query.begin(),
                                             call.route.query.end());
  SLUICE_RETURN_IF_ERROR(request.query.RefuseOthers(known));
  SLUICE_RETURN_IF_ERROR(CheckIdempotencyKey(request));
  SLUICE_RETURN_IF_ERROR(CheckMediaType(request));
  SLUICE_ASSIGN_OR_RETURN(call.body, ApiBody::Parse(call.route, request.body));
  call.sha256 = Sha256Of(absl::StrCat(call.route.operation, "\n",
                                      absl::StrJoin(request.path, "/"), "\n",
                                      request.body));
  return absl::OkStatus();
}

// A copy's engine waits: what was asked for would wait with it, and begin once
// it is taken over; what was changed is not what the other machine goes by.
// Asked of the catalog each time, so that a taking over counts at once.
absl::Status CheckNoCopy(ApiState& state, const ApiCall& call) {
  const std::string& machine = state.options.machine_id;
  if (call.route.method == "GET" || call.route.on_a_copy || machine.empty()) {
    return absl::OkStatus();
  }
  const absl::Status ours = CheckMachine(call.context, *state.catalog, machine);
  if (ErrorCodeOf(ours) != kCatalogCloned) return ours;
  // Which machines these are is nothing to everybody who may ask.
  return WithHint(
      MakeError(absl::StatusCode::kFailedPrecondition, kCatalogCloned,
                "the catalog is another machine's: it takes no changes here"),
      HintOf(ours));
}

absl::StatusOr<http::Response> Answer(ApiState& state, ApiCall& call) {
  SLUICE_RETURN_IF_ERROR(CheckCaller(state, call));
  SLUICE_RETURN_IF_ERROR(CheckNoCopy(state, call));
  SLUICE_RETURN_IF_ERROR(ReadCall(call));
  return call.route.handler(state, call);
}

http::Response ProblemOf(const absl::Status& status, const ApiCall& call) {
  http::Problem problem = http::ProblemFor(status);
  if (problem.code == kIdempotencyKeyReused) problem.status = 422;
  if (problem.code == kPlanChanged &&
      call.request.headers.Find("If-Match").has_value()) {
    problem.status = 412;
  }
  const std::string job = JobInTheWay(status);
  if (!job.empty()) problem.members["running_job_id"] = job;
  return http::ProblemResponse(problem);
}

// Also what was refused; but nobody's attempts, which would let anybody fill
// the catalog.
void Audit(ApiState& state, const ApiCall& call, const std::string& outcome) {
  if (call.route.method == "GET" || call.caller.who.empty()) return;
  AuditEntry entry;
  entry.at = state.options.clock->Now();
  entry.who = call.caller.who;
  entry.action = call.route.operation;
  entry.target = call.target.substr(0, kMaxTargetBytes);
  entry.outcome = outcome;
  state.Report("audit", state.catalog->access().AddAudit(call.context, entry));
}

http::Response Serve(ApiState& state, const ApiRoute& route,
                     http::Request& request) {
  ApiCall call{request, route, {}, state.life.first, {}, "", ""};
  for (const char* name : {"id", "name"}) {
    if (call.target.empty()) call.target = call.Param(name);
  }
  absl::StatusOr<http::Response> answer = Answer(state, call);
  Audit(state, call, answer.ok() ? "ok" : ErrorCodeOf(answer.status()));
  if (!answer.ok()) return ProblemOf(answer.status(), call);
  return *std::move(answer);
}

}  // namespace

Api::Api(std::unique_ptr<ApiState> state, http::Router router)
    : state_(std::move(state)), router_(std::move(router)) {}

absl::StatusOr<std::unique_ptr<Api>> Api::Create(Catalog* catalog,
                                                 PluginHost* host,
                                                 Service* service,
                                                 ApiOptions options) {
  SLUICE_ASSIGN_OR_RETURN(std::shared_ptr<const UriPolicy> policy,
                          UriPolicy::Of(options));
  auto state =
      std::make_unique<ApiState>(catalog, host, service, std::move(options));
  state->SetPolicy(std::move(policy));
  std::vector<http::Route> routes;
  for (const ApiRoute& route : ApiRoutes()) {
    routes.push_back(
        {route.method, route.pattern, route.operation,
         route.role.has_value() ? static_cast<int>(*route.role) + 1 : 0,
         route.method != "GET",
         [shared = state.get(), &route](http::Request& request) {
           return Serve(*shared, route, request);
         }});
  }
  SLUICE_ASSIGN_OR_RETURN(http::Router router,
                          http::Router::Create(std::move(routes)));
  return std::unique_ptr<Api>(new Api(std::move(state), std::move(router)));
}

Api::~Api() { state_->life.second(absl::CancelledError("the API ends")); }

http::Response Api::Handle(http::Request& request) {
  return router_.Handle(request);
}

void Api::BeginDrain() { state_->draining = true; }

void Api::SetService(Service* service) { state_->service = service; }

absl::Status Api::SetPolicy(const ApiOptions& options) {
  SLUICE_ASSIGN_OR_RETURN(std::shared_ptr<const UriPolicy> policy,
                          UriPolicy::Of(options));
  state_->SetPolicy(std::move(policy));
  return absl::OkStatus();
}

}  // namespace sluice::service
