// plan add, edit, list, show, pause, resume, remove, run, next.

#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/time/time.h"
#include "sluice/base/clock.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/cli/terminal/text.h"
#include "sluice/cli/verbs/asking.h"
#include "sluice/cli/verbs/plan_run.h"
#include "sluice/cli/verbs/verbs.h"
#include "sluice/service/admin/plan_admin.h"
#include "sluice/service/plan/plan_fields.h"
#include "sluice/service/plan/plan_rules.h"

namespace sluice::cli {
namespace {

using service::PlanField;
using service::PlanWords;

constexpr size_t kFiringsShown = 10;
constexpr uint64_t kTimesShown = 5;
constexpr uint64_t kMaxTimesShown = 1000;
constexpr size_t kPlanFieldWidth = 16;

// --- words

absl::Status AddLabels(const Command& command, const PlanSpec& before,
                       PlanWords& words) {
  if (!command.Has("label")) return absl::OkStatus();
  std::map<std::string, std::string> labels(before.labels().begin(),
                                            before.labels().end());
  for (const std::string& label : command.GetAll("label")) {
    const std::pair<std::string, std::string> parts =
        absl::StrSplit(label, absl::MaxSplits('=', 1));
    if (parts.first.empty() || label.find('=') == std::string::npos) {
      return InvalidArgument(absl::StrCat("--label ", label, " is not K=V"),
                             "as --label team=storage");
    }
    if (parts.second.empty()) {
      labels.erase(parts.first);
    } else {
      labels[parts.first] = parts.second;
    }
  }
  words.labels = std::move(labels);
  return absl::OkStatus();
}

// What the flags say; `before`: what a plan that is edited said.
absl::StatusOr<PlanWords> WordsOf(const Command& command,
                                  const PlanSpec& before) {
  PlanWords words;
  words.source = command.Get("source");
  words.repos = command.GetAll("repo");
  for (const PlanField& field : service::PlanFields()) {
    const absl::string_view flag = PlanFlagName(field.name);
    if (!command.Has(flag)) continue;
    words.fields.emplace_back(field.name, command.Get(flag));
  }
  if (command.Has("cron") && command.Has("every") &&
      !command.Get("cron").empty() && !command.Get("every").empty()) {
    return InvalidArgument("--cron and --every are mutually exclusive",
                           "one of them is enough");
  }
  // In that order the one that is said stays.
  std::stable_sort(words.fields.begin(), words.fields.end(),
                   [](const auto& a, const auto& b) {
                     return a.second.empty() && !b.second.empty();
                   });
  SLUICE_RETURN_IF_ERROR(AddLabels(command, before, words));
  return words;
}

bool SaysNothing(const PlanWords& words) {
  return words.source.empty() && words.repos.empty() && words.fields.empty() &&
         !words.labels.has_value();
}

absl::StatusOr<service::PlanAdmin> AdminOf(Session& session) {
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  SLUICE_ASSIGN_OR_RETURN(PluginHost* const host, session.host());
  return service::PlanAdmin(catalog, host, Clock::Real());
}

// --- what is known of a plan beside what it says

struct PlanView {
  Plan plan;
  std::vector<std::string> repo_names;
  std::vector<PlanTarget> targets;
  absl::optional<BackupJob> last_job;
  absl::TimeZone zone = absl::UTCTimeZone();
};

absl::StatusOr<std::map<std::string, std::string>> RepoNames(Session& session,
                                                             Catalog& catalog) {
  SLUICE_ASSIGN_OR_RETURN(const auto repos,
                          catalog.ListRepos(session.context()));
  std::map<std::string, std::string> names;
  for (const BackupRepo& repo : repos) names[repo.id()] = repo.name();
  return names;
}

std::string NameOfRepo(const std::map<std::string, std::string>& names,
                       const std::string& id) {
  const auto found = names.find(id);
  return found == names.end() ? id : found->second;
}

absl::StatusOr<PlanView> ViewOf(
    Session& session, Catalog& catalog, const Plan& plan,
    const std::map<std::string, std::string>& names) {
  PlanView view;
  view.plan = plan;
  for (const std::string& id : plan.spec().repos()) {
    view.repo_names.push_back(NameOfRepo(names, id));
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

absl::Time NextDue(const PlanView& view) {
  absl::Time next = absl::InfiniteFuture();
  for (const PlanTarget& target : view.targets) {
    next = std::min(next, target.next_due);
  }
  return next;
}

Json ViewJson(const PlanView& view) {
  Json json = service::PlanJson(view.plan);
  json["repo_names"] = view.repo_names;
  Json targets = Json::array();
  for (const PlanTarget& target : view.targets) {
    targets.push_back(service::TargetJson(target));
  }
  json["targets"] = targets;
  json["last_job"] = ToJson(view.last_job);
  return json;
}

// --- texts

std::string ZonedText(absl::Time time, absl::TimeZone zone) {
  if (time == absl::InfiniteFuture()) return "";
  return absl::FormatTime("%Y-%m-%d %H:%M:%S %Z", time, zone);
}

std::string ScheduleText(const PlanSpec& spec) {
  return spec.schedule().empty() ? "on demand" : spec.schedule();
}

std::string NextText(const PlanView& view) {
  if (view.plan.paused()) return "paused";
  return ZonedText(NextDue(view), view.zone);
}

std::string LastText(const PlanView& view) {
  if (!view.last_job.has_value()) return "";
  const BackupJob& job = *view.last_job;
  const int64_t at = job.finished_at_ms() > 0  ? job.finished_at_ms()
                     : job.started_at_ms() > 0 ? job.started_at_ms()
                                               : job.created_at_ms();
  return absl::StrCat(StatusName(job.status()), " ",
                      ZonedText(absl::FromUnixMillis(at), view.zone));
}

std::string TargetsText(const PlanView& view) {
  Table table({"REPO", "NEXT", "STARTS", "STORE"});
  for (size_t i = 0; i < view.targets.size(); ++i) {
    const PlanTarget& target = view.targets[i];
    table.Add({i < view.repo_names.size() ? view.repo_names[i] : target.repo_id,
               ZonedText(target.next_due, view.zone),
               ZonedText(target.run_at, view.zone), target.store_id});
  }
  return table.Text();
}

std::string FiringsText(const std::vector<Firing>& firings,
                        const PlanView& view,
                        const std::map<std::string, std::string>& names) {
  if (firings.empty()) return "";
  Table table(
      {"DUE", "REPO", "OUTCOME", "TRIES", "SIZE", "TOOK", "WHY", "JOB"});
  for (auto firing = firings.rbegin(); firing != firings.rend(); ++firing) {
    const bool succeeded = firing->outcome == Firing::Outcome::kSucceeded;
    table.Add({ZonedText(firing->due_at, view.zone),
               NameOfRepo(names, firing->repo_id),
               std::string(OutcomeWord(firing->outcome)),
               absl::StrCat(firing->attempts),
               succeeded ? SizeText(firing->size_bytes) : "",
               succeeded ? DurationText(firing->duration) : "", firing->reason,
               firing->job_id});
  }
  return absl::StrCat("\n", table.Text());
}

std::string ShowPlanText(const PlanView& view) {
  const Plan& plan = view.plan;
  const PlanSpec& spec = plan.spec();
  std::string text = absl::StrCat(plan.name(), "\n");
  AppendField(text, kPlanFieldWidth, "id", plan.id());
  AppendField(text, kPlanFieldWidth, "paused", plan.paused() ? "yes" : "");
  AppendField(text, kPlanFieldWidth, "source", spec.source());
  AppendField(text, kPlanFieldWidth, "repos",
              absl::StrJoin(view.repo_names, ", "));
  for (const PlanField& field : service::PlanFields()) {
    AppendField(text, kPlanFieldWidth, PlanFlagName(field.name),
                service::GetPlanField(field, spec));
  }
  const std::map<std::string, std::string> labels(spec.labels().begin(),
                                                  spec.labels().end());
  AppendField(text, kPlanFieldWidth, "labels",
              absl::StrJoin(labels, ", ", absl::PairFormatter("=")));
  AppendField(text, kPlanFieldWidth, "made", TimeText(plan.created_at_ms()));
  AppendField(text, kPlanFieldWidth, "changed", TimeText(plan.updated_at_ms()));
  AppendField(text, kPlanFieldWidth, "last run", LastText(view));
  return absl::StrCat(text, "\n", TargetsText(view));
}

// The plan as it is now, and when it is due.
Outcome SayPlan(Session& session, const Plan& plan, absl::string_view what) {
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  SLUICE_ASSIGN_OR_RETURN(const auto names, RepoNames(session, *catalog));
  SLUICE_ASSIGN_OR_RETURN(const PlanView view,
                          ViewOf(session, *catalog, plan, names));
  if (session.console().json()) {
    session.console().ResultJson(ViewJson(view));
    return {};
  }
  const std::string next = NextText(view);
  session.console().Done(
      absl::StrCat(plan.name(), " ", what, "\n  ",
                   plan.paused()  ? "paused: `sluice plan resume` goes on"
                   : next.empty() ? "on demand: `sluice plan run` runs it"
                                  : absl::StrCat("due next at ", next),
                   "\n"));
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
  SLUICE_ASSIGN_OR_RETURN(PlanWords words, WordsOf(command, PlanSpec()));
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
  SLUICE_ASSIGN_OR_RETURN(PlanWords words, WordsOf(command, before.spec()));
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
  Table table({"NAME", "SOURCE", "REPOS", "SCHEDULE", "NEXT", "LAST"});
  for (const Plan& plan : plans) {
    SLUICE_ASSIGN_OR_RETURN(const PlanView view,
                            ViewOf(session, *catalog, plan, names));
    if (session.console().json()) session.console().ResultJson(ViewJson(view));
    table.Add({plan.name(), plan.spec().source(),
               absl::StrJoin(view.repo_names, ","), ScheduleText(plan.spec()),
               NextText(view), LastText(view)});
  }
  if (!session.console().json()) session.console().Result(table.Text());
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
  if (session.console().json()) {
    Json json = ViewJson(view);
    json["firings"] = Json::array();
    for (const Firing& firing : firings) {
      json["firings"].push_back(service::FiringJson(firing));
    }
    session.console().ResultJson(json);
  } else {
    session.console().Result(
        absl::StrCat(ShowPlanText(view), FiringsText(firings, view, names)));
  }
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
  if (session.console().json()) {
    session.console().ResultJson({{"id", plan.id()}, {"removed", true}});
  } else {
    session.console().Done(absl::StrCat(
        plan.name(),
        " forgotten; its archives stay, and no rule removes them any more\n"));
  }
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
  Table table({"IN ITS ZONE", "ZONE", "HERE", "UTC", "NOTE"});
  for (const service::PlannedTime& time : times) {
    if (session.console().json()) {
      session.console().ResultJson(service::PlannedTimeJson(time));
    }
    table.Add({time.local, time.zone,
               absl::FormatTime("%Y-%m-%d %H:%M:%S %Z", time.nominal,
                                absl::LocalTimeZone()),
               time.utc, time.note});
  }
  if (times.empty()) {
    session.console().Note(absl::StrCat(
        "plan ", plan.name(),
        plan.paused() ? " is paused: it is due at no time"
                      : " has no schedule: it runs on demand alone"));
  } else if (!session.console().json()) {
    session.console().Result(table.Text());
  }
  return {};
}

}  // namespace sluice::cli
