#include "sluice/cli/verbs/asking.h"

#include <unistd.h>

#include <iostream>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/clock.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/cli/terminal/text.h"
#include "sluice/plugins/host/uri.h"
#include "sluice/service/engine/presence.h"
#include "sluice/service/settings/machine.h"

namespace sluice::cli {

std::string Requester() { return absl::StrCat("uid ", getuid()); }

absl::Status AskFirst(Session& session, absl::string_view question,
                      absl::string_view otherwise) {
  if (session.command().Has("yes") || session.console().json() ||
      isatty(STDIN_FILENO) != 1 || isatty(STDERR_FILENO) != 1) {
    return absl::OkStatus();
  }
  session.console().Note(absl::StrCat(question, " Type yes to go on:"));
  std::string answer;
  std::getline(std::cin, answer);
  if (absl::AsciiStrToLower(absl::StripAsciiWhitespace(answer)) == "yes") {
    return absl::OkStatus();
  }
  return MakeError(absl::StatusCode::kCancelled, kCancelled, otherwise);
}

void NoteAudit(Session& session, absl::string_view action,
               absl::string_view target, const absl::Status& outcome) {
  const absl::StatusOr<Catalog*> catalog = session.catalog();
  absl::Status kept = catalog.status();
  if (catalog.ok()) {
    AuditEntry entry;
    entry.at = Clock::Real()->Now();
    entry.who = absl::StrCat("cli ", Requester());
    entry.action = std::string(action);
    entry.target = std::string(target);
    entry.outcome = outcome.ok() ? "ok" : ErrorCodeOf(outcome);
    kept = (*catalog)->access().AddAudit(
        Context::WithTimeout(Context::Background(), Clock::Real(),
                             kCatalogPatience)
            .first,
        entry);
  }
  if (kept.ok()) return;
  session.console().Note(absl::StrCat("warning: not in the audit list: ",
                                      Printable(std::string(kept.message()))));
}

absl::Status CheckServiceIsThere(Session& session) {
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  SLUICE_ASSIGN_OR_RETURN(const bool there,
                          service::NodePresence::AnyIsThere(
                              session.context(), *catalog, *Clock::Real()));
  if (there) return absl::OkStatus();
  return WithHint(MakeError(absl::StatusCode::kUnavailable, kServiceNotRunning,
                            "--async: no `sluice serve` works on this catalog"),
                  "start `sluice serve`, or leave out --async");
}

std::string ThisMachine(Session& session) {
  const char* const said = session.environment()("SLUICE_MACHINE_ID");
  return service::MachineOf(said == nullptr ? "" : said);
}

absl::Status CheckCatalogIsOurs(Session& session) {
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  return service::CheckMachine(session.context(), *catalog,
                               ThisMachine(session));
}

absl::Status CheckOthersCanOpen(absl::string_view uri, absl::string_view flag) {
  SLUICE_ASSIGN_OR_RETURN(const Uri parsed, ParseUri(uri));
  for (const auto& [key, value] : parsed.options) {
    if (!absl::StartsWith(value, "env:")) continue;
    return InvalidArgument(
        absl::StrCat("--", flag, ": ", key,
                     " is in a variable of this shell, which "
                     "`sluice serve` does not have"),
        absl::StrCat("a file:/path or cmd:COMMAND that both can read, or "
                     "without --",
                     flag));
  }
  return absl::OkStatus();
}

absl::StatusOr<BackupRepo> KnownRepo(Session& session,
                                     absl::string_view name_or_uri) {
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  if (!LooksLikeUri(name_or_uri)) {
    absl::StatusOr<BackupRepo> row =
        catalog->GetRepo(session.context(), name_or_uri);
    if (row.ok() || !HintOf(row.status()).empty()) return row;
    return WithHint(row.status(), session.HintForRepo(*catalog, name_or_uri));
  }
  SLUICE_ASSIGN_OR_RETURN(PluginHost* const host, session.host());
  SLUICE_ASSIGN_OR_RETURN(const UriFacts facts,
                          host->ReadPlaceUri(PlaceUri(name_or_uri)));
  SLUICE_ASSIGN_OR_RETURN(const std::vector<BackupRepo> there,
                          session.ReposAt(facts.uri));
  if (there.size() == 1) return there.front();
  return WithHint(
      MakeError(absl::StatusCode::kNotFound, kRepoNotFound,
                absl::StrCat("the catalog knows ",
                             there.empty() ? "no repo" : "several repos",
                             " at ", facts.uri)),
      "`sluice repo add NAME URI` makes it known by a name");
}

absl::StatusOr<Plan> KnownPlan(Session& session, absl::string_view name) {
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  absl::StatusOr<Plan> plan = catalog->plans().GetPlan(session.context(), name);
  if (plan.ok() || !HintOf(plan.status()).empty()) return plan;
  std::vector<std::string> names;
  const auto plans = catalog->plans().ListPlans(session.context());
  if (plans.ok()) {
    for (const Plan& known : *plans) names.push_back(known.name());
  }
  const std::string meant = DidYouMean(name, names);
  return WithHint(plan.status(),
                  meant.empty() ? "`sluice plan list` shows those there are"
                                : absl::StrCat("did you mean ", meant, "?"));
}

}  // namespace sluice::cli
