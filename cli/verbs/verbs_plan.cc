// plan add, edit, list, show, pause, resume, remove, run, next.

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "sluice/base/clock.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/cli/verbs/asking.h"
#include "sluice/cli/verbs/plan_run.h"
#include "sluice/cli/verbs/verbs.h"
#include "sluice/cli/views/plan_view.h"
#include "sluice/service/admin/plan_admin.h"
#include "sluice/service/plan/plan_rules.h"

namespace sluice::cli {
namespace {

using service::PlanWords;

constexpr uint64_t kMaxTimesShown = 1000;

absl::StatusOr<service::PlanAdmin> AdminOf(Session& session) {
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  SLUICE_ASSIGN_OR_RETURN(PluginHost* const host, session.host());
  return service::PlanAdmin(catalog, host, Clock::Real());
}

absl::StatusOr<NamesById> RepoNames(Session& session, Catalog& catalog) {
  SLUICE_ASSIGN_OR_RETURN(const auto repos,
                          catalog.ListRepos(session.context()));
  NamesById names;
  for (const BackupRepo& repo : repos) names[repo.id()] = repo.name();
  return names;
}

absl::StatusOr<PlanView> ViewOf(Session& session, Catalog& catalog,
                                const Plan& plan, const NamesById& names) {
  PlanView view;
  view.plan = plan;
  for (const std::string& id : plan.spec().repos()) {
    view.repo_names.push_back(NameOrId(names, id));
  }
  SLUICE_ASSIGN_OR_RETURN(
      view.targets, catalog.plans().ListTargets(session.context(), plan.id()));
  CatalogFilter filter;
  filter.plan_id = plan.id();
  filter.kind = BackupJob::BACKUP;
  filter.limit = 1;
  SLUICE_ASSIGN_OR_RETURN(const std::vector<CatalogJob> jobs,
                          catalog.ListJobs(session.context(), filter));
  if (!jobs.empty()) view.last_job = jobs.back().job;
  const auto rules = service::RulesOf(plan);
  if (rules.ok()) view.zone = rules->zone;
  return view;
}

// The plan as it is now, and when it is due.
Outcome SayPlan(Session& session, const Plan& plan, absl::string_view what) {
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  SLUICE_ASSIGN_OR_RETURN(const auto names, RepoNames(session, *catalog));
  SLUICE_ASSIGN_OR_RETURN(const PlanView view,
                          ViewOf(session, *catalog, plan, names));
  PrintChangedPlan(session.console(), view, what);
  return {};
}

// What was done to the plan that the first word names, told and kept.
Outcome Concluded(Session& session, absl::string_view action,
                  absl::string_view what, const absl::StatusOr<Plan>& plan) {
  NoteAudit(session, action, session.command().arguments.front(),
            plan.status());
  SLUICE_RETURN_IF_ERROR(plan.status());
  return SayPlan(session, *plan, what);
}

Outcome SetPaused(Session& session, bool paused) {
  SLUICE_ASSIGN_OR_RETURN(service::PlanAdmin admin, AdminOf(session));
  SLUICE_ASSIGN_OR_RETURN(
      const Plan plan, KnownPlan(session, session.command().arguments.front()));
  return Concluded(session, paused ? "plan pause" : "plan resume",
                   paused ? "paused" : "resumed",
                   admin.SetPaused(session.context(), plan.id(), paused));
}

}  // namespace

Outcome RunPlanAddVerb(Session& session) {
  const Command& command = session.command();
  SLUICE_RETURN_IF_ERROR(command.Require("source").status());
  SLUICE_RETURN_IF_ERROR(command.Require("repo").status());
  SLUICE_ASSIGN_OR_RETURN(PlanWords words, PlanWordsOf(command, PlanSpec()));
  SLUICE_ASSIGN_OR_RETURN(service::PlanAdmin admin, AdminOf(session));
  for (std::string& repo : words.repos) {
    SLUICE_ASSIGN_OR_RETURN(const BackupRepo row, KnownRepo(session, repo));
    repo = row.id();
  }
  service::PlanChecks checks;
  checks.open_source = !command.Has("no-check");
  return Concluded(
      session, "plan add", "added",
      admin.Add(session.context(), command.arguments.front(), words, checks));
}

Outcome RunPlanEditVerb(Session& session) {
  const Command& command = session.command();
  SLUICE_ASSIGN_OR_RETURN(service::PlanAdmin admin, AdminOf(session));
  SLUICE_ASSIGN_OR_RETURN(const Plan before,
                          KnownPlan(session, command.arguments.front()));
  SLUICE_ASSIGN_OR_RETURN(PlanWords words, PlanWordsOf(command, before.spec()));
  if (SaysNothing(words) && !command.Has("rename")) {
    return InvalidArgument("sluice plan edit needs something to change",
                           "`sluice plan edit --help` lists what there is");
  }
  for (std::string& repo : words.repos) {
    SLUICE_ASSIGN_OR_RETURN(const BackupRepo row, KnownRepo(session, repo));
    repo = row.id();
  }
  service::PlanChecks checks;
  checks.open_source = !command.Has("no-check");
  return Concluded(session, "plan edit", "changed",
                   admin.Edit(session.context(), before.id(), words, checks,
                              command.Get("rename")));
}

Outcome RunPlanListVerb(Session& session) {
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  SLUICE_ASSIGN_OR_RETURN(const std::vector<Plan> plans,
                          catalog->plans().ListPlans(session.context()));
  SLUICE_ASSIGN_OR_RETURN(const auto names, RepoNames(session, *catalog));
  std::vector<PlanView> views;
  for (const Plan& plan : plans) {
    SLUICE_ASSIGN_OR_RETURN(PlanView view,
                            ViewOf(session, *catalog, plan, names));
    views.push_back(std::move(view));
  }
  PrintPlans(session.console(), views);
  return {};
}

Outcome RunPlanShowVerb(Session& session) {
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  SLUICE_ASSIGN_OR_RETURN(
      const Plan plan, KnownPlan(session, session.command().arguments.front()));
  SLUICE_ASSIGN_OR_RETURN(const auto names, RepoNames(session, *catalog));
  SLUICE_ASSIGN_OR_RETURN(const PlanView view,
                          ViewOf(session, *catalog, plan, names));
  FiringFilter filter;
  filter.plan_id = plan.id();
  filter.limit = kFiringsShown;
  SLUICE_ASSIGN_OR_RETURN(
      const std::vector<Firing> firings,
      catalog->plans().ListFirings(session.context(), filter));
  PrintPlan(session.console(), view, firings, names);
  return {};
}

Outcome RunPlanPauseVerb(Session& session) { return SetPaused(session, true); }

Outcome RunPlanResumeVerb(Session& session) {
  return SetPaused(session, false);
}

Outcome RunPlanRemoveVerb(Session& session) {
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  SLUICE_ASSIGN_OR_RETURN(
      const Plan plan, KnownPlan(session, session.command().arguments.front()));
  SLUICE_RETURN_IF_ERROR(AskFirst(
      session,
      absl::StrCat("forget plan ", plan.name(), "? Its archives stay."),
      "no plan was removed"));
  const absl::Status removed =
      catalog->plans().RemovePlan(session.context(), plan.id());
  NoteAudit(session, "plan remove", plan.name(), removed);
  SLUICE_RETURN_IF_ERROR(removed);
  PrintRemovedPlan(session.console(), plan);
  return {};
}

Outcome RunPlanRunVerb(Session& session) {
  return RunPlanNow(session, session.command().arguments.front());
}

Outcome RunPlanNextVerb(Session& session) {
  const Command& command = session.command();
  SLUICE_ASSIGN_OR_RETURN(const uint64_t count,
                          command.GetCount("count", kTimesShown));
  SLUICE_ASSIGN_OR_RETURN(service::PlanAdmin admin, AdminOf(session));
  SLUICE_ASSIGN_OR_RETURN(const Plan plan,
                          KnownPlan(session, command.arguments.front()));
  SLUICE_ASSIGN_OR_RETURN(
      const auto times,
      admin.NextTimes(session.context(), plan.id(),
                      static_cast<int>(std::min(count, kMaxTimesShown))));
  PrintTimes(session.console(), plan, times);
  return {};
}

}  // namespace sluice::cli
