// prune, pin, unpin.

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/time/time.h"
#include "sluice/base/clock.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/cli/terminal/text.h"
#include "sluice/cli/verbs/archives.h"
#include "sluice/cli/verbs/asking.h"
#include "sluice/cli/verbs/verbs.h"
#include "sluice/cli/views/archive_view.h"
#include "sluice/cli/views/pin_words.h"
#include "sluice/cli/views/prune_view.h"
#include "sluice/service/work/named_removal.h"
#include "sluice/service/work/prune.h"

namespace sluice::cli {
namespace {

using service::PruneReport;
using service::RetentionReasonKind;

// --- by the plans' rules

Outcome PruneOne(Session& session, Catalog& catalog, const std::string& repo_id,
                 const service::PruneOptions& options) {
  SLUICE_ASSIGN_OR_RETURN(
      const OpenedRepo repo,
      session.OpenRepo(repo_id,
                       options.dry_run ? RepoUse::kRead : RepoUse::kWrite,
                       /*init=*/false));
  SLUICE_ASSIGN_OR_RETURN(
      const PruneReport report,
      service::PruneRepo(session.context(), catalog, repo, options));
  Outcome outcome;
  for (const service::PrunedGroup& group : report.groups) {
    PrintPruned(session.console(), repo.row.id(), repo.label(), group, report,
                options.dry_run);
    if (!group.decision.suspended.empty()) outcome.code = ExitCode::kWarnings;
  }
  SLUICE_RETURN_IF_ERROR(session.console().Flush());
  SLUICE_RETURN_IF_ERROR(report.problem);
  return outcome;
}

// Those that a plan writes to, or all plans where `plan_id` is empty.
absl::StatusOr<std::vector<std::string>> ReposOfPlans(
    Session& session, Catalog& catalog, const std::string& plan_id) {
  SLUICE_ASSIGN_OR_RETURN(
      const std::vector<PlanTarget> targets,
      catalog.plans().ListTargets(session.context(), plan_id));
  std::vector<std::string> repos;
  for (const PlanTarget& target : targets) {
    if (std::find(repos.begin(), repos.end(), target.repo_id) == repos.end()) {
      repos.push_back(target.repo_id);
    }
  }
  return repos;
}

Outcome PruneByRules(Session& session, Catalog& catalog) {
  const Command& command = session.command();
  if (command.Has("override")) {
    return InvalidArgument("--override needs archives that are named",
                           "no rule goes below a floor");
  }
  service::PruneOptions options;
  options.dry_run = command.Has("dry-run");
  options.accept_adopted = command.Has("accept-adopted");
  if (command.Has("plan")) {
    SLUICE_ASSIGN_OR_RETURN(const Plan plan,
                            KnownPlan(session, command.Get("plan")));
    options.plan_id = plan.id();
  }
  std::vector<std::string> repos;
  if (command.Has("repo")) {
    repos = {command.Get("repo")};
  } else {
    SLUICE_ASSIGN_OR_RETURN(repos,
                            ReposOfPlans(session, catalog, options.plan_id));
  }
  Outcome worst;
  for (const std::string& repo : repos) {
    const Outcome outcome = PruneOne(session, catalog, repo, options);
    if (outcome.status.ok()) {
      if (worst.status.ok() && worst.code == ExitCode::kOk) worst = outcome;
    } else if (worst.status.ok()) {
      worst = outcome;
    } else {
      session.console().Error(outcome.status);
    }
    if (session.context().done()) break;
  }
  return worst;
}

// --- by name

// All ids are looked at before the first archive goes.
absl::StatusOr<std::set<std::string>> NamedIds(
    Session& session, const std::vector<ArchiveRow>& archives) {
  std::set<std::string> named;
  for (const std::string& word : session.command().arguments) {
    if (word == "latest") {
      return InvalidArgument("prune takes ids, not latest",
                             "`sluice list` shows the ids");
    }
    SLUICE_ASSIGN_OR_RETURN(const ArchiveRow row,
                            Choose(session, archives, {word, ""}));
    named.insert(row.id);
  }
  return named;
}

// The first refusal is the verb's error, the others are told here.
absl::Status TellRefused(Session& session,
                         const std::vector<service::RefusedRemoval>& refused) {
  for (size_t i = 1; i < refused.size(); ++i) {
    session.console().Error(refused[i].status);
  }
  return refused.empty() ? absl::OkStatus() : refused.front().status;
}

Outcome RemoveThem(Session& session, Catalog& catalog, const OpenedRepo& repo,
                   const std::vector<std::string>& ids) {
  const bool dry_run = session.command().Has("dry-run");
  for (const std::string& id : ids) {
    if (!dry_run) {
      const absl::Status removed =
          service::RemoveArchive(session.context(), catalog, repo, id);
      NoteAudit(session, "archive remove", id, removed);
      SLUICE_RETURN_IF_ERROR(Annotate(removed, absl::StrCat("archive ", id)));
    }
    PrintRemovedArchive(session.console(), id, dry_run);
    SLUICE_RETURN_IF_ERROR(session.console().Flush());
  }
  return {};
}

Outcome PruneNamed(Session& session, Catalog& catalog) {
  const Command& command = session.command();
  if (command.Has("plan")) {
    return InvalidArgument("archives and --plan are mutually exclusive",
                           "an archive's id says it all");
  }
  if (command.Has("accept-adopted")) {
    return InvalidArgument("--accept-adopted concerns the rules of plans",
                           "an archive that is named goes without it");
  }
  std::set<RetentionReasonKind> overrides;
  for (const std::string& word : command.GetAll("override")) {
    SLUICE_ASSIGN_OR_RETURN(const RetentionReasonKind floor,
                            service::ParseRetentionFloor(word));
    overrides.insert(floor);
  }
  SLUICE_ASSIGN_OR_RETURN(const OpenedRepo repo,
                          session.OpenRepo(RepoUse::kWrite));
  SLUICE_ASSIGN_OR_RETURN(const auto archives,
                          LoadArchives(session, repo, RepoUse::kWrite));
  SLUICE_ASSIGN_OR_RETURN(const auto ids, NamedIds(session, archives));
  SLUICE_ASSIGN_OR_RETURN(
      const service::NamedRemoval removal,
      service::DecideNamed(session.context(), catalog, repo, archives, ids,
                           overrides, Clock::Real()->Now()));
  SLUICE_RETURN_IF_ERROR(TellRefused(session, removal.refused));
  if (!command.Has("dry-run")) {
    SLUICE_RETURN_IF_ERROR(AskFirst(
        session,
        absl::StrCat("remove ", absl::StrJoin(removal.removals, ", "), "?"),
        "nothing was removed"));
  }
  return RemoveThem(session, catalog, repo, removal.removals);
}

// --- pins

// The archive that a person means, by the catalog's record of it.
absl::StatusOr<BackupRecord> RecordMeant(Session& session, Catalog& catalog) {
  const std::string& id = session.command().arguments.front();
  if (!session.command().Has("repo") && id != "latest") {
    return catalog.GetRecord(session.context(), id);
  }
  SLUICE_ASSIGN_OR_RETURN(const OpenedRepo repo,
                          session.OpenRepo(RepoUse::kRead));
  SLUICE_ASSIGN_OR_RETURN(const auto archives, LoadArchives(session, repo));
  SLUICE_ASSIGN_OR_RETURN(const ArchiveRow row,
                          Choose(session, archives, {id, ""}));
  if (row.record.has_value()) return *row.record;
  return WithHint(
      MakeError(absl::StatusCode::kNotFound, kRecordNotFound,
                absl::StrCat("the catalog has no record of archive ", row.id)),
      "`sluice reconcile --adopt` records it");
}

Outcome SetPin(Session& session, const absl::optional<Pin>& pin) {
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  SLUICE_ASSIGN_OR_RETURN(const BackupRecord meant,
                          RecordMeant(session, *catalog));
  const absl::Status set = catalog->SetPin(session.context(), meant.id(), pin);
  NoteAudit(session, pin.has_value() ? "pin" : "unpin", meant.id(), set);
  SLUICE_RETURN_IF_ERROR(set);
  SLUICE_ASSIGN_OR_RETURN(const BackupRecord record,
                          catalog->GetRecord(session.context(), meant.id()));
  PrintPinned(session.console(), record);
  return {};
}

}  // namespace

Outcome RunPruneVerb(Session& session) {
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  if (!session.command().Has("dry-run")) {
    SLUICE_RETURN_IF_ERROR(CheckCatalogIsOurs(session));
  }
  return session.command().arguments.empty() ? PruneByRules(session, *catalog)
                                             : PruneNamed(session, *catalog);
}

Outcome RunPinVerb(Session& session) {
  Pin pin;
  pin.reason = session.command().Get("reason");
  if (session.command().Has("until")) {
    SLUICE_ASSIGN_OR_RETURN(
        pin.until,
        ParseUntil(session.command().Get("until"), Clock::Real()->Now()));
  }
  return SetPin(session, pin);
}

Outcome RunUnpinVerb(Session& session) {
  return SetPin(session, absl::nullopt);
}

}  // namespace sluice::cli
