// Backups, their archives, and restores of them.

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/executor/backupable.h"
#include "sluice/service/admin/requests.h"
#include "sluice/service/archives.h"
#include "sluice/service/http/api/api_state.h"
#include "sluice/service/store_uri.h"
#include "sluice/service/work/open_repo.h"
#include "sluice/service/work/prune.h"
#include "sluice/service/work/restore_preview.h"

namespace sluice::service {
namespace {

using http::Response;

constexpr char kOwner[] = "api";

// --- asking for backups

// A source that a plan has is not new.
absl::Status CheckSourceAllowed(ApiState& state, const ApiCall& call,
                                const std::string& uri) {
  if (call.caller.is_local_admin) return absl::OkStatus();
  SLUICE_ASSIGN_OR_RETURN(const UriFacts facts, state.host->ReadSourceUri(uri));
  if (state.policy()->sources.Allow(facts.uri)) return absl::OkStatus();
  SLUICE_ASSIGN_OR_RETURN(const std::vector<Plan> plans,
                          state.catalog->plans().ListPlans(call.context));
  for (const Plan& plan : plans) {
    if (plan.spec().source() == facts.uri) return absl::OkStatus();
  }
  return Forbidden("source: is new, and none that may be named over HTTP",
                   "allowed_sources of the service's configuration, or root "
                   "on the unix socket");
}

absl::StatusOr<Response> PostBackup(ApiState& state, ApiCall& call) {
  const ApiBody& body = call.body;
  if (body.Has("plan") == body.Has("source")) {
    return InvalidArgument("either plan or source is to be given");
  }
  if (body.Has("plan")) {
    for (const char* other :
         {"base", "label", "store_id", "allow_empty", "read_back", "timeout"}) {
      if (body.Has(other)) {
        return InvalidArgument(
            absl::StrCat(other, ": a plan says that for itself"));
      }
    }
    SLUICE_ASSIGN_OR_RETURN(const Plan plan,
                            FindPlan(state, call, body.Text("plan")));
    call.target = plan.name();
    PlanAdmin admin(state.catalog, state.host, state.options.clock);
    SLUICE_ASSIGN_OR_RETURN(
        const std::vector<QueuedRun> runs,
        admin.RunNow(call.context, plan.id(), body.Text("repo"), call.asker()));
    state.Wake();
    return QueuedResponse(runs);
  }
  if (!call.caller.plan_id.empty()) {
    return Forbidden("a token that is limited to a plan runs that plan alone",
                     "name the plan");
  }
  if (!body.Has("repo")) return InvalidArgument("repo: is missing");
  call.target = body.Text("repo");
  SLUICE_RETURN_IF_ERROR(CheckSourceAllowed(state, call, body.Text("source")));
  BackupWish wish;
  wish.source = body.Text("source");
  wish.repo = body.Text("repo");
  wish.base = body.Text("base");
  wish.label = body.Text("label");
  wish.store_id = body.Text("store_id");
  wish.allow_empty = body.Flag("allow_empty");
  wish.read_back = body.Flag("read_back");
  SLUICE_ASSIGN_OR_RETURN(wish.timeout, SpanOf(body, "timeout"));
  SLUICE_ASSIGN_OR_RETURN(
      const QueuedRun run,
      AskForBackup(call.context, *state.catalog, *state.host,
                   *state.options.clock, wish, call.asker()));
  state.Wake();
  return QueuedResponse({run});
}

// --- records

absl::StatusOr<Response> ListBackups(ApiState& state, ApiCall& call) {
  SLUICE_ASSIGN_OR_RETURN(const Page page, PageOf(call));
  SLUICE_ASSIGN_OR_RETURN(CatalogFilter filter, FilterOf(state, call, page));
  const auto status = call.Query("status");
  if (status.has_value() && *status != "succeeded" && *status != "damaged") {
    return InvalidArgument("status: is neither succeeded nor damaged");
  }
  if (!page.after.empty()) {
    const auto last = FindRecord(state, call, page.after);
    if (!last.ok() || last->id() != page.after) {
      return WithHint(last.ok() ? InvalidArgument("cursor: is no backup's")
                                : Annotate(last.status(), "cursor"),
                      "begin again without a cursor");
    }
  }
  std::vector<BackupRecord> found;
  while (found.size() <= page.limit) {
    SLUICE_ASSIGN_OR_RETURN(std::vector<BackupRecord> records,
                            state.catalog->ListRecords(call.context, filter));
    std::reverse(records.begin(), records.end());
    for (const BackupRecord& record : records) {
      if (!status.has_value() || record.damaged() == (*status == "damaged")) {
        found.push_back(record);
      }
    }
    if (records.size() < filter.limit) break;
    filter.before_id = records.back().id();
  }
  const std::string last =
      CutPage(found, page.limit,
              [](const BackupRecord& record) { return record.id(); });
  return ListResponse(
      "backups", found,
      [](const BackupRecord& record, JsonText& text) {
        WriteFields(record, text);
      },
      last);
}

absl::StatusOr<Response> GetBackup(ApiState& state, ApiCall& call) {
  SLUICE_ASSIGN_OR_RETURN(const BackupRecord record,
                          FindRecord(state, call, call.Param("id")));
  return http::JsonResponse(200, ToJson(record));
}

absl::StatusOr<Response> PatchBackup(ApiState& state, ApiCall& call) {
  SLUICE_ASSIGN_OR_RETURN(const BackupRecord record,
                          FindRecord(state, call, call.Param("id")));
  absl::optional<Pin> pin;
  if (call.body.Flag("pinned")) {
    pin.emplace();
    pin->reason = call.body.Text("reason");
    if (call.body.Has("until")) {
      std::string wrong;
      if (!absl::ParseTime(absl::RFC3339_full, call.body.Text("until"),
                           &pin->until, &wrong)) {
        return InvalidArgument("until: is no time",
                               "RFC 3339, as 2027-01-31T00:00:00Z");
      }
    }
  } else if (call.body.Has("reason") || call.body.Has("until")) {
    return InvalidArgument("reason, until: are a pin's");
  }
  SLUICE_RETURN_IF_ERROR(state.catalog->SetPin(call.context, record.id(), pin));
  SLUICE_ASSIGN_OR_RETURN(const BackupRecord now,
                          state.catalog->GetRecord(call.context, record.id()));
  return http::JsonResponse(200, ToJson(now));
}

absl::StatusOr<Response> VerifyBackup(ApiState& state, ApiCall& call) {
  SLUICE_ASSIGN_OR_RETURN(const BackupRecord record,
                          FindRecord(state, call, call.Param("id")));
  SLUICE_ASSIGN_OR_RETURN(
      const QueuedRun run,
      AskForVerify(call.context, *state.catalog, *state.options.clock,
                   {record.id()}, call.asker()));
  state.Wake();
  return QueuedResponse({run});
}

// By the same floors as a name typed at the command, and without its overrides.
absl::StatusOr<Response> DeleteBackup(ApiState& state, ApiCall& call) {
  SLUICE_ASSIGN_OR_RETURN(const BackupRecord record,
                          FindRecord(state, call, call.Param("id")));
  const auto [context, cancel] = Patience(state, call);
  SLUICE_ASSIGN_OR_RETURN(const BackupRepo row,
                          state.catalog->GetRepo(context, record.repo_id()));
  SLUICE_ASSIGN_OR_RETURN(
      const OpenedRepo repo,
      OpenKnownRepo(context, *state.host, row, RepoUse::kWrite, kOwner));
  SLUICE_ASSIGN_OR_RETURN(const std::vector<BackupRecord> records,
                          RecordsOf(context, *state.catalog, repo));
  SLUICE_ASSIGN_OR_RETURN(const std::vector<ArchiveRow> archives,
                          LoadArchives(context, repo, records));
  SLUICE_ASSIGN_OR_RETURN(
      const std::vector<RetentionGroup> groups,
      GroupsOf(context, *state.catalog, repo, archives, /*job_id=*/""));
  for (const RetentionGroup& group : groups) {
    const auto own = std::find_if(
        group.archives.begin(), group.archives.end(), [&](const auto& archive) {
          return archive.id == record.id() && !archive.others;
        });
    if (own == group.archives.end()) continue;
    RetentionInput input;
    input.archives = group.archives;
    input.now = state.options.clock->Now();
    SLUICE_ASSIGN_OR_RETURN(const NamedRemoval decided,
                            DecideNamedRemoval(input, {record.id()}, {}));
    if (!decided.refused.empty()) return decided.refused.front().status;
    SLUICE_RETURN_IF_ERROR(
        RemoveArchive(context, *state.catalog, repo, record.id()));
    return NoContent();
  }
  // Its archive is gone already.
  SLUICE_RETURN_IF_ERROR(
      RemoveArchive(context, *state.catalog, repo, record.id()));
  return NoContent();
}

// --- restores

// The archive that a body names: an id, or the newest sound one of a plan or a
// store.
absl::StatusOr<BackupRecord> ChosenRecord(ApiState& state,
                                          const ApiCall& call) {
  const ApiBody& body = call.body;
  if (body.Has("backup_id")) {
    if (body.Has("plan") || body.Has("store_id") || body.Has("repo")) {
      return InvalidArgument("backup_id: already says which one");
    }
    return FindRecord(state, call, body.Text("backup_id"));
  }
  if (!body.Has("plan") && !body.Has("store_id")) {
    return InvalidArgument("backup_id, plan or store_id is to be given");
  }
  CatalogFilter filter;
  filter.plan_id = call.caller.plan_id;
  filter.store_id = body.Text("store_id");
  if (body.Has("plan")) {
    SLUICE_ASSIGN_OR_RETURN(const Plan plan,
                            FindPlan(state, call, body.Text("plan")));
    filter.plan_id = plan.id();
  }
  if (body.Has("repo")) {
    SLUICE_ASSIGN_OR_RETURN(const BackupRepo repo,
                            FindRepo(state, call, body.Text("repo")));
    filter.repo_id = repo.id();
  }
  SLUICE_ASSIGN_OR_RETURN(const std::vector<BackupRecord> records,
                          state.catalog->ListRecords(call.context, filter));
  const auto newest =
      std::find_if(records.rbegin(), records.rend(),
                   [](const auto& record) { return !record.damaged(); });
  if (newest != records.rend()) return *newest;
  return MakeError(absl::StatusCode::kNotFound, kRecordNotFound,
                   "there is no sound backup of that");
}

absl::Status CheckTargetAllowed(ApiState& state, const ApiCall& call,
                                const UriFacts& facts) {
  if (call.caller.is_local_admin) return absl::OkStatus();
  if (!HasReference(facts.uri) &&
      IsBeneathRoot(facts, state.policy()->restore_root)) {
    return absl::OkStatus();
  }
  if (call.caller.role >= Role::kAdmin &&
      state.policy()->restores.Allow(facts.uri)) {
    return absl::OkStatus();
  }
  return Forbidden("target: is not beneath the folder for restores",
                   "restore_root of the service's configuration says which; "
                   "allowed_restores are an admin's");
}

absl::StatusOr<Response> PostRestore(ApiState& state, ApiCall& call) {
  SLUICE_ASSIGN_OR_RETURN(const BackupRecord record, ChosenRecord(state, call));
  call.target = record.id();
  SLUICE_ASSIGN_OR_RETURN(const UriFacts facts,
                          state.host->ReadSourceUri(call.body.Text("target")));
  SLUICE_RETURN_IF_ERROR(CheckTargetAllowed(state, call, facts));
  RestoreWish wish;
  wish.backup_id = record.id();
  wish.target = facts.uri;
  wish.from_store = call.body.Text("from_store");
  SLUICE_ASSIGN_OR_RETURN(wish.timeout, SpanOf(call.body, "timeout"));
  SLUICE_ASSIGN_OR_RETURN(
      const QueuedRun run,
      AskForRestore(call.context, *state.catalog, *state.host,
                    *state.options.clock, wish, call.asker()));
  state.Wake();
  return QueuedResponse({run});
}

absl::StatusOr<Response> DryRunRestore(ApiState& state, ApiCall& call) {
  SLUICE_ASSIGN_OR_RETURN(const BackupRecord record, ChosenRecord(state, call));
  call.target = record.id();
  SLUICE_ASSIGN_OR_RETURN(const UriFacts facts,
                          state.host->ReadSourceUri(call.body.Text("target")));
  SLUICE_RETURN_IF_ERROR(CheckTargetAllowed(state, call, facts));
  const auto [context, cancel] = Patience(state, call);
  SLUICE_ASSIGN_OR_RETURN(const BackupRepo row,
                          state.catalog->GetRepo(context, record.repo_id()));
  const auto repo =
      OpenKnownRepo(context, *state.host, row, RepoUse::kRead, kOwner);
  RestoreProbe probe;
  probe.target = state.host->CreateSource(facts.uri);
  probe.facts = facts;
  probe.backup_id = record.id();
  probe.from_store = call.body.Text("from_store");
  CatalogFilter of_repo;
  of_repo.repo_id = record.repo_id();
  of_repo.store_id = record.store_id();
  SLUICE_ASSIGN_OR_RETURN(const std::vector<BackupRecord> records,
                          state.catalog->ListRecords(context, of_repo));
  for (const BackupRecord& other : records) {
    if (other.damaged()) probe.damaged.insert(other.id());
  }
  Json body = {{"record", ToJson(record)}};
  body.update(PreviewJson(PreviewRestore(context, repo, probe)));
  return http::JsonResponse(200, body);
}

std::vector<BodyField> RestoreFields() {
  return {{"backup_id", BodyKind::kText, "an id, or how only it begins"},
          {"plan", BodyKind::kText, "the newest sound backup of that plan"},
          {"store_id", BodyKind::kText, "the newest sound one of that store"},
          {"repo", BodyKind::kText, "of those: in that repo"},
          {"target", BodyKind::kText, "the URI of an empty store", true},
          {"from_store", BodyKind::kText,
           "the other store whose archive it may be"}};
}

}  // namespace

void AddBackupRoutes(std::vector<ApiRoute>& routes) {
  routes.push_back(
      {"POST",
       "/api/v1/backups",
       "createBackup",
       "Asks for a backup, by a plan or of a source",
       Role::kOperator,
       PostBackup,
       "Queued",
       202,
       {},
       {{"plan", BodyKind::kText, "name or id; runs as it says"},
        {"repo", BodyKind::kText, "name or id; of a plan: only there"},
        {"source", BodyKind::kText, "a store's URI, in place of a plan"},
        {"base", BodyKind::kText, "latest or an id: an increment on it"},
        {"label", BodyKind::kText, "for people"},
        {"store_id", BodyKind::kText, "of a store without one of its own"},
        {"allow_empty", BodyKind::kFlag, "an empty store is no failure"},
        {"read_back", BodyKind::kFlag, "read every byte back"},
        {"timeout", BodyKind::kText, "a span, as 90m"}},
       false,
       /*queues=*/true});
  routes.push_back({"GET",
                    "/api/v1/backups",
                    "listBackups",
                    "Backups, the newest first",
                    Role::kViewer,
                    ListBackups,
                    "Backups",
                    200,
                    {"repo", "plan", "store", "status", "limit", "cursor"}});
  routes.push_back({"GET", "/api/v1/backups/{id}", "getBackup", "A backup",
                    Role::kViewer, GetBackup, "Backup"});
  routes.push_back(
      {"PATCH",
       "/api/v1/backups/{id}",
       "changeBackup",
       "Pins a backup, which retention then leaves, or unpins it",
       Role::kOperator,
       PatchBackup,
       "Backup",
       200,
       {},
       {{"pinned", BodyKind::kFlag, "whether it is to stay", true},
        {"reason", BodyKind::kText, "why, for people"},
        {"until", BodyKind::kText, "RFC 3339; for ever where absent"}}});
  routes.push_back({"DELETE", "/api/v1/backups/{id}", "deleteBackup",
                    "Deletes an archive; 409 where a floor of retention, or "
                    "a job, holds it",
                    Role::kAdmin, DeleteBackup, "", 204});
  routes.push_back({"POST",
                    "/api/v1/backups/{id}/verify",
                    "verifyBackup",
                    "Asks that every byte of it and of what it builds on be "
                    "read again",
                    Role::kOperator,
                    VerifyBackup,
                    "Queued",
                    202,
                    {},
                    {},
                    false,
                    /*queues=*/true});
  std::vector<BodyField> fields = RestoreFields();
  routes.push_back({"POST",
                    "/api/v1/restores/dry-run",
                    "dryRunRestore",
                    "What a restore would meet; makes no job",
                    Role::kOperator,
                    DryRunRestore,
                    "DryRun",
                    200,
                    {},
                    fields,
                    false,
                    false,
                    false,
                    /*on_a_copy=*/true});
  fields.push_back({"timeout", BodyKind::kText, "a span, as 90m"});
  routes.push_back({"POST",
                    "/api/v1/restores",
                    "createRestore",
                    "Asks for a restore into an empty store",
                    Role::kOperator,
                    PostRestore,
                    "Queued",
                    202,
                    {},
                    fields,
                    false,
                    /*queues=*/true});
}

}  // namespace sluice::service
