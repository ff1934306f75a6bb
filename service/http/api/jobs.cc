// Jobs: lists, one, its end, its events; events of all.

#include <algorithm>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/service/http/api/api_state.h"

namespace sluice::service {
namespace {

using http::Response;

constexpr absl::string_view kEventTypes[] = {
    "job.queued",       "job.started",     "job.finished",    "plan.created",
    "plan.changed",     "plan.removed",    "backup.recorded", "backup.changed",
    "schedule.skipped", "schedule.missed", "schedule.failed", "hook.failed",
    "backup.removed",   "repo.added",      "repo.changed",    "repo.removed"};

Json JobJson(const CatalogJob& entry) {
  Json json = ToJson(entry.job);
  json["cancel_requested"] = entry.cancel_requested;
  json["live"] = entry.live;
  json["owner"] = entry.lease.has_value() ? entry.lease->owner : "";
  return json;
}

// The same.
void WriteJobFields(const CatalogJob& entry, JsonText& text) {
  WriteFields(entry.job, text);
  text.Field("cancel_requested", entry.cancel_requested);
  text.Field("live", entry.live);
  text.Field("owner", entry.lease.has_value() ? entry.lease->owner : "");
}

// The job, with what it is to do where a request is known.
Response JobResponse(ApiState& state, const ApiCall& call, int status,
                     const CatalogJob& entry) {
  Json json = JobJson(entry);
  const auto request =
      state.catalog->queue().GetRequest(call.context, entry.job.id());
  json["request"] = request.ok()
                        ? QueuedRunJson({entry.job, *request})["request"]
                        : Json(nullptr);
  return http::JsonResponse(status, json);
}

// One of an enum's words in a query.
template <typename Value, typename NameOf>
absl::StatusOr<Value> WordOf(absl::string_view parameter,
                             const std::string& word, int last,
                             NameOf name_of) {
  for (int number = 1; number <= last; ++number) {
    const auto value = static_cast<Value>(number);
    if (name_of(value) == word) return value;
  }
  return InvalidArgument(
      absl::StrCat(parameter, ": there is no \"", word.substr(0, 64), "\""));
}

absl::StatusOr<Response> ListJobs(ApiState& state, ApiCall& call) {
  SLUICE_ASSIGN_OR_RETURN(const Page page, PageOf(call));
  SLUICE_ASSIGN_OR_RETURN(CatalogFilter filter, FilterOf(state, call, page));
  if (const auto status = call.Query("status")) {
    SLUICE_ASSIGN_OR_RETURN(
        filter.status,
        WordOf<BackupJob::Status>("status", *status, BackupJob::Status_MAX,
                                  StatusName));
  }
  if (const auto kind = call.Query("kind")) {
    SLUICE_ASSIGN_OR_RETURN(
        filter.kind,
        WordOf<BackupJob::Kind>("kind", *kind, BackupJob::Kind_MAX, KindName));
  }
  if (!page.after.empty()) {
    // After a row that is gone a list would seem to end.
    const auto last = FindJob(state, call, page.after);
    if (!last.ok() || last->job.id() != page.after) {
      return WithHint(last.ok() ? InvalidArgument("cursor: is no job's")
                                : Annotate(last.status(), "cursor"),
                      "begin again without a cursor");
    }
  }
  SLUICE_ASSIGN_OR_RETURN(std::vector<CatalogJob> jobs,
                          state.catalog->ListJobs(call.context, filter));
  std::reverse(jobs.begin(), jobs.end());
  const std::string last = CutPage(
      jobs, page.limit, [](const CatalogJob& entry) { return entry.job.id(); });
  return ListResponse("jobs", jobs, WriteJobFields, last);
}

absl::StatusOr<Response> GetJob(ApiState& state, ApiCall& call) {
  SLUICE_ASSIGN_OR_RETURN(const CatalogJob job,
                          FindJob(state, call, call.Param("id")));
  return JobResponse(state, call, 200, job);
}

absl::StatusOr<Response> CancelJob(ApiState& state, ApiCall& call) {
  SLUICE_ASSIGN_OR_RETURN(const CatalogJob job,
                          FindJob(state, call, call.Param("id")));
  int status = 200;
  if (!IsTerminal(job.job)) {
    const absl::Status asked =
        state.catalog->RequestCancel(call.context, job.job.id());
    // It may have ended meanwhile.
    if (ErrorCodeOf(asked) != kJobFinished) {
      SLUICE_RETURN_IF_ERROR(asked);
      status = 202;
    }
  }
  SLUICE_ASSIGN_OR_RETURN(const CatalogJob now,
                          state.catalog->GetJob(call.context, job.job.id()));
  return JobResponse(state, call, status, now);
}

absl::StatusOr<Response> FollowJob(ApiState& state, ApiCall& call) {
  SLUICE_ASSIGN_OR_RETURN(const CatalogJob job,
                          FindJob(state, call, call.Param("id")));
  SLUICE_ASSIGN_OR_RETURN(auto stream,
                          state.hub.FollowJob(call.caller, job.job));
  return http::EventStreamResponse(std::move(stream));
}

absl::StatusOr<Response> FollowEvents(ApiState& state, ApiCall& call) {
  std::set<std::string> types;
  if (const auto wanted = call.Query("types")) {
    for (const absl::string_view type : absl::StrSplit(*wanted, ',')) {
      if (std::find(std::begin(kEventTypes), std::end(kEventTypes), type) ==
          std::end(kEventTypes)) {
        return InvalidArgument(
            absl::StrCat("types: there is no \"", type.substr(0, 64), "\""));
      }
      types.emplace(type);
    }
  }
  absl::optional<int64_t> last_seen;
  if (const auto header = call.request.headers.Find("Last-Event-ID")) {
    int64_t id = 0;
    if (!absl::SimpleAtoi(*header, &id) || id < 0) {
      return InvalidArgument("Last-Event-ID: is not the id of an event");
    }
    last_seen = id;
  }
  SLUICE_ASSIGN_OR_RETURN(
      auto stream, state.hub.Follow(call.caller, last_seen, std::move(types)));
  return http::EventStreamResponse(std::move(stream));
}

}  // namespace

void AddJobRoutes(std::vector<ApiRoute>& routes) {
  routes.push_back(
      {"GET",
       "/api/v1/jobs",
       "listJobs",
       "Jobs, the newest first",
       Role::kViewer,
       ListJobs,
       "Jobs",
       200,
       {"repo", "plan", "store", "status", "kind", "limit", "cursor"}});
  routes.push_back({"GET", "/api/v1/jobs/{id}", "getJob",
                    "A job, with what was asked for", Role::kViewer, GetJob,
                    "Job"});
  routes.push_back({"POST", "/api/v1/jobs/{id}/cancel", "cancelJob",
                    "Ends a job: 202 where it was not over, 200 and the job "
                    "as it is where it was",
                    Role::kOperator, CancelJob, "Job", 202});
  routes.push_back({"GET", "/api/v1/jobs/{id}/events", "followJob",
                    "A stream of the job's status, stage and bytes until it "
                    "is over",
                    Role::kViewer, FollowJob, "EventStream"});
  routes.push_back({"GET",
                    "/api/v1/events",
                    "followEvents",
                    "A stream of what happens; Last-Event-ID gets what was "
                    "missed, or the event \"resync\"",
                    Role::kViewer,
                    FollowEvents,
                    "EventStream",
                    200,
                    {"types"}});
}

}  // namespace sluice::service
