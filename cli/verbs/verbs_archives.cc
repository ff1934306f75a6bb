// list, show, delete.

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "sluice/base/clock.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/cli/terminal/text.h"
#include "sluice/cli/verbs/archives.h"
#include "sluice/cli/verbs/asking.h"
#include "sluice/cli/verbs/verbs.h"
#include "sluice/cli/views/archive_view.h"

namespace sluice::cli {
namespace {

// An archive that another one builds on.
constexpr absl::string_view kArchiveNeeded = "archive_needed";

// Those of plans that are there; none where the catalog cannot be used.
NamesById NamesOfPlans(Session& session) {
  NamesById names;
  Catalog* const catalog = session.CatalogIfUsable();
  if (catalog == nullptr) return names;
  const auto plans = catalog->plans().ListPlans(
      Context::WithTimeout(session.context(), Clock::Real(), kCatalogPatience)
          .first);
  if (!plans.ok()) return names;
  for (const Plan& plan : *plans) names[plan.id()] = plan.name();
  return names;
}

// The order to delete `named` in. An increment without its base is no backup,
// so those that build on them go first, if that is wanted.
absl::StatusOr<std::vector<std::string>> InOrder(
    const std::vector<ArchiveRow>& rows, const std::set<std::string>& named,
    bool with_increments) {
  std::vector<std::string> going = WithDependants(rows, named);
  if (with_increments) return going;
  for (const ArchiveRow& row : rows) {
    const bool goes =
        std::find(going.begin(), going.end(), row.id) != going.end();
    if (!goes || named.count(row.id) > 0) continue;
    return WithHint(
        MakeError(
            absl::StatusCode::kFailedPrecondition, kArchiveNeeded,
            absl::StrCat("archive ", row.id, " builds on ", row.base_id())),
        "delete that one too, or first; --with-increments takes all that build "
        "on it");
  }
  return going;
}

// A slip of a key must not hit the one archive that there is.
constexpr size_t kShortestToDelete = 4;

// All ids are looked at before the first archive goes.
absl::StatusOr<std::set<std::string>> NamedIds(
    const Command& command, const std::vector<ArchiveRow>& rows) {
  std::set<std::string> named;
  for (const std::string& argument : command.arguments) {
    if (argument == "latest") {
      return InvalidArgument("delete takes ids, not latest",
                             "`sluice list` shows the ids");
    }
    SLUICE_ASSIGN_OR_RETURN(const ArchiveRow row,
                            ChooseArchive(rows, {argument, ""}));
    if (argument.size() < kShortestToDelete) {
      return InvalidArgument(
          absl::StrCat("\"", argument, "\" is too short an id"),
          absl::StrCat("at least ", kShortestToDelete, " letters of it, as ",
                       row.id));
    }
    named.insert(row.id);
  }
  return named;
}

absl::Status DeleteOne(Session& session, const OpenedRepo& repo,
                       const std::string& id) {
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  SLUICE_RETURN_IF_ERROR(repo.destination->Delete(session.context(), id));
  const absl::Status forgotten = catalog->DeleteRecord(session.context(), id);
  if (forgotten.ok() || forgotten.code() == absl::StatusCode::kNotFound) {
    return absl::OkStatus();
  }
  return WithHint(Annotate(forgotten, "the archive is gone, its record is not"),
                  "`sluice reconcile --forget` drops it");
}

// One that cannot be read and that the catalog does not know may build on what
// goes; that is no reason to keep everything.
void NoteUnknownBases(Session& session, const std::vector<ArchiveRow>& rows) {
  for (const ArchiveRow& row : rows) {
    if (row.manifest.ok() || row.record.has_value()) continue;
    session.console().Note(absl::StrCat(
        "warning: what archive ", row.id, " builds on is not known: ",
        Printable(std::string(row.manifest.status().message()))));
  }
}

}  // namespace

Outcome RunListVerb(Session& session) {
  SLUICE_ASSIGN_OR_RETURN(const OpenedRepo repo,
                          session.OpenRepo(RepoUse::kRead));
  SLUICE_ASSIGN_OR_RETURN(const auto rows, LoadArchives(session, repo));
  const NamesById plans =
      session.console().json() ? NamesById() : NamesOfPlans(session);
  // The rest is listed; the exit status says that one could not be read.
  return PrintArchives(
      session.console(), rows,
      {session.command().Get("store"), session.command().Get("label")}, plans,
      Clock::Real()->Now());
}

Outcome RunShowVerb(Session& session) {
  const Command& command = session.command();
  SLUICE_ASSIGN_OR_RETURN(const OpenedRepo repo,
                          session.OpenRepo(RepoUse::kRead));
  SLUICE_ASSIGN_OR_RETURN(const auto rows, LoadArchives(session, repo));
  SLUICE_ASSIGN_OR_RETURN(
      const ArchiveRow row,
      Choose(session, rows, {command.arguments.front(), command.Get("store")}));
  PrintArchive(session.console(), row, repo.label(),
               session.console().json() ? NamesById() : NamesOfPlans(session));
  return row.unreadable();
}

Outcome RunDeleteVerb(Session& session) {
  SLUICE_ASSIGN_OR_RETURN(const OpenedRepo repo,
                          session.OpenRepo(RepoUse::kWrite));
  SLUICE_ASSIGN_OR_RETURN(const auto rows,
                          LoadArchives(session, repo, RepoUse::kWrite));
  SLUICE_ASSIGN_OR_RETURN(const std::set<std::string> named,
                          NamedIds(session.command(), rows));
  SLUICE_ASSIGN_OR_RETURN(
      const std::vector<std::string> going,
      InOrder(rows, named, session.command().Has("with-increments")));
  NoteUnknownBases(session, rows);
  const bool dry_run = session.command().Has("dry-run");
  if (!dry_run) {
    SLUICE_RETURN_IF_ERROR(AskFirst(
        session, absl::StrCat("delete ", absl::StrJoin(going, ", "), "?"),
        "nothing was deleted"));
  }
  for (const std::string& id : going) {
    if (!dry_run) {
      SLUICE_RETURN_IF_ERROR(
          Annotate(DeleteOne(session, repo, id), absl::StrCat("delete ", id)));
    }
    if (session.console().json()) {
      session.console().ResultJson({{"id", id}, {"deleted", !dry_run}});
    } else if (dry_run) {
      session.console().Result(absl::StrCat(id, " would be deleted\n"));
    } else {
      session.console().Done(absl::StrCat(id, " deleted\n"));
    }
    SLUICE_RETURN_IF_ERROR(session.console().Flush());
  }
  return {};
}

}  // namespace sluice::cli
