// What machines ask of the service itself.

#include "absl/time/time.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/service/http/api/api_state.h"
#include "sluice/service/http/api/metrics.h"
#include "sluice/service/http/api/node_metrics.h"
#include "sluice/service/http/api/openapi.h"
#include "sluice/service/http/message/problem.h"

namespace sluice::service {
namespace {

using http::Response;

// Who asks gives up soon himself.
constexpr absl::Duration kReadyPatience = absl::Seconds(2);
constexpr char kMetricsType[] = "text/plain; version=0.0.4; charset=utf-8";

absl::StatusOr<Response> Healthz(ApiState& state, ApiCall& call) {
  return http::JsonResponse(200, {{"status", "ok"}});
}

// Anybody may ask: the answer's word says why not, and no more.
Response NotReady(absl::string_view code) {
  return http::ProblemResponse(503, code, "not ready");
}

absl::StatusOr<Response> Readyz(ApiState& state, ApiCall& call) {
  if (state.draining) return NotReady(http::kShuttingDown);
  const auto limited =
      Context::WithTimeout(call.context, state.options.clock, kReadyPatience);
  const absl::Status catalog =
      state.catalog->events().Bounds(limited.first).status();
  if (!catalog.ok()) return NotReady(ErrorCodeOf(catalog));
  if (Service* const service = state.service) {
    const absl::Status health = service->health();
    if (!health.ok()) return NotReady(ErrorCodeOf(health));
  }
  return http::JsonResponse(200, {{"status", "ready"}});
}

absl::StatusOr<Response> Version(ApiState& state, ApiCall& call) {
  return http::JsonResponse(
      200, {{"version", state.options.version}, {"api", "v1"}});
}

absl::StatusOr<Response> Metrics(ApiState& state, ApiCall& call) {
  SLUICE_ASSIGN_OR_RETURN(
      const std::string text,
      MetricsText(call.context, *state.catalog, state.known_plans,
                  *state.options.clock, state.options.version,
                  call.caller.plan_id));
  return http::TextResponse(200, kMetricsType, text);
}

absl::StatusOr<Response> NodeMetrics(ApiState& state, ApiCall& call) {
  NodeFacts facts;
  facts.version = state.options.version;
  facts.started = state.started;
  facts.is_draining = state.draining;
  if (const Service* const service = state.service) {
    facts.running_jobs = service->running();
    facts.is_working = service->health().ok();
  }
  return http::TextResponse(200, kMetricsType, NodeMetricsText(facts));
}

absl::StatusOr<Response> OpenApi(ApiState& state, ApiCall& call) {
  return http::TextResponse(200, "application/json", OpenApiText());
}

}  // namespace

void AddSystemRoutes(std::vector<ApiRoute>& routes) {
  const absl::optional<Role> anybody;
  routes.push_back({"GET", "/healthz", "healthz", "Whether the process answers",
                    anybody, Healthz, "Health"});
  routes.push_back({"GET", "/readyz", "readyz",
                    "Whether it works: its catalog is there, and it is not "
                    "stopping",
                    anybody, Readyz, "Health"});
  routes.push_back({"GET", "/version", "version", "Which version it is",
                    anybody, Version, "Version"});
  routes.push_back({"GET", "/metrics", "metrics",
                    "Prometheus's text format, computed from the catalog",
                    Role::kMetrics, Metrics, "Text"});
  routes.push_back({"GET", "/metrics/node", "nodeMetrics",
                    "The same, of this process: its jobs, memory and time",
                    Role::kMetrics, NodeMetrics, "Text"});
  routes.push_back({"GET", "/api/v1/openapi.json", "openapi", "This document",
                    Role::kViewer, OpenApi, "OpenApi"});
}

}  // namespace sluice::service
