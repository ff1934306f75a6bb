// Repos: places for archives.

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/destinations/archive/protocol/repo.h"
#include "sluice/executor/ulid.h"
#include "sluice/service/admin/repo_admin.h"
#include "sluice/service/admin/requests.h"
#include "sluice/service/archives.h"
#include "sluice/service/http/api/api_state.h"
#include "sluice/service/work/open_repo.h"

namespace sluice::service {
namespace {

using http::Response;

Response RepoResponse(int status, const BackupRepo& repo) {
  return http::JsonResponse(status, ToJson(repo));
}

absl::StatusOr<Response> ListRepos(ApiState& state, ApiCall& call) {
  SLUICE_ASSIGN_OR_RETURN(const Page page, PageOf(call));
  SLUICE_ASSIGN_OR_RETURN(std::vector<BackupRepo> repos,
                          state.catalog->ListRepos(call.context));
  std::vector<std::string> visible;
  if (!call.caller.plan_id.empty()) {
    SLUICE_ASSIGN_OR_RETURN(
        const Plan plan,
        state.catalog->plans().GetPlan(call.context, call.caller.plan_id));
    visible.assign(plan.spec().repos().begin(), plan.spec().repos().end());
  }
  const auto is_hidden = [&](const BackupRepo& repo) {
    return repo.name() <= page.after ||
           (!call.caller.plan_id.empty() &&
            std::find(visible.begin(), visible.end(), repo.id()) ==
                visible.end());
  };
  repos.erase(std::remove_if(repos.begin(), repos.end(), is_hidden),
              repos.end());
  const std::string last = CutPage(
      repos, page.limit, [](const BackupRepo& repo) { return repo.name(); });
  Json items = Json::array();
  for (const BackupRepo& repo : repos) items.push_back(ToJson(repo));
  return ListResponse("repos", std::move(items), last);
}

absl::StatusOr<Response> GetRepo(ApiState& state, ApiCall& call) {
  SLUICE_ASSIGN_OR_RETURN(const BackupRepo repo,
                          FindRepo(state, call, call.Param("name")));
  return RepoResponse(200, repo);
}

// An archive as repo and catalog know it, with why it cannot be read.
Json ArchiveJson(const ArchiveRow& row) {
  return {{"id", row.id},
          {"damaged", row.damaged()},
          {"manifest", row.manifest.ok() ? ToJson(*row.manifest) : Json()},
          {"record", ToJson(row.record)},
          {"recorded_as", row.recorded_as},
          {"error", row.manifest.ok()
                        ? Json()
                        : ErrorJson(row.manifest.status(), {})["error"]}};
}

// A plan's token sees what that plan made.
bool MaySeeArchive(const Caller& caller, const ArchiveRow& row) {
  if (caller.plan_id.empty()) return true;
  return row.manifest.ok()        ? caller.MaySee(row.manifest->plan_id())
         : row.record.has_value() ? caller.MaySee(row.record->plan_id())
                                  : false;
}

absl::StatusOr<Response> ListArchives(ApiState& state, ApiCall& call) {
  SLUICE_ASSIGN_OR_RETURN(const Page page, PageOf(call));
  SLUICE_ASSIGN_OR_RETURN(const BackupRepo row,
                          FindRepo(state, call, call.Param("name")));
  const auto [context, cancel] = Patience(state, call);
  SLUICE_ASSIGN_OR_RETURN(
      const OpenedRepo repo,
      OpenKnownRepo(context, *state.host, row, RepoUse::kRead, "api"));
  SLUICE_ASSIGN_OR_RETURN(const std::vector<BackupRecord> records,
                          RecordsOf(context, *state.catalog, repo));
  SLUICE_ASSIGN_OR_RETURN(std::vector<ArchiveRow> archives,
                          LoadArchives(context, repo, records));
  archives.erase(std::remove_if(archives.begin(), archives.end(),
                                [&](const ArchiveRow& archive) {
                                  return archive.id <= page.after ||
                                         !MaySeeArchive(call.caller, archive);
                                }),
                 archives.end());
  const std::string last =
      CutPage(archives, page.limit,
              [](const ArchiveRow& archive) { return archive.id; });
  Json items = Json::array();
  for (const ArchiveRow& archive : archives) {
    items.push_back(ArchiveJson(archive));
  }
  return ListResponse("archives", std::move(items), last);
}

absl::Status CheckRepoAllowed(const ApiState& state, const ApiCall& call,
                              const UriFacts& facts) {
  if (call.caller.is_local_admin || state.policy()->repos.Allow(facts.uri)) {
    return absl::OkStatus();
  }
  return Forbidden("uri: is none that may be named over HTTP",
                   "allowed_repos of the service's configuration, or root on "
                   "the unix socket");
}

// What leads elsewhere, or runs a command, is as new as a new place.
absl::Status CheckWordsAllowed(const ApiState& state, const ApiCall& call,
                               const BackupRepo& repo, const RepoWords& words) {
  if (call.caller.is_local_admin ||
      (words.options.empty() && !words.key_refs)) {
    return absl::OkStatus();
  }
  if (words.key_refs.has_value() && !words.key_refs->empty()) {
    return Forbidden("key_refs: are none that may be named over HTTP",
                     "root on the unix socket, or `sluice repo edit`");
  }
  SLUICE_ASSIGN_OR_RETURN(
      const std::string config,
      ConfigWithOptions(*state.host, repo.config(), words.options));
  UriFacts facts;
  facts.uri = config;
  return CheckRepoAllowed(state, call, facts);
}

// That neither the name nor the place is a known repo's: where a place is known
// and holds none now, a disk is away.
absl::Status CheckIsNew(ApiState& state, const Context& context,
                        const std::string& name, const UriFacts& facts) {
  SLUICE_ASSIGN_OR_RETURN(const std::vector<BackupRepo> repos,
                          state.catalog->ListRepos(context));
  for (const BackupRepo& repo : repos) {
    const auto place = state.host->ReadPlaceUri(repo.config());
    const bool same_place =
        (place.ok() ? place->uri : repo.config()) == facts.uri;
    if (repo.name() != name && !same_place) continue;
    return MakeError(
        absl::StatusCode::kAlreadyExists, kNameTaken,
        absl::StrCat(same_place ? "that place is repo " : "there is a repo ",
                     repo.name(), " already"));
  }
  return absl::OkStatus();
}

absl::StatusOr<Response> PostRepo(ApiState& state, ApiCall& call) {
  const std::string name = call.body.Text("name");
  call.target = name;
  SLUICE_RETURN_IF_ERROR(CheckRepoName(name));
  SLUICE_ASSIGN_OR_RETURN(const UriFacts facts,
                          state.host->ReadPlaceUri(call.body.Text("uri")));
  SLUICE_RETURN_IF_ERROR(CheckRepoAllowed(state, call, facts));
  const auto [context, cancel] = Patience(state, call);
  SLUICE_RETURN_IF_ERROR(CheckIsNew(state, context, name, facts));
  SLUICE_ASSIGN_OR_RETURN(const std::shared_ptr<ObjectStore> place,
                          state.host->OpenPlace(facts.uri));
  const absl::Time now = state.options.clock->Now();
  RepoInfo wanted;
  wanted.id = NewUlid(*state.options.clock);
  wanted.created_at = TimeText(now);
  SLUICE_ASSIGN_OR_RETURN(const RepoInfo info,
                          InitRepo(context, *place, wanted));
  BackupRepo repo;
  repo.set_id(info.id);
  repo.set_name(name);
  repo.set_kind(facts.uri.substr(0, facts.uri.find(':')));
  repo.set_config(facts.uri);
  repo.set_created_at_ms(absl::ToUnixMillis(now));
  repo.set_updated_at_ms(absl::ToUnixMillis(now));
  SLUICE_ASSIGN_OR_RETURN(
      const OpenedRepo opened,
      OpenKnownRepo(context, *state.host, repo, RepoUse::kWrite, "api"));
  SLUICE_RETURN_IF_ERROR(opened.destination->Validate(context));
  SLUICE_RETURN_IF_ERROR(state.catalog->AddRepo(context, repo));
  Response response = RepoResponse(201, repo);
  response.headers.Set("Location", absl::StrCat("/api/v1/repos/", name));
  return response;
}

absl::StatusOr<Response> PatchRepo(ApiState& state, ApiCall& call) {
  SLUICE_ASSIGN_OR_RETURN(const BackupRepo repo,
                          FindRepo(state, call, call.Param("name")));
  RepoWords words;
  if (call.body.Has("name")) {
    words.name = call.body.Text("name");
    SLUICE_RETURN_IF_ERROR(CheckRepoName(words.name));
  }
  if (call.body.Has("key_refs")) words.key_refs = call.body.Texts("key_refs");
  if (call.body.Has("options")) {
    for (const auto& [option, value] : call.body.Find("options")->items()) {
      words.options[option] = value.get<std::string>();
    }
  }
  SLUICE_RETURN_IF_ERROR(CheckWordsAllowed(state, call, repo, words));
  const auto [context, cancel] = Patience(state, call);
  SLUICE_ASSIGN_OR_RETURN(const EditedRepo edited,
                          EditRepo(context, *state.catalog, *state.host,
                                   *state.options.clock, repo, words));
  return RepoResponse(200, edited.repo);
}

absl::StatusOr<bool> WantsPurge(const ApiCall& call) {
  const auto value = call.Query("purge_archives");
  if (!value.has_value() || *value == "false") return false;
  if (*value == "true") return true;
  return InvalidArgument("purge_archives: is neither true nor false");
}

absl::StatusOr<Response> DeleteRepo(ApiState& state, ApiCall& call) {
  SLUICE_ASSIGN_OR_RETURN(const BackupRepo repo,
                          FindRepo(state, call, call.Param("name")));
  SLUICE_ASSIGN_OR_RETURN(const bool purge, WantsPurge(call));
  if (!purge) {
    SLUICE_RETURN_IF_ERROR(ForgetRepo(call.context, *state.catalog, repo,
                                      /*records_hold=*/true));
    return NoContent();
  }
  SLUICE_ASSIGN_OR_RETURN(
      const QueuedRun run,
      AskForPurge(call.context, *state.catalog, *state.options.clock, repo,
                  call.asker()));
  state.Wake();
  return QueuedResponse({run});
}

}  // namespace

void AddRepoRoutes(std::vector<ApiRoute>& routes) {
  routes.push_back({"GET",
                    "/api/v1/repos",
                    "listRepos",
                    "Repos, by name",
                    Role::kViewer,
                    ListRepos,
                    "Repos",
                    200,
                    {"limit", "cursor"}});
  routes.push_back(
      {"POST",
       "/api/v1/repos",
       "createRepo",
       "Makes a place a repo, or takes one that is, and tries it",
       Role::kAdmin,
       PostRepo,
       "Repo",
       201,
       {},
       {{"name", BodyKind::kText, "1 to 63 of a-z 0-9 . _ -", true},
        {"uri", BodyKind::kText, "the place, secrets by reference", true}},
       /*whole_catalog=*/true});
  routes.push_back({"GET", "/api/v1/repos/{name}", "getRepo", "A repo",
                    Role::kViewer, GetRepo, "Repo"});
  routes.push_back({"GET",
                    "/api/v1/repos/{name}/archives",
                    "listArchives",
                    "What is in a repo, the oldest first, also what the "
                    "catalog does not know; reads the repo",
                    Role::kViewer,
                    ListArchives,
                    "Archives",
                    200,
                    {"limit", "cursor"}});
  routes.push_back({"PATCH",
                    "/api/v1/repos/{name}",
                    "changeRepo",
                    "Changes what is named of a repo; place and kind stay",
                    Role::kAdmin,
                    PatchRepo,
                    "Repo",
                    200,
                    {},
                    {{"name", BodyKind::kText, "its new name"},
                     {"options", BodyKind::kTextMap,
                      "of its place's URI, for what is written from now on; "
                      "\"\" takes one back"},
                     {"key_refs", BodyKind::kTexts,
                      "where its keys are found, all of them anew"}},
                    /*whole_catalog=*/true});
  routes.push_back({"DELETE",
                    "/api/v1/repos/{name}",
                    "deleteRepo",
                    "Forgets a repo that nothing here needs any more; what is "
                    "in it stays. With purge_archives=true its archives go "
                    "first: 202 and the job that does it",
                    Role::kAdmin,
                    DeleteRepo,
                    "",
                    204,
                    {"purge_archives"},
                    {},
                    /*whole_catalog=*/true});
}

}  // namespace sluice::service
