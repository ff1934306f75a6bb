#include "sluice/cli/verbs/plan_run.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "sluice/base/clock.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/cli/verbs/asking.h"
#include "sluice/cli/verbs/follow.h"
#include "sluice/service/admin/plan_admin.h"

namespace sluice::cli {
namespace {

// Between asking and claiming: where this process dies there, the job does not
// wait for ever.
constexpr absl::Duration kClaimPatience = absl::Minutes(1);

Outcome RunLater(Session& session, service::PlanAdmin& admin,
                 const std::string& name) {
  SLUICE_RETURN_IF_ERROR(CheckServiceIsThere(session));
  SLUICE_ASSIGN_OR_RETURN(
      const std::vector<QueuedRun> runs,
      admin.RunNow(session.context(), name, session.command().Get("repo"),
                   {Requester(), ""}));
  for (const QueuedRun& run : runs) PrintQueued(session.console(), run);
  return {};
}

// The repos that are meant, by their ids.
absl::StatusOr<std::vector<std::string>> ReposOf(Session& session,
                                                 const Plan& plan) {
  const std::string only = session.command().Get("repo");
  const auto& repos = plan.spec().repos();
  if (only.empty()) {
    return std::vector<std::string>(repos.begin(), repos.end());
  }
  SLUICE_ASSIGN_OR_RETURN(const BackupRepo repo, KnownRepo(session, only));
  return std::vector<std::string>{repo.id()};
}

Outcome RunInto(Session& session, service::PlanAdmin& admin, const Plan& plan,
                const std::string& repo_id) {
  service::Asker asker;
  asker.requester = Requester();
  asker.patience = kClaimPatience;
  SLUICE_ASSIGN_OR_RETURN(
      const std::vector<QueuedRun> runs,
      admin.RunNow(session.context(), plan.id(), repo_id, asker));
  return RunQueuedHere(session, runs.front());
}

// Of one that is not the first: that one is the verb's.
void TellFailure(Session& session, const Outcome& outcome) {
  if (session.console().json()) {
    session.console().ResultJson(ErrorJson(outcome.status, outcome.job));
  }
  session.console().Error(outcome.status);
}

}  // namespace

Outcome RunPlanNow(Session& session, const std::string& name) {
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  SLUICE_ASSIGN_OR_RETURN(PluginHost* const host, session.host());
  SLUICE_ASSIGN_OR_RETURN(const Plan plan, KnownPlan(session, name));
  SLUICE_RETURN_IF_ERROR(CheckCatalogIsOurs(session));
  service::PlanAdmin admin(catalog, host, Clock::Real());
  if (session.command().Has("async"))
    return RunLater(session, admin, plan.id());
  SLUICE_ASSIGN_OR_RETURN(const std::vector<std::string> repos,
                          ReposOf(session, plan));
  // One whose asker died before it could begin is in nobody's way.
  SLUICE_RETURN_IF_ERROR(
      catalog->queue()
          .EndUnclaimed(session.context(), Clock::Real()->Now())
          .status());
  Outcome worst;
  for (const std::string& repo : repos) {
    const Outcome outcome = RunInto(session, admin, plan, repo);
    if (outcome.status.ok()) {
      if (worst.status.ok() && worst.code == ExitCode::kOk) worst = outcome;
    } else if (worst.status.ok()) {
      worst = outcome;
    } else {
      TellFailure(session, outcome);
    }
    if (session.context().done() || outcome.abandoned) break;
  }
  return worst;
}

void PrintQueued(Console& console, const QueuedRun& run) {
  if (console.json()) {
    console.ResultJson(service::QueuedRunJson(run));
  } else {
    console.Result(absl::StrCat(run.job.id(), "\n"));
  }
}

}  // namespace sluice::cli
