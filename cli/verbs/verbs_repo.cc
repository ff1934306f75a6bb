// repo add, list, show, remove, rename, move, repair; sweep.

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "sluice/base/clock.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/cli/terminal/text.h"
#include "sluice/cli/verbs/archives.h"
#include "sluice/cli/verbs/verbs.h"
#include "sluice/cli/views/archive_view.h"
#include "sluice/destinations/archive/read/repair.h"
#include "sluice/service/repo_sweep.h"

namespace sluice::cli {
namespace {

constexpr size_t kMaxName = 63;

// [a-z0-9][a-z0-9._-]{0,62}
absl::Status CheckName(const std::string& name) {
  bool ok = !name.empty() && name.size() <= kMaxName;
  for (size_t i = 0; i < name.size(); ++i) {
    const char c = name[i];
    ok = ok && (absl::ascii_islower(static_cast<unsigned char>(c)) ||
                absl::ascii_isdigit(static_cast<unsigned char>(c)) ||
                (i > 0 && (c == '.' || c == '_' || c == '-')));
  }
  if (ok) return absl::OkStatus();
  return InvalidArgument(
      absl::StrCat("\"", name, "\" is not a valid repo name"),
      "1 to 63 lower case letters, digits, '.', '_' and '-'");
}

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

Outcome SaveRepo(Session& session, Catalog& catalog, const BackupRepo& repo) {
  SLUICE_RETURN_IF_ERROR(catalog.UpdateRepo(session.context(), repo));
  PrintRepo(session.console(), repo);
  return {};
}

}  // namespace

Outcome RunRepoAddVerb(Session& session) {
  const std::string& name = session.command().arguments[0];
  const std::string& uri = session.command().arguments[1];
  SLUICE_RETURN_IF_ERROR(CheckName(name));
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
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  SLUICE_ASSIGN_OR_RETURN(const BackupRepo repo, ExactRepo(session, *catalog));
  SLUICE_RETURN_IF_ERROR(catalog->RemoveRepo(session.context(), repo.id()));
  PrintRemovedRepo(session.console(), repo);
  return {};
}

Outcome RunRepoRenameVerb(Session& session) {
  const std::string& name = session.command().arguments[1];
  SLUICE_RETURN_IF_ERROR(CheckName(name));
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
