// job list, job show, job wait, job cancel.

#include <algorithm>
#include <string>
#include <vector>

#include "sluice/base/clock.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/cli/verbs/asking.h"
#include "sluice/cli/verbs/follow.h"
#include "sluice/cli/verbs/verbs.h"
#include "sluice/cli/views/job_view.h"

namespace sluice::cli {
namespace {

absl::StatusOr<CatalogJob> FindJob(Session& session) {
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  const std::string& id = session.command().arguments.front();
  if (id != "latest") return catalog->GetJob(session.context(), id);
  CatalogFilter filter;
  filter.limit = 1;
  SLUICE_ASSIGN_OR_RETURN(std::vector<CatalogJob> jobs,
                          catalog->ListJobs(session.context(), filter));
  if (jobs.empty()) {
    return MakeError(absl::StatusCode::kNotFound, kJobNotFound,
                     "the catalog has no job");
  }
  return jobs.back();
}

absl::StatusOr<CatalogFilter> FilterOf(Session& session) {
  const Command& command = session.command();
  SLUICE_ASSIGN_OR_RETURN(const JobWords words, JobWordsOf(command));
  CatalogFilter filter;
  filter.limit = words.limit;
  filter.status = words.status;
  filter.kind = words.kind;
  if (command.Has("repo")) {
    SLUICE_ASSIGN_OR_RETURN(const BackupRepo repo,
                            KnownRepo(session, command.Get("repo")));
    filter.repo_id = repo.id();
  }
  if (command.Has("plan")) {
    SLUICE_ASSIGN_OR_RETURN(const Plan plan,
                            KnownPlan(session, command.Get("plan")));
    filter.plan_id = plan.id();
  }
  return filter;
}

}  // namespace

Outcome RunJobListVerb(Session& session) {
  SLUICE_ASSIGN_OR_RETURN(const CatalogFilter filter, FilterOf(session));
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  SLUICE_ASSIGN_OR_RETURN(const auto repos,
                          catalog->ListRepos(session.context()));
  NamesById names;
  for (const BackupRepo& repo : repos) names[repo.id()] = repo.name();
  SLUICE_ASSIGN_OR_RETURN(std::vector<CatalogJob> jobs,
                          catalog->ListJobs(session.context(), filter));
  std::reverse(jobs.begin(), jobs.end());
  PrintJobs(session.console(), jobs, names, Clock::Real()->Now());
  return {};
}

Outcome RunJobShowVerb(Session& session) {
  SLUICE_ASSIGN_OR_RETURN(const CatalogJob job, FindJob(session));
  PrintJob(session.console(), job);
  return {};
}

Outcome RunJobWaitVerb(Session& session) {
  SLUICE_ASSIGN_OR_RETURN(const CatalogJob job, FindJob(session));
  return FollowJob(session, job.job.id());
}

Outcome RunJobCancelVerb(Session& session) {
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  SLUICE_ASSIGN_OR_RETURN(const CatalogJob job, FindJob(session));
  const std::string& id = job.job.id();
  SLUICE_RETURN_IF_ERROR(catalog->RequestCancel(session.context(), id));
  SLUICE_ASSIGN_OR_RETURN(const CatalogJob after,
                          catalog->GetJob(session.context(), id));
  PrintCancelled(session.console(), after.job);
  return {};
}

}  // namespace sluice::cli
