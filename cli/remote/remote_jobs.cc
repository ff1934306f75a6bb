// job list, show, wait, cancel through a server.

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sluice/base/clock.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/cli/remote/remote_verbs.h"
#include "sluice/cli/terminal/json.h"

namespace sluice::cli {
namespace {

// A server gives no more of a list at once.
constexpr uint64_t kPage = 200;

absl::StatusOr<CatalogJob> FindJob(Remote& remote) {
  const std::string& id = remote.command().arguments.front();
  if (id != "latest") {
    SLUICE_ASSIGN_OR_RETURN(
        const ApiAnswer answer,
        remote.api.Get(remote.context(),
                       absl::StrCat("/jobs/", UrlEscape(id))));
    return ReadJob(answer.body);
  }
  SLUICE_ASSIGN_OR_RETURN(const std::vector<CatalogJob> jobs,
                          remote.api.List(remote.context(), "/jobs?limit=1",
                                          "jobs", &ReadJob, /*most=*/1));
  if (!jobs.empty()) return jobs.front();
  return MakeError(absl::StatusCode::kNotFound, kJobNotFound,
                   "the catalog has no job");
}

}  // namespace

absl::StatusOr<NamesById> RemoteRepoNames(Remote& remote) {
  SLUICE_ASSIGN_OR_RETURN(const std::vector<BackupRepo> repos,
                          remote.api.List(remote.context(), "/repos?limit=200",
                                          "repos", &ReadRepo));
  NamesById names;
  for (const BackupRepo& repo : repos) names[repo.id()] = repo.name();
  return names;
}

Outcome RemoteJobList(Remote& remote) {
  const Command& command = remote.command();
  SLUICE_ASSIGN_OR_RETURN(const JobWords words, JobWordsOf(command));
  const std::string path = WithQuery(
      "/jobs", {{"status", StatusName(words.status)},
                {"kind", KindName(words.kind)},
                {"repo", command.Get("repo")},
                {"plan", command.Get("plan")},
                {"limit", absl::StrCat(std::min(words.limit, kPage))}});
  SLUICE_ASSIGN_OR_RETURN(
      const std::vector<CatalogJob> jobs,
      remote.api.List(remote.context(), path, "jobs", &ReadJob, words.limit));
  SLUICE_ASSIGN_OR_RETURN(const NamesById names, RemoteRepoNames(remote));
  PrintJobs(remote.console(), jobs, names, Clock::Real()->Now());
  return {};
}

Outcome RemoteJobShow(Remote& remote) {
  SLUICE_ASSIGN_OR_RETURN(const CatalogJob job, FindJob(remote));
  PrintJob(remote.console(), job);
  return {};
}

Outcome RemoteJobWait(Remote& remote) {
  SLUICE_ASSIGN_OR_RETURN(const CatalogJob job, FindJob(remote));
  return FollowRemoteJob(remote, job.job, [&](const BackupJob& ended) {
    return ReportRemoteJob(remote, ended);
  });
}

Outcome RemoteJobCancel(Remote& remote) {
  SLUICE_ASSIGN_OR_RETURN(const CatalogJob job, FindJob(remote));
  const std::string& id = job.job.id();
  SLUICE_ASSIGN_OR_RETURN(
      const ApiAnswer answer,
      remote.api.Change(remote.context(), "POST",
                        absl::StrCat("/jobs/", UrlEscape(id), "/cancel"),
                        nullptr));
  // 200: it was over before.
  if (answer.status != 202) {
    return MakeError(absl::StatusCode::kFailedPrecondition, kJobFinished,
                     absl::StrCat("job ", id, " has ended already"));
  }
  SLUICE_ASSIGN_OR_RETURN(const CatalogJob after, ReadJob(answer.body));
  PrintCancelled(remote.console(), after.job);
  return {};
}

}  // namespace sluice::cli
