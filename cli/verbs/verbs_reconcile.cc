// reconcile.

#include <string>

#include "absl/strings/str_cat.h"
#include "sluice/base/status_macros.h"
#include "sluice/catalog/reconcile.h"
#include "sluice/cli/terminal/text.h"
#include "sluice/cli/verbs/verbs.h"
#include "sluice/service/repo_view.h"

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
  SLUICE_ASSIGN_OR_RETURN(const OpenedRepo repo,
                          session.OpenRepo(RepoUse::kWrite));
  service::RepoView view(repo.destination);
  SLUICE_ASSIGN_OR_RETURN(
      const ReconcileReport report,
      Reconcile(session.context(), *catalog, repo.row, view, options));
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
  SLUICE_RETURN_IF_ERROR(report.status());
  return outcome;
}

}  // namespace sluice::cli
