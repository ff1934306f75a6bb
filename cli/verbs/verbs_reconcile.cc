// reconcile, sweep.

#include <algorithm>
#include <set>
#include <string>

#include "absl/strings/str_cat.h"
#include "sluice/base/status_macros.h"
#include "sluice/catalog/reconcile.h"
#include "sluice/cli/terminal/text.h"
#include "sluice/cli/verbs/asking.h"
#include "sluice/cli/verbs/verbs.h"
#include "sluice/service/repo_sweep.h"
#include "sluice/service/repo_view.h"
#include "sluice/service/settings/adoption.h"
#include "sluice/service/settings/repo_settings.h"

namespace sluice::cli {
namespace {

// What a later run, or a person, still has to settle.
bool IsOpen(ReconcileFinding::Kind kind) {
  return kind == ReconcileFinding::Kind::kArchiveWithoutRecord ||
         kind == ReconcileFinding::Kind::kRecordWithoutArchive;
}

void Print(Console& console, const ReconcileFinding& finding) {
  if (!console.json()) {
    console.Result(absl::StrCat(finding.id, "  ", WordOf(finding.kind), "  ",
                                Printable(finding.message), "\n"));
    return;
  }
  Json error = nullptr;
  if (!finding.status.ok()) {
    error = ErrorJson(finding.status, absl::nullopt)["error"];
  }
  console.ResultJson({{"id", finding.id},
                      {"finding", std::string(WordOf(finding.kind))},
                      {"message", finding.message},
                      {"error", error}});
}

// What another catalog made of a plan is removed by that plan's rules only once
// somebody has seen what they would remove.
absl::Status MarkPlans(Session& session, Catalog& catalog,
                       const ReconcileReport& report) {
  std::set<std::string> plans;
  for (const ReconcileFinding& finding : report.findings) {
    if (finding.kind != ReconcileFinding::Kind::kArchiveAdopted) continue;
    SLUICE_ASSIGN_OR_RETURN(const BackupRecord record,
                            catalog.GetRecord(session.context(), finding.id));
    if (!record.plan_id().empty()) plans.insert(record.plan_id());
  }
  for (const std::string& plan : plans) {
    SLUICE_RETURN_IF_ERROR(
        service::AwaitAcceptance(session.context(), catalog, plan));
  }
  return absl::OkStatus();
}

// Where a lost catalog's plans and pins stand.
void NoteSettings(Session& session, Catalog& catalog, const OpenedRepo& repo) {
  const auto found = service::ReadRepoSettings(session.context(), *repo.store);
  if (!found.ok()) return;
  const bool others =
      std::any_of(found->newest.begin(), found->newest.end(),
                  [&](const service::RepoSettings& settings) {
                    return settings.catalog_id != catalog.catalog_id();
                  });
  if (!others) return;
  session.console().Note(absl::StrCat(
      "this repo also keeps the plans and pins of a catalog that wrote to it: "
      "`sluice import --from-repo ",
      session.command().Get("repo"), "` brings them back"));
}

void PrintSweep(Console& console, const SweepReport& report) {
  if (!console.json()) {
    console.Done(absl::StrCat(
        "removed ", report.objects_deleted, " objects (",
        SizeText(report.bytes_deleted), ") of ", report.ended.size(),
        " dead runs, ", report.uploads_aborted, " unfinished uploads; left ",
        report.live.size(), " live runs alone\n"));
    for (const std::string& id : report.lost) {
      console.Result(absl::StrCat(
          id,
          " has a payload and no manifest: left alone; --take-lost removes "
          "it\n"));
    }
    for (const std::string& id : report.spared) {
      console.Result(absl::StrCat(
          id, " left alone: it is recorded, or something in it is young\n"));
    }
    return;
  }
  Json problems = Json::array();
  for (const absl::Status& problem : report.problems) {
    problems.push_back(ErrorJson(problem, absl::nullopt)["error"]);
  }
  console.ResultJson({{"ended", report.ended},
                      {"live", report.live},
                      {"lost", report.lost},
                      {"spared", report.spared},
                      {"objects_deleted", report.objects_deleted},
                      {"bytes_deleted", report.bytes_deleted},
                      {"uploads_aborted", report.uploads_aborted},
                      {"tombstones_deleted", report.tombstones_deleted},
                      {"problems", problems}});
}

}  // namespace

Outcome RunReconcileVerb(Session& session) {
  const Command& command = session.command();
  ReconcileOptions options;
  options.adopt_all = command.Has("adopt-all");
  options.adopt =
      options.adopt_all || command.Has("adopt") || command.Has("adopt-foreign");
  options.forget = command.Has("forget");
  if (command.Has("adopt-foreign")) {
    options.adopt_foreign.push_back(command.Get("adopt-foreign"));
  }
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  SLUICE_RETURN_IF_ERROR(CheckCatalogIsOurs(session));
  SLUICE_ASSIGN_OR_RETURN(const OpenedRepo repo,
                          session.OpenRepo(RepoUse::kWrite));
  service::RepoView view(repo.destination);
  SLUICE_ASSIGN_OR_RETURN(
      const ReconcileReport report,
      Reconcile(session.context(), *catalog, repo.row, view, options));
  if (options.adopt_all || !options.adopt_foreign.empty()) {
    SLUICE_RETURN_IF_ERROR(MarkPlans(session, *catalog, report));
  }
  Outcome outcome;
  for (const ReconcileFinding& finding : report.findings) {
    Print(session.console(), finding);
    if (IsOpen(finding.kind) && outcome.code == ExitCode::kOk) {
      outcome.code = ExitCode::kWarnings;
    }
  }
  if (report.Count(ReconcileFinding::Kind::kDamagedArchive) +
          report.Count(ReconcileFinding::Kind::kJobFailed) >
      0) {
    outcome.code = ExitCode::kDamage;
  }
  if (report.findings.empty() && !session.console().json()) {
    session.console().Note("catalog and repo agree");
  }
  if (options.adopt_all) NoteSettings(session, *catalog, repo);
  SLUICE_RETURN_IF_ERROR(report.status());
  return outcome;
}

Outcome RunSweepVerb(Session& session) {
  SLUICE_RETURN_IF_ERROR(CheckCatalogIsOurs(session));
  SLUICE_ASSIGN_OR_RETURN(const OpenedRepo repo,
                          session.OpenRepo(RepoUse::kWrite));
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  SLUICE_ASSIGN_OR_RETURN(
      const SweepReport report,
      service::SweepRepo(session.context(), *catalog, repo,
                         session.command().Has("take-lost")));
  PrintSweep(session.console(), report);
  Outcome outcome;
  if (!report.lost.empty()) outcome.code = ExitCode::kWarnings;
  for (const absl::Status& problem : report.problems) {
    session.console().Error(problem);
    outcome.code = ExitCode::kWarnings;
  }
  return outcome;
}

}  // namespace sluice::cli
