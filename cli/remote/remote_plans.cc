// plan … through a server.

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/cli/remote/remote_verbs.h"
#include "sluice/cli/terminal/json.h"
#include "sluice/cli/verbs/asking.h"
#include "sluice/cli/views/plan_view.h"
#include "sluice/service/plan/plan_fields.h"

namespace sluice::cli {
namespace {

using service::PlanField;
using service::PlanFieldKind;
using service::PlanWords;

std::string PlanPath(const std::string& name, absl::string_view below = "") {
  return absl::StrCat("/plans/", UrlEscape(name), below);
}

absl::StatusOr<PlanView> GetPlan(Remote& remote) {
  SLUICE_ASSIGN_OR_RETURN(
      const ApiAnswer answer,
      remote.api.Get(remote.context(),
                     PlanPath(remote.command().arguments.front())));
  return ReadPlan(answer.body);
}

// A field as the API takes it; what is wrong with it is told as it is without a
// server, before anything is asked.
absl::StatusOr<Json> FieldJson(const std::string& name,
                               const std::string& text) {
  PlanSpec scratch;
  SLUICE_RETURN_IF_ERROR(service::SetPlanField(name, text, scratch));
  if (text.empty()) return Json(nullptr);
  const PlanField& field = *service::FindPlanField(name);
  if (field.kind == PlanFieldKind::kFlag) {
    return Json(service::GetPlanField(field, scratch) == "true");
  }
  uint64_t count = 0;
  if (field.kind == PlanFieldKind::kCount && absl::SimpleAtoi(text, &count)) {
    return Json(count);
  }
  return Json(text);
}

absl::StatusOr<Json> BodyOf(const PlanWords& words, const Command& command) {
  Json body = Json::object();
  if (!words.source.empty()) {
    SLUICE_RETURN_IF_ERROR(CheckOthersCanOpen(words.source, "server"));
    body["source"] = words.source;
  }
  if (!words.repos.empty()) body["repos"] = words.repos;
  for (const auto& [name, text] : words.fields) {
    SLUICE_ASSIGN_OR_RETURN(body[name], FieldJson(name, text));
  }
  if (words.labels.has_value()) {
    body["labels"] = Json::object();
    for (const auto& [name, value] : *words.labels) {
      body["labels"][name] = value;
    }
  }
  if (command.Has("no-check")) body["check"] = false;
  return body;
}

// The plan that an answer holds, and what was done to it.
Outcome Changed(Remote& remote, const absl::StatusOr<ApiAnswer>& answer,
                absl::string_view what) {
  SLUICE_RETURN_IF_ERROR(answer.status());
  SLUICE_ASSIGN_OR_RETURN(const PlanView view, ReadPlan(answer->body));
  PrintChangedPlan(remote.console(), view, what);
  return {};
}

}  // namespace

Outcome RemotePlanAdd(Remote& remote) {
  const Command& command = remote.command();
  SLUICE_RETURN_IF_ERROR(command.Require("source").status());
  SLUICE_RETURN_IF_ERROR(command.Require("repo").status());
  SLUICE_ASSIGN_OR_RETURN(const PlanWords words,
                          PlanWordsOf(command, PlanSpec()));
  SLUICE_ASSIGN_OR_RETURN(Json body, BodyOf(words, command));
  body["name"] = command.arguments.front();
  return Changed(remote,
                 remote.api.Change(remote.context(), "POST", "/plans", body),
                 "added");
}

Outcome RemotePlanEdit(Remote& remote) {
  const Command& command = remote.command();
  SLUICE_ASSIGN_OR_RETURN(const PlanView before, GetPlan(remote));
  SLUICE_ASSIGN_OR_RETURN(const PlanWords words,
                          PlanWordsOf(command, before.plan.spec()));
  if (SaysNothing(words) && !command.Has("rename")) {
    return InvalidArgument("sluice plan edit needs something to change",
                           "`sluice plan edit --help` lists what there is");
  }
  SLUICE_ASSIGN_OR_RETURN(Json body, BodyOf(words, command));
  if (command.Has("rename")) body["name"] = command.Get("rename");
  // All labels are sent, so that they must be those which were read.
  const uint64_t revision =
      words.labels.has_value() ? before.plan.revision() : 0;
  return Changed(remote,
                 remote.api.Change(remote.context(), "PATCH",
                                   PlanPath(before.plan.id()), body, revision),
                 "changed");
}

Outcome RemotePlanList(Remote& remote) {
  SLUICE_ASSIGN_OR_RETURN(const std::vector<PlanView> views,
                          remote.api.List(remote.context(), "/plans?limit=200",
                                          "plans", &ReadPlan));
  PrintPlans(remote.console(), views);
  return {};
}

Outcome RemotePlanShow(Remote& remote) {
  SLUICE_ASSIGN_OR_RETURN(const PlanView view, GetPlan(remote));
  SLUICE_ASSIGN_OR_RETURN(
      std::vector<Firing> firings,
      remote.api.List(remote.context(),
                      PlanPath(view.plan.id(),
                               absl::StrCat("/firings?limit=", kFiringsShown)),
                      "firings", &ReadFiring, kFiringsShown));
  std::reverse(firings.begin(), firings.end());
  SLUICE_ASSIGN_OR_RETURN(const NamesById names, RemoteRepoNames(remote));
  PrintPlan(remote.console(), view, firings, names);
  return {};
}

Outcome RemotePlanPause(Remote& remote) {
  return Changed(
      remote,
      remote.api.Change(remote.context(), "POST",
                        PlanPath(remote.command().arguments.front(), "/pause"),
                        nullptr),
      "paused");
}

Outcome RemotePlanResume(Remote& remote) {
  return Changed(
      remote,
      remote.api.Change(remote.context(), "POST",
                        PlanPath(remote.command().arguments.front(), "/resume"),
                        nullptr),
      "resumed");
}

Outcome RemotePlanRemove(Remote& remote) {
  SLUICE_ASSIGN_OR_RETURN(const PlanView view, GetPlan(remote));
  SLUICE_RETURN_IF_ERROR(AskFirst(
      remote.session,
      absl::StrCat("forget plan ", view.plan.name(), "? Its archives stay."),
      "no plan was removed"));
  SLUICE_RETURN_IF_ERROR(
      remote.api
          .Change(remote.context(), "DELETE", PlanPath(view.plan.id()), nullptr)
          .status());
  PrintRemovedPlan(remote.console(), view.plan);
  return {};
}

Outcome RemotePlanNext(Remote& remote) {
  const Command& command = remote.command();
  SLUICE_ASSIGN_OR_RETURN(const uint64_t count,
                          command.GetCount("count", kTimesShown));
  SLUICE_ASSIGN_OR_RETURN(
      const ApiAnswer answer,
      remote.api.Get(remote.context(),
                     PlanPath(command.arguments.front(),
                              absl::StrCat("/next?count=", count))));
  SLUICE_ASSIGN_OR_RETURN(const std::vector<service::PlannedTime> times,
                          ReadList(answer.body, "times", &ReadPlannedTime));
  Plan plan;
  if (times.empty()) {
    SLUICE_ASSIGN_OR_RETURN(PlanView view, GetPlan(remote));
    plan = std::move(view.plan);
  }
  PrintTimes(remote.console(), plan, times);
  return {};
}

}  // namespace sluice::cli
