// repo add, repo list, repo show, repo repair, sweep.

#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "sluice/base/clock.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/cli/archives.h"
#include "sluice/cli/runs.h"
#include "sluice/cli/text.h"
#include "sluice/cli/verbs.h"
#include "sluice/destinations/archive/repair.h"

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
  return WithHint(
      MakeError(absl::StatusCode::kInvalidArgument, kInvalidArgument,
                absl::StrCat("\"", name, "\" is no name for a repo")),
      "1 to 63 lower case letters, digits, '.', '_' and '-'");
}

struct Totals {
  uint64_t archives = 0;
  uint64_t damaged = 0;
  uint64_t bytes = 0;
};

Totals Sum(const std::vector<ArchiveRow>& rows) {
  Totals totals;
  for (const ArchiveRow& row : rows) {
    ++totals.archives;
    if (row.damaged()) ++totals.damaged;
    if (row.manifest.ok()) totals.bytes += row.manifest->size_bytes();
  }
  return totals;
}

void PrintSweep(Console& console, const SweepReport& report) {
  if (!console.json()) {
    console.Result(absl::StrCat(
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

Outcome RunRepoAddVerb(Session& session) {
  const std::string& name = session.command().arguments[0];
  const std::string& uri = session.command().arguments[1];
  SLUICE_RETURN_IF_ERROR(CheckName(name));
  if (!LooksLikeUri(uri)) {
    return WithHint(
        MakeError(absl::StatusCode::kInvalidArgument, kInvalidArgument,
                  absl::StrCat("\"", uri, "\" is no URI of a place")),
        absl::StrCat("local:", uri, "?"));
  }
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  SLUICE_ASSIGN_OR_RETURN(
      OpenedRepo repo, session.OpenRepo(uri, RepoUse::kWrite, /*init=*/true));
  SLUICE_RETURN_IF_ERROR(repo.destination->Validate(session.context()));
  repo.row.set_name(name);
  repo.row.set_created_at_ms(absl::ToUnixMillis(Clock::Real()->Now()));
  SLUICE_RETURN_IF_ERROR(catalog->AddRepo(session.context(), repo.row));
  if (session.console().json()) {
    session.console().ResultJson(ToJson(repo.row));
  } else {
    session.console().Result(absl::StrCat(name, " is ",
                                          Printable(repo.row.config()),
                                          " (repo ", repo.row.id(), ")\n"));
  }
  return {};
}

Outcome RunRepoListVerb(Session& session) {
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  SLUICE_ASSIGN_OR_RETURN(const auto repos,
                          catalog->ListRepos(session.context()));
  Table table({"NAME", "KIND", "ID", "PLACE"});
  for (const BackupRepo& repo : repos) {
    if (session.console().json()) session.console().ResultJson(ToJson(repo));
    table.Add({repo.name(), repo.kind(), repo.id(), repo.config()});
  }
  if (!session.console().json()) session.console().Result(table.Text());
  return {};
}

Outcome RunRepoShowVerb(Session& session) {
  SLUICE_ASSIGN_OR_RETURN(
      const OpenedRepo repo,
      session.OpenRepo(session.command().arguments.front(), RepoUse::kRead,
                       /*init=*/false));
  SLUICE_ASSIGN_OR_RETURN(const auto rows, LoadArchives(session, repo));
  const Totals totals = Sum(rows);
  if (session.console().json()) {
    Json json = ToJson(repo.row);
    json["archives"] = totals.archives;
    json["damaged_archives"] = totals.damaged;
    json["size_bytes"] = totals.bytes;
    session.console().ResultJson(json);
  } else {
    session.console().Result(absl::StrCat(
        Printable(repo.label()), "\n  repo ", repo.row.id(), "\n  place ",
        Printable(repo.row.config()), "\n  ", totals.archives, " archives, ",
        totals.damaged, " damaged, ", SizeText(totals.bytes), "\n"));
  }
  return {};
}

Outcome RunRepoRepairVerb(Session& session) {
  SLUICE_RETURN_IF_ERROR(session.StartTimeout());
  SLUICE_ASSIGN_OR_RETURN(
      const OpenedRepo repo,
      session.OpenPlace(session.command().arguments.front()));
  SLUICE_ASSIGN_OR_RETURN(
      const RepairedRepo repaired,
      RepairRepo(session.context(), *repo.store, repo.row.id()));
  if (session.console().json()) {
    session.console().ResultJson({{"id", repaired.repo.id},
                                  {"written", repaired.written},
                                  {"archives", repaired.archives}});
  } else if (repaired.written) {
    session.console().Result(
        absl::StrCat(Printable(repo.label()), " is repo ", repaired.repo.id,
                     " again, as ", repaired.archives, " archives say\n"));
  } else {
    session.console().Result(absl::StrCat(Printable(repo.label()), " is repo ",
                                          repaired.repo.id,
                                          ": nothing to repair\n"));
  }
  return {};
}

Outcome RunSweepVerb(Session& session) {
  SLUICE_RETURN_IF_ERROR(session.StartTimeout());
  SLUICE_ASSIGN_OR_RETURN(const OpenedRepo repo,
                          session.OpenRepo(RepoUse::kWrite));
  SLUICE_ASSIGN_OR_RETURN(
      const SweepReport report,
      SweepWithCatalog(session, repo, session.command().Has("take-lost")));
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
