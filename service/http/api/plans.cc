// Plans: what is backed up, when, and what stays.

#include <algorithm>
#include <map>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/catalog/catalog_error.h"
#include "sluice/service/http/api/api_state.h"
#include "sluice/service/plan/plan_fields.h"
#include "sluice/service/work/open_repo.h"
#include "sluice/service/work/prune.h"

namespace sluice::service {
namespace {

using http::Response;

constexpr int kMostTimes = 100;
constexpr int kUsualTimes = 5;

PlanAdmin AdminOf(ApiState& state) {
  return PlanAdmin(state.catalog, state.host, state.options.clock);
}

// --- plans as JSON

// What answers say beside a plan's own fields, read once for all of a list.
struct Surroundings {
  std::map<std::string, std::string> repo_names;
  std::map<std::string, Json> targets;  // by the plan's id
};

absl::StatusOr<Json> LastJobOf(ApiState& state, const ApiCall& call,
                               const Plan& plan) {
  CatalogFilter filter;
  filter.plan_id = plan.id();
  filter.kind = BackupJob::BACKUP;
  filter.limit = 1;
  SLUICE_ASSIGN_OR_RETURN(const std::vector<CatalogJob> jobs,
                          state.catalog->ListJobs(call.context, filter));
  return jobs.empty() ? Json(nullptr) : ToJson(jobs.back().job);
}

absl::StatusOr<Surroundings> Look(ApiState& state, const ApiCall& call,
                                  const std::string& plan_id) {
  Surroundings around;
  SLUICE_ASSIGN_OR_RETURN(const std::vector<BackupRepo> repos,
                          state.catalog->ListRepos(call.context));
  for (const BackupRepo& repo : repos) {
    around.repo_names[repo.id()] = repo.name();
  }
  SLUICE_ASSIGN_OR_RETURN(
      const std::vector<PlanTarget> targets,
      state.catalog->plans().ListTargets(call.context, plan_id));
  for (const PlanTarget& target : targets) {
    Json& list = around.targets[target.plan_id];
    if (list.is_null()) list = Json::array();
    list.push_back(TargetJson(target));
  }
  return around;
}

Json ShownPlan(const Plan& plan, const Surroundings& around) {
  Json json = PlanJson(plan);
  Json names = Json::array();
  for (const std::string& id : plan.spec().repos()) {
    const auto name = around.repo_names.find(id);
    names.push_back(name == around.repo_names.end() ? id : name->second);
  }
  json["repo_names"] = names;
  const auto targets = around.targets.find(plan.id());
  json["targets"] =
      targets == around.targets.end() ? Json::array() : targets->second;
  return json;
}

absl::StatusOr<Response> PlanResponse(ApiState& state, const ApiCall& call,
                                      int status, const Plan& plan) {
  SLUICE_ASSIGN_OR_RETURN(const Surroundings around,
                          Look(state, call, plan.id()));
  Json json = ShownPlan(plan, around);
  SLUICE_ASSIGN_OR_RETURN(json["last_job"], LastJobOf(state, call, plan));
  Response response = http::JsonResponse(status, json);
  response.headers.Set("ETag", absl::StrCat("\"", plan.revision(), "\""));
  return response;
}

// --- what is said of a plan

// The names of services of old, each beside the field that it stands for.
constexpr absl::string_view kOldNames[] = {"schedule", "keep_count",
                                           "keep_age_days"};

absl::StatusOr<PlanWords> WordsOf(const ApiBody& body) {
  PlanWords words;
  words.source = body.Text("source");
  words.repos = body.Texts("repos");
  if (body.Has("repos") && words.repos.empty()) {
    return InvalidArgument("repos: is empty");
  }
  const auto take = [&](absl::string_view name) {
    const nlohmann::json* value = body.Find(name);
    if (value == nullptr) return;
    std::string text;
    if (value->is_string()) text = value->get<std::string>();
    if (value->is_boolean()) text = value->get<bool>() ? "true" : "false";
    if (value->is_number_integer()) text = absl::StrCat(value->get<int64_t>());
    words.fields.emplace_back(name, text);
  };
  for (const PlanField& field : PlanFields()) take(field.name);
  for (const absl::string_view name : kOldNames) take(name);
  if (const nlohmann::json* labels = body.Find("labels")) {
    words.labels = labels->get<std::map<std::string, std::string>>();
  }
  return words;
}

absl::Status CheckPlanSource(ApiState& state, const ApiCall& call,
                             const std::string& uri,
                             const std::string& before) {
  if (call.caller.is_local_admin || uri.empty()) return absl::OkStatus();
  SLUICE_ASSIGN_OR_RETURN(const UriFacts facts, state.host->ReadSourceUri(uri));
  if (facts.uri == before || state.policy()->sources.Allow(facts.uri)) {
    return absl::OkStatus();
  }
  return Forbidden("source: is none that may be named over HTTP",
                   "allowed_sources of the service's configuration, or root "
                   "on the unix socket");
}

// What would run a program, or read what the service may read, for whoever asks.
// What the plan says already may be said again.
absl::Status CheckPlanFields(const ApiCall& call, const PlanWords& words,
                             const PlanSpec& before) {
  static constexpr absl::string_view kGuarded[] = {
      "before", "after", "after_failure", "heartbeat"};
  if (call.caller.is_local_admin) return absl::OkStatus();
  for (const auto& [name, value] : words.fields) {
    if (value.empty() || std::find(std::begin(kGuarded), std::end(kGuarded),
                                   name) == std::end(kGuarded)) {
      continue;
    }
    if (value == GetPlanField(*FindPlanField(name), before)) continue;
    return Forbidden(absl::StrCat(name, ": cannot be said over HTTP"),
                     "the command, or root on the unix socket");
  }
  return absl::OkStatus();
}

// Of If-Match; 0 where there is none.
absl::StatusOr<uint64_t> ExpectedRevision(const ApiCall& call) {
  const auto header = call.request.headers.Find("If-Match");
  if (!header.has_value() || *header == "*") return 0;
  absl::string_view text = *header;
  uint64_t revision = 0;
  if (absl::ConsumePrefix(&text, "\"") && absl::ConsumeSuffix(&text, "\"") &&
      absl::SimpleAtoi(text, &revision) && revision > 0) {
    return revision;
  }
  return InvalidArgument("If-Match: is no revision of a plan",
                         "pass on the ETag of an answer, as \"3\"");
}

// --- handlers

absl::StatusOr<Response> ListPlans(ApiState& state, ApiCall& call) {
  SLUICE_ASSIGN_OR_RETURN(const Page page, PageOf(call));
  SLUICE_ASSIGN_OR_RETURN(std::vector<Plan> plans,
                          state.catalog->plans().ListPlans(call.context));
  std::string repo_id;
  if (const auto repo = call.Query("repo")) {
    SLUICE_ASSIGN_OR_RETURN(const BackupRepo row, FindRepo(state, call, *repo));
    repo_id = row.id();
  }
  plans.erase(std::remove_if(plans.begin(), plans.end(),
                             [&](const Plan& plan) {
                               const auto& repos = plan.spec().repos();
                               return plan.name() <= page.after ||
                                      !call.caller.MaySee(plan.id()) ||
                                      (!repo_id.empty() &&
                                       std::find(repos.begin(), repos.end(),
                                                 repo_id) == repos.end());
                             }),
              plans.end());
  const std::string last =
      CutPage(plans, page.limit, [](const Plan& plan) { return plan.name(); });
  SLUICE_ASSIGN_OR_RETURN(const Surroundings around, Look(state, call, ""));
  Json items = Json::array();
  for (const Plan& plan : plans) {
    Json json = ShownPlan(plan, around);
    SLUICE_ASSIGN_OR_RETURN(json["last_job"], LastJobOf(state, call, plan));
    items.push_back(std::move(json));
  }
  return ListResponse("plans", std::move(items), last);
}

absl::StatusOr<Response> GetPlan(ApiState& state, ApiCall& call) {
  SLUICE_ASSIGN_OR_RETURN(const Plan plan,
                          FindPlan(state, call, call.Param("name")));
  return PlanResponse(state, call, 200, plan);
}

absl::StatusOr<Response> PostPlan(ApiState& state, ApiCall& call) {
  call.target = call.body.Text("name");
  SLUICE_ASSIGN_OR_RETURN(const PlanWords words, WordsOf(call.body));
  SLUICE_RETURN_IF_ERROR(CheckPlanSource(state, call, words.source, ""));
  SLUICE_RETURN_IF_ERROR(CheckPlanFields(call, words, PlanSpec()));
  PlanChecks checks;
  checks.open_source = call.body.Flag("check", true);
  SLUICE_ASSIGN_OR_RETURN(
      const Plan plan,
      AdminOf(state).Add(call.context, call.body.Text("name"), words, checks));
  state.Wake();
  SLUICE_ASSIGN_OR_RETURN(Response response,
                          PlanResponse(state, call, 201, plan));
  response.headers.Set("Location", absl::StrCat("/api/v1/plans/", plan.name()));
  return response;
}

absl::StatusOr<Response> PatchPlan(ApiState& state, ApiCall& call) {
  SLUICE_ASSIGN_OR_RETURN(const Plan before,
                          FindPlan(state, call, call.Param("name")));
  SLUICE_ASSIGN_OR_RETURN(const PlanWords words, WordsOf(call.body));
  if (!words.repos.empty() && !call.caller.plan_id.empty()) {
    return Forbidden("repos: a token that is limited to a plan changes none",
                     "it needs a token for all plans");
  }
  SLUICE_RETURN_IF_ERROR(
      CheckPlanSource(state, call, words.source, before.spec().source()));
  SLUICE_RETURN_IF_ERROR(CheckPlanFields(call, words, before.spec()));
  PlanChecks checks;
  checks.open_source = call.body.Flag("check", true);
  SLUICE_ASSIGN_OR_RETURN(checks.expected_revision, ExpectedRevision(call));
  SLUICE_ASSIGN_OR_RETURN(const Plan plan,
                          AdminOf(state).Edit(call.context, before.id(), words,
                                              checks, call.body.Text("name")));
  state.Wake();
  return PlanResponse(state, call, 200, plan);
}

absl::StatusOr<Response> DeletePlan(ApiState& state, ApiCall& call) {
  SLUICE_ASSIGN_OR_RETURN(const Plan plan,
                          FindPlan(state, call, call.Param("name")));
  SLUICE_RETURN_IF_ERROR(
      state.catalog->plans().RemovePlan(call.context, plan.id()));
  return NoContent();
}

absl::StatusOr<Response> RunPlan(ApiState& state, ApiCall& call) {
  SLUICE_ASSIGN_OR_RETURN(const Plan plan,
                          FindPlan(state, call, call.Param("name")));
  SLUICE_ASSIGN_OR_RETURN(
      const std::vector<QueuedRun> runs,
      AdminOf(state).RunNow(call.context, plan.id(), call.body.Text("repo"),
                            call.asker()));
  state.Wake();
  return QueuedResponse(runs);
}

absl::StatusOr<Response> SetPaused(ApiState& state, ApiCall& call,
                                   bool paused) {
  SLUICE_ASSIGN_OR_RETURN(const Plan before,
                          FindPlan(state, call, call.Param("name")));
  SLUICE_ASSIGN_OR_RETURN(
      const Plan plan,
      AdminOf(state).SetPaused(call.context, before.id(), paused));
  state.Wake();
  return PlanResponse(state, call, 200, plan);
}

absl::StatusOr<Response> PausePlan(ApiState& state, ApiCall& call) {
  return SetPaused(state, call, true);
}

absl::StatusOr<Response> ResumePlan(ApiState& state, ApiCall& call) {
  return SetPaused(state, call, false);
}

absl::StatusOr<Response> NextTimesOfPlan(ApiState& state, ApiCall& call) {
  SLUICE_ASSIGN_OR_RETURN(const Plan plan,
                          FindPlan(state, call, call.Param("name")));
  int count = kUsualTimes;
  if (const auto wanted = call.Query("count")) {
    if (!absl::SimpleAtoi(*wanted, &count) || count < 1 || count > kMostTimes) {
      return InvalidArgument(
          absl::StrCat("count: is not a number from 1 to ", kMostTimes));
    }
  }
  SLUICE_ASSIGN_OR_RETURN(
      const std::vector<PlannedTime> times,
      AdminOf(state).NextTimes(call.context, plan.id(), count));
  Json items = Json::array();
  for (const PlannedTime& time : times) items.push_back(PlannedTimeJson(time));
  return http::JsonResponse(200, {{"plan", plan.name()}, {"times", items}});
}

absl::StatusOr<Response> PreviewRetention(ApiState& state, ApiCall& call) {
  SLUICE_ASSIGN_OR_RETURN(const Plan plan,
                          FindPlan(state, call, call.Param("name")));
  const auto [context, cancel] = Patience(state, call);
  Json repos = Json::array();
  for (const std::string& id : plan.spec().repos()) {
    SLUICE_ASSIGN_OR_RETURN(const BackupRepo row,
                            state.catalog->GetRepo(context, id));
    SLUICE_ASSIGN_OR_RETURN(
        const OpenedRepo repo,
        OpenKnownRepo(context, *state.host, row, RepoUse::kRead, "api"));
    PruneOptions options;
    options.plan_id = plan.id();
    options.dry_run = true;
    options.clock = state.options.clock;
    SLUICE_ASSIGN_OR_RETURN(const PruneReport report,
                            PruneRepo(context, *state.catalog, repo, options));
    Json groups = Json::array();
    for (const PrunedGroup& group : report.groups) {
      Json json = DecisionJson(group.decision);
      json["store_id"] = group.store_id;
      groups.push_back(std::move(json));
    }
    repos.push_back({{"repo", row.name()}, {"stores", groups}});
  }
  return http::JsonResponse(200, {{"plan", plan.name()}, {"repos", repos}});
}

// A cursor is a due time and a repo: those of one due time stand by repo.
absl::StatusOr<Response> ListFiringsOfPlan(ApiState& state, ApiCall& call) {
  SLUICE_ASSIGN_OR_RETURN(const Plan plan,
                          FindPlan(state, call, call.Param("name")));
  SLUICE_ASSIGN_OR_RETURN(const Page page, PageOf(call));
  FiringFilter filter;
  filter.plan_id = plan.id();
  filter.limit = page.limit + 1;
  int64_t after_ms = 0;
  std::string after_repo;
  if (!page.after.empty()) {
    const std::vector<std::string> parts = absl::StrSplit(page.after, ' ');
    if (parts.size() != 2 || !absl::SimpleAtoi(parts[0], &after_ms)) {
      return InvalidArgument("cursor: is none that an answer gave");
    }
    after_repo = parts[1];
    filter.until = absl::FromUnixMillis(after_ms + 1);
    // Those of the same due time came before, in part.
    filter.limit += static_cast<size_t>(plan.spec().repos_size()) + 100;
  }
  SLUICE_ASSIGN_OR_RETURN(
      std::vector<Firing> firings,
      state.catalog->plans().ListFirings(call.context, filter));
  std::reverse(firings.begin(), firings.end());
  firings.erase(std::remove_if(firings.begin(), firings.end(),
                               [&](const Firing& firing) {
                                 return !page.after.empty() &&
                                        absl::ToUnixMillis(firing.due_at) ==
                                            after_ms &&
                                        firing.repo_id <= after_repo;
                               }),
                firings.end());
  const std::string last =
      CutPage(firings, page.limit, [](const Firing& firing) {
        return absl::StrCat(absl::ToUnixMillis(firing.due_at), " ",
                            firing.repo_id);
      });
  Json items = Json::array();
  for (const Firing& firing : firings) items.push_back(FiringJson(firing));
  return ListResponse("firings", std::move(items), last);
}

// --- the table

BodyField FieldOfPlan(const PlanField& field) {
  BodyField made;
  made.name = std::string(field.name);
  made.kind = field.kind == PlanFieldKind::kCount  ? BodyKind::kCount
              : field.kind == PlanFieldKind::kFlag ? BodyKind::kFlag
                                                   : BodyKind::kText;
  made.help = std::string(field.help);
  made.nullable = true;
  return made;
}

std::vector<BodyField> FieldsOfPlans(bool is_new) {
  std::vector<BodyField> fields = {
      {"name", BodyKind::kText, "1 to 63 of a-z 0-9 . _ -", is_new},
      {"source", BodyKind::kText, "the store's URI, secrets by reference",
       is_new},
      {"repos", BodyKind::kTexts, "names or ids", is_new}};
  for (const PlanField& field : PlanFields()) {
    fields.push_back(FieldOfPlan(field));
  }
  fields.push_back(
      {"schedule", BodyKind::kText, "as cron, or @every", false, true});
  fields.push_back(
      {"keep_count", BodyKind::kCount, "as keep_last", false, true});
  fields.push_back({"keep_age_days", BodyKind::kCount,
                    "as keep_within, in days", false, true});
  fields.push_back({"labels", BodyKind::kTextMap, "all of them, by name"});
  fields.push_back(
      {"check", BodyKind::kFlag, "false: do not try to open the source"});
  return fields;
}

}  // namespace

void AddPlanRoutes(std::vector<ApiRoute>& routes) {
  routes.push_back({"GET",
                    "/api/v1/plans",
                    "listPlans",
                    "Plans, by name",
                    Role::kViewer,
                    ListPlans,
                    "Plans",
                    200,
                    {"repo", "limit", "cursor"}});
  routes.push_back({"POST",
                    "/api/v1/plans",
                    "createPlan",
                    "Makes a plan",
                    Role::kAdmin,
                    PostPlan,
                    "Plan",
                    201,
                    {},
                    FieldsOfPlans(true),
                    /*whole_catalog=*/true});
  routes.push_back({"GET", "/api/v1/plans/{name}", "getPlan",
                    "A plan, with its next due times", Role::kViewer, GetPlan,
                    "Plan"});
  routes.push_back({"PATCH",
                    "/api/v1/plans/{name}",
                    "changePlan",
                    "Changes what is given; null takes a field back. If-Match "
                    "holds the revision that is changed",
                    Role::kAdmin,
                    PatchPlan,
                    "Plan",
                    200,
                    {},
                    FieldsOfPlans(false)});
  routes.push_back({"DELETE", "/api/v1/plans/{name}", "deletePlan",
                    "Forgets a plan; its archives stay", Role::kAdmin,
                    DeletePlan, "", 204});
  routes.push_back({"POST",
                    "/api/v1/plans/{name}/run",
                    "runPlan",
                    "Asks for a run now",
                    Role::kOperator,
                    RunPlan,
                    "Queued",
                    202,
                    {},
                    {{"repo", BodyKind::kText, "only there"}},
                    false,
                    /*queues=*/true,
                    /*may_lack_body=*/true});
  routes.push_back({"POST", "/api/v1/plans/{name}/pause", "pausePlan",
                    "A paused plan is never due", Role::kOperator, PausePlan,
                    "Plan"});
  routes.push_back({"POST", "/api/v1/plans/{name}/resume", "resumePlan",
                    "It is due at its next time, not at once", Role::kOperator,
                    ResumePlan, "Plan"});
  routes.push_back({"GET",
                    "/api/v1/plans/{name}/next",
                    "nextTimesOfPlan",
                    "The next due times, and what clock changes do to them",
                    Role::kViewer,
                    NextTimesOfPlan,
                    "PlannedTimes",
                    200,
                    {"count"}});
  routes.push_back({"GET", "/api/v1/plans/{name}/preview-retention",
                    "previewRetention",
                    "Which archives would go now, and why; removes nothing",
                    Role::kViewer, PreviewRetention, "RetentionPreview"});
  routes.push_back({"GET",
                    "/api/v1/plans/{name}/firings",
                    "listFirings",
                    "What became of each due time, the newest first",
                    Role::kViewer,
                    ListFiringsOfPlan,
                    "Firings",
                    200,
                    {"limit", "cursor"}});
}

}  // namespace sluice::service
