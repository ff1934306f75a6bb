// repo add, list, show, edit, remove, rename, move, repair.

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "sluice/base/clock.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/cli/terminal/text.h"
#include "sluice/cli/verbs/archives.h"
#include "sluice/cli/verbs/asking.h"
#include "sluice/cli/verbs/follow.h"
#include "sluice/cli/verbs/plan_run.h"
#include "sluice/cli/verbs/run_report.h"
#include "sluice/cli/verbs/verbs.h"
#include "sluice/cli/views/archive_view.h"
#include "sluice/destinations/archive/read/repair.h"
#include "sluice/service/admin/repo_admin.h"
#include "sluice/service/admin/requests.h"
#include "sluice/service/work/purge.h"

namespace sluice::cli {
namespace {

absl::Status CheckIsUri(const std::string& uri) {
  if (LooksLikeUri(uri)) return absl::OkStatus();
  return InvalidArgument(absl::StrCat("\"", uri, "\" is not a place URI"),
                         absl::StrCat("local:", uri, "?"));
}

// That no other place has the name. The place may be a repo that is known
// under it.
absl::Status CheckNameIsFree(Session& session, const std::string& name,
                             const std::string& uri) {
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  SLUICE_ASSIGN_OR_RETURN(PluginHost* const host, session.host());
  SLUICE_ASSIGN_OR_RETURN(const UriFacts facts,
                          host->ReadPlaceUri(PlaceUri(uri)));
  SLUICE_ASSIGN_OR_RETURN(const auto here, session.ReposAt(facts.uri));
  SLUICE_ASSIGN_OR_RETURN(const auto repos,
                          catalog->ListRepos(session.context()));
  for (const BackupRepo& repo : repos) {
    if (repo.name() != name) continue;
    const bool same = std::any_of(
        here.begin(), here.end(),
        [&](const BackupRepo& other) { return other.id() == repo.id(); });
    if (same) continue;
    return WithHint(
        MakeError(absl::StatusCode::kAlreadyExists, kNameTaken,
                  absl::StrCat("the name ", name, " belongs to repo ",
                               repo.id(), " at ", repo.config())),
        absl::StrCat("where that has moved here: `sluice repo move ", name, " ",
                     uri, "`; else another name"));
  }
  return absl::OkStatus();
}

// That of the first word, by its name as it stands: what is forgotten is not to
// be guessed.
absl::StatusOr<BackupRepo> ExactRepo(Session& session, Catalog& catalog) {
  const std::string& name = session.command().arguments[0];
  SLUICE_ASSIGN_OR_RETURN(const auto repos,
                          catalog.ListRepos(session.context()));
  for (const BackupRepo& repo : repos) {
    if (repo.name() == name || repo.id() == name) return repo;
  }
  return WithHint(MakeError(absl::StatusCode::kNotFound, kRepoNotFound,
                            absl::StrCat("there is no repo ", name)),
                  session.HintForRepo(catalog, name));
}

// What the flags say; an empty value takes back what was said.
absl::StatusOr<service::RepoWords> RepoWordsOf(const Command& command) {
  service::RepoWords words;
  words.name = command.Get("rename");
  for (const std::string& text : command.GetAll("option")) {
    const size_t sign = text.find('=');
    if (sign == 0 || sign == std::string::npos) {
      return InvalidArgument(absl::StrCat("--option ", text, " is no K=V"),
                             "as allow_unsynced=true; K= takes one back");
    }
    words.options[text.substr(0, sign)] = text.substr(sign + 1);
  }
  if (command.Has("key-ref")) {
    words.key_refs.emplace();
    for (const std::string& ref : command.GetAll("key-ref")) {
      if (!ref.empty()) words.key_refs->push_back(ref);
    }
  }
  return words;
}

// Between asking and claiming: where this process dies there, nobody else is to
// begin it much later.
constexpr absl::Duration kPurgePatience = absl::Minutes(1);

Outcome PurgeHere(Session& session, Catalog& catalog, const BackupRepo& repo) {
  service::Asker asker;
  asker.requester = Requester();
  asker.patience = kPurgePatience;
  SLUICE_ASSIGN_OR_RETURN(const QueuedRun run,
                          service::AskForPurge(session.context(), catalog,
                                               *Clock::Real(), repo, asker));
  const Outcome outcome = RunQueuedHere(session, run);
  if (!outcome.status.ok()) {
    if (outcome.job.has_value()) {
      NoteWarnings(session.console(), outcome.job->warnings());
    }
  } else if (!session.console().json()) {
    session.console().Done(
        absl::StrCat(repo.name(), " forgotten, and its archives at ",
                     Printable(repo.config()), " deleted\n"));
  }
  return outcome;
}

// What the catalog knows of what would go.
absl::StatusOr<std::string> PurgeQuestion(Session& session, Catalog& catalog,
                                          const BackupRepo& repo) {
  CatalogFilter filter;
  filter.repo_id = repo.id();
  SLUICE_ASSIGN_OR_RETURN(const std::vector<BackupRecord> records,
                          catalog.ListRecords(session.context(), filter));
  uint64_t bytes = 0;
  for (const BackupRecord& record : records) bytes += record.size_bytes();
  return absl::StrCat("delete ", records.size(), " archives (", SizeText(bytes),
                      ") at ", Printable(repo.config()), ", and forget repo ",
                      repo.name(), "?");
}

Outcome Purge(Session& session, Catalog& catalog, const BackupRepo& repo) {
  SLUICE_RETURN_IF_ERROR(CheckCatalogIsOurs(session));
  // Before anybody is asked.
  SLUICE_RETURN_IF_ERROR(
      service::CheckRepoIsFree(session.context(), catalog, repo, ""));
  SLUICE_ASSIGN_OR_RETURN(const std::string question,
                          PurgeQuestion(session, catalog, repo));
  if (session.command().Has("async")) {
    SLUICE_RETURN_IF_ERROR(CheckOthersCanOpen(repo.config()));
    SLUICE_RETURN_IF_ERROR(CheckServiceIsThere(session));
  }
  SLUICE_RETURN_IF_ERROR(AskFirst(session, question, "nothing was deleted"));
  if (!session.command().Has("async")) {
    const Outcome outcome = PurgeHere(session, catalog, repo);
    NoteAudit(session, "repo purge", repo.name(), outcome.status);
    return outcome;
  }
  const absl::StatusOr<QueuedRun> run = service::AskForPurge(
      session.context(), catalog, *Clock::Real(), repo, {Requester(), ""});
  NoteAudit(session, "repo purge", repo.name(), run.status());
  SLUICE_RETURN_IF_ERROR(run.status());
  PrintQueued(session.console(), *run);
  return {};
}

Outcome SaveRepo(Session& session, Catalog& catalog, const BackupRepo& repo) {
  SLUICE_RETURN_IF_ERROR(catalog.UpdateRepo(session.context(), repo));
  PrintRepo(session.console(), repo);
  return {};
}

}  // namespace

Outcome RunRepoAddVerb(Session& session) {
  const std::string& name = session.command().arguments[0];
  const std::string& uri = session.command().arguments[1];
  SLUICE_RETURN_IF_ERROR(service::CheckRepoName(name));
  SLUICE_RETURN_IF_ERROR(CheckIsUri(uri));
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  // Before anything is made.
  SLUICE_RETURN_IF_ERROR(CheckNameIsFree(session, name, uri));
  SLUICE_ASSIGN_OR_RETURN(
      OpenedRepo repo, session.OpenRepo(uri, RepoUse::kWrite, /*init=*/true));
  SLUICE_RETURN_IF_ERROR(repo.destination->Validate(session.context()));
  // --init knew it by its id alone, until now.
  const bool named = repo.row.name().empty() || repo.row.name() == name;
  if (!named) {
    return WithHint(
        MakeError(absl::StatusCode::kAlreadyExists, kNameTaken,
                  absl::StrCat("repo ", repo.row.id(), " has the name ",
                               repo.row.name(), " already")),
        absl::StrCat("`sluice repo rename ", repo.row.name(), " ", name, "`"));
  }
  SLUICE_ASSIGN_OR_RETURN(BackupRepo row,
                          catalog->GetRepo(session.context(), repo.row.id()));
  row.set_name(name);
  row.set_config(repo.row.config());
  return SaveRepo(session, *catalog, row);
}

Outcome RunRepoRemoveVerb(Session& session) {
  const Command& command = session.command();
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  SLUICE_ASSIGN_OR_RETURN(const BackupRepo repo, ExactRepo(session, *catalog));
  if (command.Has("purge-archives")) return Purge(session, *catalog, repo);
  if (command.Has("async")) {
    return InvalidArgument("--async is for --purge-archives",
                           "to forget a repo takes no time");
  }
  const absl::Status forgotten = service::ForgetRepo(
      session.context(), *catalog, repo, /*records_hold=*/false);
  NoteAudit(session, "repo remove", repo.name(), forgotten);
  SLUICE_RETURN_IF_ERROR(forgotten);
  PrintRemovedRepo(session.console(), repo);
  return {};
}

Outcome RunRepoEditVerb(Session& session) {
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  SLUICE_ASSIGN_OR_RETURN(PluginHost* const host, session.host());
  SLUICE_ASSIGN_OR_RETURN(const BackupRepo repo, ExactRepo(session, *catalog));
  SLUICE_ASSIGN_OR_RETURN(const service::RepoWords words,
                          RepoWordsOf(session.command()));
  const absl::StatusOr<service::EditedRepo> edited = service::EditRepo(
      session.context(), *catalog, *host, *Clock::Real(), repo, words);
  NoteAudit(session, "repo edit", repo.name(), edited.status());
  SLUICE_RETURN_IF_ERROR(edited.status());
  PrintRepo(session.console(), edited->repo);
  for (const std::string& note : edited->notes) session.console().Note(note);
  return {};
}

Outcome RunRepoRenameVerb(Session& session) {
  const std::string& name = session.command().arguments[1];
  SLUICE_RETURN_IF_ERROR(service::CheckRepoName(name));
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  SLUICE_ASSIGN_OR_RETURN(BackupRepo repo, ExactRepo(session, *catalog));
  repo.set_name(name);
  return SaveRepo(session, *catalog, repo);
}

Outcome RunRepoMoveVerb(Session& session) {
  const std::string& uri = session.command().arguments[1];
  SLUICE_RETURN_IF_ERROR(CheckIsUri(uri));
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  SLUICE_ASSIGN_OR_RETURN(BackupRepo repo, ExactRepo(session, *catalog));
  SLUICE_ASSIGN_OR_RETURN(
      const OpenedRepo there,
      session.OpenRepo(uri, RepoUse::kRead, /*init=*/false));
  if (there.row.id() != repo.id()) {
    return WithHint(
        MakeError(absl::StatusCode::kFailedPrecondition, kDestinationNotFound,
                  absl::StrCat(there.row.config(), " holds repo ",
                               there.row.id(), " in place of ", repo.id())),
        "a move follows the same repo; `sluice repo add` names another one");
  }
  repo.set_config(there.row.config());
  repo.set_kind(there.row.kind());
  return SaveRepo(session, *catalog, repo);
}

Outcome RunRepoListVerb(Session& session) {
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  SLUICE_ASSIGN_OR_RETURN(const auto repos,
                          catalog->ListRepos(session.context()));
  PrintRepos(session.console(), repos);
  return {};
}

Outcome RunRepoShowVerb(Session& session) {
  SLUICE_ASSIGN_OR_RETURN(
      const OpenedRepo repo,
      session.OpenRepo(session.command().arguments.front(), RepoUse::kRead,
                       /*init=*/false));
  SLUICE_ASSIGN_OR_RETURN(const auto rows, LoadArchives(session, repo));
  // The rest is summed up; the exit status says that one could not be read.
  return PrintRepoWithSum(session.console(), repo.row, repo.label(), rows);
}

Outcome RunRepoRepairVerb(Session& session) {
  SLUICE_ASSIGN_OR_RETURN(
      const OpenedRepo repo,
      session.OpenPlace(session.command().arguments.front(), RepoUse::kRead));
  SLUICE_ASSIGN_OR_RETURN(
      const RepairedRepo repaired,
      RepairRepo(session.context(), *repo.store, repo.row.id()));
  if (session.console().json()) {
    session.console().ResultJson({{"id", repaired.repo.id},
                                  {"written", repaired.written},
                                  {"archives", repaired.archives}});
  } else if (repaired.written) {
    session.console().Done(absl::StrCat(Printable(repo.label()), " is repo ",
                                        repaired.repo.id, " again, as ",
                                        repaired.archives, " archives say\n"));
  } else {
    session.console().Done(absl::StrCat(Printable(repo.label()), " is repo ",
                                        repaired.repo.id,
                                        ": nothing to repair\n"));
  }
  return {};
}

}  // namespace sluice::cli
