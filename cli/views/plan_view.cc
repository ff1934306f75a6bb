#include "sluice/cli/views/plan_view.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/cli/commands/command_table.h"
#include "sluice/cli/terminal/json.h"
#include "sluice/cli/terminal/text.h"
#include "sluice/service/plan/plan_fields.h"

namespace sluice::cli {
namespace {

using service::PlanField;
using service::PlanWords;

constexpr size_t kPlanFieldWidth = 16;

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
                        const PlanView& view, const NamesById& names) {
  if (firings.empty()) return "";
  Table table(
      {"DUE", "REPO", "OUTCOME", "TRIES", "SIZE", "TOOK", "WHY", "JOB"});
  for (auto firing = firings.rbegin(); firing != firings.rend(); ++firing) {
    const bool succeeded = firing->outcome == Firing::Outcome::kSucceeded;
    table.Add({ZonedText(firing->due_at, view.zone),
               NameOrId(names, firing->repo_id),
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

}  // namespace

absl::StatusOr<PlanWords> PlanWordsOf(const Command& command,
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

void PrintPlans(Console& console, const std::vector<PlanView>& views) {
  Table table({"NAME", "SOURCE", "REPOS", "SCHEDULE", "NEXT", "LAST"});
  for (const PlanView& view : views) {
    if (console.json()) console.ResultJson(ViewJson(view));
    table.Add({view.plan.name(), view.plan.spec().source(),
               absl::StrJoin(view.repo_names, ","),
               ScheduleText(view.plan.spec()), NextText(view), LastText(view)});
  }
  if (!console.json()) console.Result(table.Text());
}

void PrintPlan(Console& console, const PlanView& view,
               const std::vector<Firing>& firings, const NamesById& repos) {
  if (!console.json()) {
    console.Result(
        absl::StrCat(ShowPlanText(view), FiringsText(firings, view, repos)));
    return;
  }
  Json json = ViewJson(view);
  json["firings"] = Json::array();
  for (const Firing& firing : firings) {
    json["firings"].push_back(service::FiringJson(firing));
  }
  console.ResultJson(json);
}

void PrintChangedPlan(Console& console, const PlanView& view,
                      absl::string_view what) {
  if (console.json()) {
    console.ResultJson(ViewJson(view));
    return;
  }
  const std::string next = NextText(view);
  console.Done(
      absl::StrCat(view.plan.name(), " ", what, "\n  ",
                   view.plan.paused() ? "paused: `sluice plan resume` goes on"
                   : next.empty()     ? "on demand: `sluice plan run` runs it"
                                      : absl::StrCat("due next at ", next),
                   "\n"));
}

void PrintRemovedPlan(Console& console, const Plan& plan) {
  if (console.json()) {
    console.ResultJson({{"id", plan.id()}, {"removed", true}});
  } else {
    console.Done(absl::StrCat(
        plan.name(),
        " forgotten; its archives stay, and no rule removes them any more\n"));
  }
}

void PrintTimes(Console& console, const Plan& plan,
                const std::vector<service::PlannedTime>& times) {
  Table table({"IN ITS ZONE", "ZONE", "HERE", "UTC", "NOTE"});
  for (const service::PlannedTime& time : times) {
    if (console.json()) console.ResultJson(service::PlannedTimeJson(time));
    table.Add({time.local, time.zone,
               absl::FormatTime("%Y-%m-%d %H:%M:%S %Z", time.nominal,
                                absl::LocalTimeZone()),
               time.utc, time.note});
  }
  if (times.empty()) {
    console.Note(absl::StrCat(
        "plan ", plan.name(),
        plan.paused() ? " is paused: it is due at no time"
                      : " has no schedule: it runs on demand alone"));
  } else if (!console.json()) {
    console.Result(table.Text());
  }
}

}  // namespace sluice::cli
