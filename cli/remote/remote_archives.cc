// list, show, prune, pin, unpin through a server.

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "sluice/base/clock.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/cli/remote/remote_verbs.h"
#include "sluice/cli/terminal/exit_code.h"
#include "sluice/cli/terminal/json.h"
#include "sluice/cli/verbs/archives.h"
#include "sluice/cli/verbs/asking.h"
#include "sluice/cli/views/archive_view.h"
#include "sluice/cli/views/pin_words.h"
#include "sluice/cli/views/prune_view.h"

namespace sluice::cli {
namespace {

absl::StatusOr<NamesById> PlanNames(Remote& remote) {
  SLUICE_ASSIGN_OR_RETURN(const std::vector<PlanView> plans,
                          remote.api.List(remote.context(), "/plans?limit=200",
                                          "plans", &ReadPlan));
  NamesById names;
  for (const PlanView& view : plans) names[view.plan.id()] = view.plan.name();
  return names;
}

absl::StatusOr<BackupRepo> NamedRepo(Remote& remote) {
  SLUICE_ASSIGN_OR_RETURN(const std::string name,
                          remote.command().Require("repo"));
  SLUICE_ASSIGN_OR_RETURN(
      const ApiAnswer answer,
      remote.api.Get(remote.context(),
                     absl::StrCat("/repos/", UrlEscape(name))));
  return ReadRepo(answer.body);
}

absl::StatusOr<BackupRecord> GetRecord(Remote& remote, const std::string& id) {
  SLUICE_ASSIGN_OR_RETURN(
      const ApiAnswer answer,
      remote.api.Get(remote.context(),
                     absl::StrCat("/backups/", UrlEscape(id))));
  return ReadRecord(answer.body);
}

// The archive that a person means, by the catalog's record of it.
absl::StatusOr<BackupRecord> RecordMeant(Remote& remote) {
  const Command& command = remote.command();
  const std::string& id = command.arguments.front();
  if (!command.Has("repo") && id != "latest") return GetRecord(remote, id);
  SLUICE_ASSIGN_OR_RETURN(const std::string repo, command.Require("repo"));
  SLUICE_ASSIGN_OR_RETURN(const std::vector<ArchiveRow> rows,
                          RemoteArchives(remote, repo));
  SLUICE_ASSIGN_OR_RETURN(const ArchiveRow row,
                          Choose(remote.session, rows, {id, ""}));
  return GetRecord(remote, row.id);
}

Outcome SetPin(Remote& remote, const Json& body) {
  SLUICE_ASSIGN_OR_RETURN(const BackupRecord meant, RecordMeant(remote));
  SLUICE_ASSIGN_OR_RETURN(
      const ApiAnswer answer,
      remote.api.Change(remote.context(), "PATCH",
                        absl::StrCat("/backups/", UrlEscape(meant.id())),
                        body));
  SLUICE_ASSIGN_OR_RETURN(const BackupRecord record, ReadRecord(answer.body));
  if (record.id() != meant.id()) return AnswerError("it is of another archive");
  PrintPinned(remote.console(), record);
  return {};
}

absl::Status CheckPruneWords(const Command& command) {
  const bool by_rules = command.arguments.empty();
  if (by_rules && !(command.Has("plan") && command.Has("dry-run"))) {
    return InvalidArgument(
        "--server: sluice prune needs the archives' ids, or --plan and "
        "--dry-run",
        "a service goes by the rules of a plan after each of its runs, and "
        "once a day");
  }
  for (const char* flag :
       {"override", by_rules ? "repo" : "dry-run", by_rules ? "yes" : "plan"}) {
    if (!command.Has(flag)) continue;
    return InvalidArgument(
        absl::StrCat("--", flag, " and --server are mutually exclusive here"),
        "run it where the server runs");
  }
  return absl::OkStatus();
}

struct PreviewedRepo {
  std::string name;
  std::vector<service::PrunedGroup> groups;
};

absl::StatusOr<PreviewedRepo> ReadPreviewedRepo(const AnswerJson& json) {
  if (!json.is_object()) return AnswerError("a repo is no object");
  PreviewedRepo repo;
  SLUICE_ASSIGN_OR_RETURN(repo.name, ReadText(json, "repo"));
  SLUICE_ASSIGN_OR_RETURN(repo.groups, ReadList(json, "stores", &ReadPruned));
  return repo;
}

// What the rules of a plan would remove now.
Outcome PreviewPrune(Remote& remote) {
  const std::string path =
      absl::StrCat("/plans/", UrlEscape(remote.command().Get("plan")));
  SLUICE_ASSIGN_OR_RETURN(const ApiAnswer plan,
                          remote.api.Get(remote.context(), path));
  SLUICE_ASSIGN_OR_RETURN(const PlanView view, ReadPlan(plan.body));
  SLUICE_ASSIGN_OR_RETURN(
      const ApiAnswer answer,
      remote.api.Get(remote.context(),
                     absl::StrCat(path, "/preview-retention")));
  SLUICE_ASSIGN_OR_RETURN(const std::vector<PreviewedRepo> repos,
                          ReadList(answer.body, "repos", &ReadPreviewedRepo));
  SLUICE_ASSIGN_OR_RETURN(const NamesById names, RemoteRepoNames(remote));
  Outcome outcome;
  for (const PreviewedRepo& repo : repos) {
    const auto named =
        std::find_if(names.begin(), names.end(),
                     [&](const auto& row) { return row.second == repo.name; });
    for (service::PrunedGroup group : repo.groups) {
      group.plan_id = view.plan.id();
      group.plan_name = view.plan.name();
      PrintPruned(remote.console(), named == names.end() ? "" : named->first,
                  repo.name, group, {}, /*dry_run=*/true);
      if (!group.decision.suspended.empty()) {
        outcome.code = ExitCode::kWarnings;
      }
    }
  }
  return outcome;
}

}  // namespace

absl::StatusOr<std::vector<ArchiveRow>> RemoteArchives(
    Remote& remote, const std::string& repo) {
  return remote.api.List(
      remote.context(),
      absl::StrCat("/repos/", UrlEscape(repo), "/archives?limit=200"),
      "archives", &ReadArchive);
}

Outcome RemoteList(Remote& remote) {
  const Command& command = remote.command();
  SLUICE_ASSIGN_OR_RETURN(const std::string repo, command.Require("repo"));
  SLUICE_ASSIGN_OR_RETURN(const std::vector<ArchiveRow> rows,
                          RemoteArchives(remote, repo));
  NamesById plans;
  if (!remote.console().json()) {
    SLUICE_ASSIGN_OR_RETURN(plans, PlanNames(remote));
  }
  return PrintArchives(remote.console(), rows,
                       {command.Get("store"), command.Get("label")}, plans,
                       Clock::Real()->Now());
}

Outcome RemoteShow(Remote& remote) {
  const Command& command = remote.command();
  SLUICE_ASSIGN_OR_RETURN(const BackupRepo repo, NamedRepo(remote));
  SLUICE_ASSIGN_OR_RETURN(const std::vector<ArchiveRow> rows,
                          RemoteArchives(remote, repo.id()));
  SLUICE_ASSIGN_OR_RETURN(
      const ArchiveRow row,
      Choose(remote.session, rows,
             {command.arguments.front(), command.Get("store")}));
  NamesById plans;
  if (!remote.console().json()) {
    SLUICE_ASSIGN_OR_RETURN(plans, PlanNames(remote));
  }
  PrintArchive(remote.console(), row,
               repo.name().empty() ? repo.config() : repo.name(), plans);
  return row.unreadable();
}

Outcome RemotePrune(Remote& remote) {
  const Command& command = remote.command();
  SLUICE_RETURN_IF_ERROR(CheckPruneWords(command));
  if (command.arguments.empty()) return PreviewPrune(remote);
  // All ids are looked at before the first archive goes.
  std::vector<std::string> ids;
  for (const std::string& word : command.arguments) {
    if (word == "latest") {
      return InvalidArgument("prune takes ids, not latest",
                             "`sluice list` shows the ids");
    }
    SLUICE_ASSIGN_OR_RETURN(const BackupRecord record, GetRecord(remote, word));
    ids.push_back(record.id());
  }
  SLUICE_RETURN_IF_ERROR(AskFirst(
      remote.session, absl::StrCat("remove ", absl::StrJoin(ids, ", "), "?"),
      "nothing was removed"));
  for (const std::string& id : ids) {
    const absl::Status removed =
        remote.api
            .Change(remote.context(), "DELETE",
                    absl::StrCat("/backups/", UrlEscape(id)), nullptr)
            .status();
    SLUICE_RETURN_IF_ERROR(removed);
    PrintRemovedArchive(remote.console(), id, /*dry_run=*/false);
    SLUICE_RETURN_IF_ERROR(remote.console().Flush());
  }
  return {};
}

Outcome RemotePin(Remote& remote) {
  const Command& command = remote.command();
  Json body = {{"pinned", true}};
  if (command.Has("reason")) body["reason"] = command.Get("reason");
  if (command.Has("until")) {
    SLUICE_ASSIGN_OR_RETURN(
        const absl::Time until,
        ParseUntil(command.Get("until"), Clock::Real()->Now()));
    body["until"] =
        absl::FormatTime(absl::RFC3339_full, until, absl::UTCTimeZone());
  }
  return SetPin(remote, body);
}

Outcome RemoteUnpin(Remote& remote) {
  return SetPin(remote, {{"pinned", false}});
}

}  // namespace sluice::cli
