#include "sluice/service/http/api/api_state.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/catalog/catalog_error.h"
#include "sluice/service/plan/span.h"

namespace sluice::service {
namespace {

constexpr uint64_t kMostRows = 200;
constexpr absl::Duration kPatience = absl::Minutes(1);

absl::Status NotThere(absl::string_view code, absl::string_view what,
                      absl::string_view id) {
  return MakeError(absl::StatusCode::kNotFound, code,
                   absl::StrCat("there is no ", what, " ", id));
}

// What a caller with a plan's token is told in place of `status`: a prefix that
// begins several ids says that they are there.
absl::Status Blurred(const absl::Status& status, const ApiCall& call,
                     absl::string_view code, absl::string_view what,
                     absl::string_view id) {
  if (call.caller.plan_id.empty()) return status;
  return absl::IsNotFound(status) || ErrorCodeOf(status) == kAmbiguousId
             ? NotThere(code, what, id)
             : status;
}

}  // namespace

ApiState::ApiState(Catalog* the_catalog, PluginHost* the_host,
                   Service* the_service, ApiOptions the_options)
    : catalog(the_catalog),
      host(the_host),
      service(the_service),
      options(std::move(the_options)),
      life(Context::WithCancel(Context::Background())),
      gatekeeper(&the_catalog->access(), options.clock, options.operator_group),
      hub(the_catalog, &gatekeeper, options.clock, options.poll, life.first),
      started(options.clock->Now()) {}

void ApiState::Report(absl::string_view what,
                      const absl::Status& status) const {
  if (!status.ok() && options.on_problem) options.on_problem(what, status);
}

void ApiState::Wake() const {
  if (Service* const here = service) here->Wake();
}

std::shared_ptr<const UriPolicy> ApiState::policy() const {
  MutexLock lock(mutex_);
  return policy_;
}

void ApiState::SetPolicy(std::shared_ptr<const UriPolicy> policy) {
  MutexLock lock(mutex_);
  policy_ = std::move(policy);
}

absl::StatusOr<std::shared_ptr<const UriPolicy>> UriPolicy::Of(
    const ApiOptions& options) {
  if (!options.restore_root.empty() &&
      !absl::StartsWith(options.restore_root, "/")) {
    return InvalidArgument("restore_root: is not an absolute path");
  }
  auto policy = std::make_shared<UriPolicy>();
  SLUICE_ASSIGN_OR_RETURN(
      policy->sources,
      UriPatterns::Parse(options.allowed_sources, "allowed_sources"));
  SLUICE_ASSIGN_OR_RETURN(
      policy->repos,
      UriPatterns::Parse(options.allowed_repos, "allowed_repos"));
  SLUICE_ASSIGN_OR_RETURN(
      policy->restores,
      UriPatterns::Parse(options.allowed_restores, "allowed_restores"));
  policy->restore_root = options.restore_root;
  return std::shared_ptr<const UriPolicy>(std::move(policy));
}

absl::StatusOr<CatalogJob> FindJob(ApiState& state, const ApiCall& call,
                                   absl::string_view id) {
  absl::StatusOr<CatalogJob> job = state.catalog->GetJob(call.context, id);
  if (!job.ok()) return Blurred(job.status(), call, kJobNotFound, "job", id);
  if (!call.caller.MaySee(job->job.plan_id())) {
    return NotThere(kJobNotFound, "job", id);
  }
  return job;
}

absl::StatusOr<BackupRecord> FindRecord(ApiState& state, const ApiCall& call,
                                        absl::string_view id) {
  absl::StatusOr<BackupRecord> record =
      state.catalog->GetRecord(call.context, id);
  if (!record.ok()) {
    return Blurred(record.status(), call, kRecordNotFound, "record", id);
  }
  if (!call.caller.MaySee(record->plan_id())) {
    return NotThere(kRecordNotFound, "record", id);
  }
  return record;
}

absl::StatusOr<Plan> FindPlan(ApiState& state, const ApiCall& call,
                              absl::string_view name_or_id) {
  absl::StatusOr<Plan> plan =
      state.catalog->plans().GetPlan(call.context, name_or_id);
  if (!plan.ok()) {
    return Blurred(plan.status(), call, kPlanNotFound, "plan", name_or_id);
  }
  if (!call.caller.MaySee(plan->id())) {
    return NotThere(kPlanNotFound, "plan", name_or_id);
  }
  return plan;
}

absl::StatusOr<BackupRepo> FindRepo(ApiState& state, const ApiCall& call,
                                    absl::string_view name_or_id) {
  absl::StatusOr<BackupRepo> repo =
      state.catalog->GetRepo(call.context, name_or_id);
  if (!repo.ok()) {
    return Blurred(repo.status(), call, kRepoNotFound, "repo", name_or_id);
  }
  if (call.caller.plan_id.empty()) return repo;
  SLUICE_ASSIGN_OR_RETURN(
      const Plan plan,
      state.catalog->plans().GetPlan(call.context, call.caller.plan_id));
  const auto& repos = plan.spec().repos();
  if (std::find(repos.begin(), repos.end(), repo->id()) == repos.end()) {
    return NotThere(kRepoNotFound, "repo", name_or_id);
  }
  return repo;
}

absl::StatusOr<Page> PageOf(const ApiCall& call) {
  Page page;
  if (const auto limit = call.Query("limit")) {
    uint64_t wanted = 0;
    if (!absl::SimpleAtoi(*limit, &wanted) || wanted == 0) {
      return InvalidArgument("limit: is not a number, 1 or more",
                             absl::StrCat("at most ", kMostRows, " are given"));
    }
    page.limit = std::min(wanted, kMostRows);
  }
  if (const auto cursor = call.Query("cursor")) {
    if (!absl::WebSafeBase64Unescape(*cursor, &page.after) ||
        page.after.empty() || page.after.size() > 200) {
      return InvalidArgument("cursor: is none that an answer gave",
                             "pass on next_cursor as it is");
    }
  }
  return page;
}

void EndList(absl::string_view last, JsonText& text) {
  if (last.empty()) {
    text.Field("next_cursor", nullptr);
  } else {
    text.Field("next_cursor", absl::WebSafeBase64Escape(last));
  }
  text.EndObject();
}

http::Response ListResponse(absl::string_view name, Json items,
                            absl::string_view last) {
  Json body;
  body[std::string(name)] = std::move(items);
  body["next_cursor"] =
      last.empty() ? Json(nullptr) : Json(absl::WebSafeBase64Escape(last));
  return http::JsonResponse(200, body);
}

absl::StatusOr<CatalogFilter> FilterOf(ApiState& state, const ApiCall& call,
                                       const Page& page) {
  CatalogFilter filter;
  filter.limit = page.limit + 1;
  filter.before_id = page.after;
  filter.plan_id = call.caller.plan_id;
  if (const auto repo = call.Query("repo")) {
    SLUICE_ASSIGN_OR_RETURN(const BackupRepo row, FindRepo(state, call, *repo));
    filter.repo_id = row.id();
  }
  if (const auto plan = call.Query("plan")) {
    SLUICE_ASSIGN_OR_RETURN(const Plan row, FindPlan(state, call, *plan));
    filter.plan_id = row.id();
  }
  if (const auto store = call.Query("store")) {
    if (store->empty()) return InvalidArgument("store: is empty");
    filter.store_id = *store;
  }
  return filter;
}

http::Response QueuedResponse(const std::vector<QueuedRun>& runs) {
  Json jobs = Json::array();
  for (const QueuedRun& run : runs) jobs.push_back(QueuedRunJson(run));
  Json body = {{"job", jobs.at(0)}, {"jobs", jobs}};
  http::Response response = http::JsonResponse(202, body);
  response.headers.Set("Location",
                       absl::StrCat("/api/v1/jobs/", runs.at(0).job.id()));
  return response;
}

http::Response NoContent() {
  http::Response response;
  response.status = 204;
  return response;
}

absl::StatusOr<absl::Duration> SpanOf(const ApiBody& body,
                                      absl::string_view name) {
  if (!body.Has(name)) return absl::InfiniteDuration();
  const absl::StatusOr<absl::Duration> span = ParseSpan(body.Text(name));
  if (!span.ok()) {
    return WithHint(Annotate(span.status(), name), HintOf(span.status()));
  }
  return *span;
}

std::pair<Context, Context::CancelFunction> Patience(const ApiState& state,
                                                     const ApiCall& call) {
  return Context::WithTimeout(call.context, state.options.clock, kPatience);
}

}  // namespace sluice::service
