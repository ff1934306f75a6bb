// export, import, plan apply.

#include <algorithm>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sluice/base/clock.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/cli/terminal/text.h"
#include "sluice/cli/verbs/asking.h"
#include "sluice/cli/verbs/verbs.h"
#include "sluice/service/admin/plan_apply.h"
#include "sluice/service/json/json.h"
#include "sluice/service/settings/adoption.h"
#include "sluice/service/settings/repo_settings.h"
#include "sluice/service/settings/settings.h"

namespace sluice::cli {
namespace {

using service::AppliedPlan;
using service::ImportedObject;

absl::StatusOr<std::string> ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(file)),
                   std::istreambuf_iterator<char>());
  if (file.is_open() && !file.bad()) return text;
  return InvalidArgument(absl::StrCat(path, " cannot be read"),
                         "what `sluice export` printed");
}

void PrintImported(Console& console, const ImportedObject& object) {
  const std::string word(service::ImportWord(object.action));
  if (console.json()) {
    Json error = nullptr;
    if (!object.status.ok()) {
      error = ErrorJson(object.status, absl::nullopt)["error"];
    }
    console.ResultJson({{"kind", object.kind},
                        {"id", object.id},
                        {"name", object.name},
                        {"action", word},
                        {"error", error}});
  } else {
    console.Result(absl::StrCat(object.kind, " ", Printable(object.name), " ",
                                word, "\n"));
  }
  if (!object.status.ok()) {
    console.Error(
        Annotate(object.status, absl::StrCat(object.kind, " ", object.name)));
  }
}

Outcome Told(Session& session, const std::vector<ImportedObject>& objects) {
  Outcome outcome;
  for (const ImportedObject& object : objects) {
    PrintImported(session.console(), object);
    if (object.action == ImportedObject::Action::kKept) continue;
    NoteAudit(session, absl::StrCat("import ", object.kind), object.name,
              object.status);
    if (!object.status.ok()) outcome.code = ExitCode::kWarnings;
  }
  return outcome;
}

Outcome ImportFile(Session& session) {
  SLUICE_ASSIGN_OR_RETURN(const std::string text,
                          ReadAll(session.command().arguments.front()));
  SLUICE_ASSIGN_OR_RETURN(const service::Settings settings,
                          service::ParseSettings(text));
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  return Told(session, service::Import(session.context(), *catalog, settings,
                                       Clock::Real()->Now()));
}

bool IsAddedPlan(const ImportedObject& object) {
  return object.kind == "plan" &&
         object.action == ImportedObject::Action::kAdded;
}

Outcome ImportRepo(Session& session) {
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  SLUICE_ASSIGN_OR_RETURN(
      const OpenedRepo repo,
      session.OpenRepo(session.command().Get("from-repo"), RepoUse::kWrite,
                       /*init=*/false));
  SLUICE_ASSIGN_OR_RETURN(
      const service::FoundSettings found,
      service::ReadRepoSettings(session.context(), *repo.store));
  const std::vector<ImportedObject> objects = service::ImportFromRepo(
      session.context(), *catalog, repo.row, found, Clock::Real()->Now());
  Outcome outcome = Told(session, objects);
  for (const absl::Status& problem : found.problems) {
    session.console().Error(problem);
    outcome.code = ExitCode::kWarnings;
  }
  if (found.newest.empty() && found.problems.empty()) {
    session.console().Note("no catalog has kept its settings in this repo");
  }
  if (std::any_of(objects.begin(), objects.end(), IsAddedPlan)) {
    session.console().Note(
        "plans come back paused: once the machine that ran one before is gone, "
        "`sluice plan resume NAME` lets it be due, and `sluice prune "
        "--accept-adopted` lets its rules remove");
  }
  return outcome;
}

// --- plans as a file says them

void PrintApplied(Console& console, const std::vector<AppliedPlan>& plans,
                  bool dry_run) {
  for (const AppliedPlan& applied : plans) {
    const std::string word(service::ApplyWord(applied.action));
    if (console.json()) {
      console.ResultJson({{"name", applied.plan.name()},
                          {"action", word},
                          {"changed", applied.changed},
                          {"dry_run", dry_run},
                          {"plan", service::PlanJson(applied.plan)}});
      continue;
    }
    std::string line = absl::StrCat("plan ", applied.plan.name(), " ",
                                    dry_run ? "would be " : "", word);
    if (!applied.changed.empty()) {
      absl::StrAppend(&line, ": ", absl::StrJoin(applied.changed, ", "));
    }
    console.Result(line + "\n");
  }
}

// All of them, in the file's order; the first that is refused ends it.
absl::StatusOr<std::vector<AppliedPlan>> ApplyAll(
    Session& session, const std::vector<service::PlanStatement>& statements,
    const service::ApplyOptions& options) {
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  SLUICE_ASSIGN_OR_RETURN(PluginHost* const host, session.host());
  std::vector<AppliedPlan> done;
  for (const service::PlanStatement& statement : statements) {
    const absl::StatusOr<AppliedPlan> applied = service::ApplyPlan(
        session.context(), *catalog, *host, *Clock::Real(), statement, options);
    const bool same =
        applied.ok() && applied->action == AppliedPlan::Action::kSame;
    if (!options.dry_run && !same) {
      NoteAudit(session, "plan apply", statement.name, applied.status());
    }
    SLUICE_RETURN_IF_ERROR(
        Annotate(applied.status(), absl::StrCat("plan ", statement.name)));
    done.push_back(*applied);
  }
  return done;
}

}  // namespace

Outcome RunExportVerb(Session& session) {
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  SLUICE_ASSIGN_OR_RETURN(const service::Settings settings,
                          service::ReadSettings(session.context(), *catalog));
  session.console().ResultJson(service::SettingsJson(settings));
  return {};
}

Outcome RunImportVerb(Session& session) {
  const Command& command = session.command();
  if (command.arguments.empty() != command.Has("from-repo")) {
    return InvalidArgument(
        "sluice import takes a file, or --from-repo, and not both",
        "what `sluice export` printed, or a repo that a lost catalog wrote to");
  }
  return command.Has("from-repo") ? ImportRepo(session) : ImportFile(session);
}

Outcome RunPlanApplyVerb(Session& session) {
  SLUICE_ASSIGN_OR_RETURN(const std::string text,
                          ReadAll(session.command().arguments.front()));
  SLUICE_ASSIGN_OR_RETURN(const auto statements, service::ParsePlans(text));
  service::ApplyOptions options;
  options.checks.open_source = !session.command().Has("no-check");
  options.dry_run = true;
  SLUICE_ASSIGN_OR_RETURN(const std::vector<AppliedPlan> would,
                          ApplyAll(session, statements, options));
  if (session.command().Has("dry-run")) {
    PrintApplied(session.console(), would, /*dry_run=*/true);
    return {};
  }
  options.checks.open_source = false;  // they were
  options.dry_run = false;
  const absl::StatusOr<std::vector<AppliedPlan>> applied =
      ApplyAll(session, statements, options);
  SLUICE_RETURN_IF_ERROR(applied.status());
  PrintApplied(session.console(), *applied, /*dry_run=*/false);
  return {};
}

}  // namespace sluice::cli
