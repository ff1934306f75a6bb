// list, show, delete.

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "sluice/base/clock.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/cli/terminal/text.h"
#include "sluice/cli/verbs/archives.h"
#include "sluice/cli/verbs/asking.h"
#include "sluice/cli/verbs/verbs.h"

namespace sluice::cli {
namespace {

// An archive that another one builds on.
constexpr absl::string_view kArchiveNeeded = "archive_needed";

std::string NotesOn(const ArchiveRow& row) {
  if (row.damaged()) return "damaged";
  if (!row.manifest.ok()) return ErrorCodeOf(row.manifest.status());
  const std::string& base = row.manifest->base_backup_id();
  std::vector<std::string> notes;
  if (!base.empty()) notes.push_back(absl::StrCat("increment on ", base));
  if (row.manifest->warnings_size() > 0) notes.emplace_back("warnings");
  if (row.record.has_value() && row.record->pinned()) {
    notes.emplace_back("pinned");
  }
  if (row.is_from_the_future(Clock::Real()->Now())) {
    notes.emplace_back("from the future");
  }
  return absl::StrJoin(notes, ", ");
}

// "host /path": the URI without its kind, which has a column of its own.
std::string OriginOf(const Manifest& manifest) {
  absl::string_view source = manifest.source();
  absl::ConsumePrefix(&source, absl::StrCat(manifest.store_kind(), ":"));
  absl::ConsumePrefix(&source, "?");
  return absl::StrCat(manifest.host(), source.empty() ? "" : " ", source);
}

using PlanNames = std::map<std::string, std::string>;  // by id

// Those of plans that are there; none where the catalog cannot be used.
PlanNames NamesOfPlans(Session& session) {
  PlanNames names;
  Catalog* const catalog = session.CatalogIfUsable();
  if (catalog == nullptr) return names;
  const auto plans = catalog->plans().ListPlans(
      Context::WithTimeout(session.context(), Clock::Real(), kCatalogPatience)
          .first);
  if (!plans.ok()) return names;
  for (const Plan& plan : *plans) names[plan.id()] = plan.name();
  return names;
}

// The name of the plan that made it; the id of one that is there no more.
std::string PlanOf(const ArchiveRow& row, const PlanNames& names) {
  const std::string& id = row.manifest->plan_id();
  const auto found = names.find(id);
  return found == names.end() ? id : found->second;
}

std::vector<std::string> TableRow(const ArchiveRow& row,
                                  const PlanNames& names) {
  if (!row.manifest.ok()) {
    return {row.id, "", "", "", "", "", "", "", NotesOn(row)};
  }
  const Manifest& manifest = *row.manifest;
  return {row.id,
          manifest.created_at(),
          manifest.store_id(),
          manifest.store_kind(),
          SizeText(manifest.plain_size_bytes()),
          OriginOf(manifest),
          manifest.label(),
          PlanOf(row, names),
          NotesOn(row)};
}

constexpr size_t kShowWidth = 16;

// What the catalog adds to what the archive says.
void AppendRecord(std::string& text, const BackupRecord& record) {
  if (record.pinned()) {
    const std::string until = TimeText(record.pin_ends_at_ms());
    AppendField(text, kShowWidth, "pinned",
                absl::StrCat(until.empty() ? "for ever" : "until ", until,
                             record.pin_reason().empty() ? "" : ": ",
                             record.pin_reason()));
  }
  AppendField(text, kShowWidth, "verified", TimeText(record.verified_at_ms()));
  AppendField(text, kShowWidth, "restored", TimeText(record.restored_at_ms()));
}

std::string ShowText(const ArchiveRow& row, const OpenedRepo& repo,
                     const PlanNames& plans) {
  std::string text = absl::StrCat(row.id, "\n");
  AppendField(text, kShowWidth, "repo", repo.label());
  AppendField(text, kShowWidth, "status",
              row.damaged()       ? "damaged"
              : row.manifest.ok() ? "ok"
                                  : ErrorCodeOf(row.manifest.status()));
  if (!row.manifest.ok()) {
    AppendField(text, kShowWidth, "manifest",
                std::string(row.manifest.status().message()));
    return text;
  }
  const Manifest& manifest = *row.manifest;
  AppendField(text, kShowWidth, "created", manifest.created_at());
  AppendField(text, kShowWidth, "store", manifest.store_id());
  AppendField(text, kShowWidth, "kind", manifest.store_kind());
  AppendField(text, kShowWidth, "host", manifest.host());
  AppendField(text, kShowWidth, "source", manifest.source());
  AppendField(text, kShowWidth, "label", manifest.label());
  AppendField(text, kShowWidth, "plan", PlanOf(row, plans));
  if (row.record.has_value()) AppendRecord(text, *row.record);
  AppendField(text, kShowWidth, "size",
              absl::StrCat(SizeText(manifest.plain_size_bytes()), " (",
                           manifest.plain_size_bytes(), ")"));
  AppendField(text, kShowWidth, "sha256", manifest.sha256());
  AppendField(text, kShowWidth, "base", manifest.base_backup_id());
  AppendField(text, kShowWidth, "segments",
              absl::StrCat(manifest.segments_size()));
  AppendField(text, kShowWidth, "payload ids",
              absl::StrCat(manifest.payload_id_count()));
  AppendField(text, kShowWidth, "job", manifest.job_id());
  AppendField(text, kShowWidth, "catalog", manifest.catalog_id());
  AppendField(text, kShowWidth, "writer", manifest.writer());
  const Json counts = ToJson(manifest)["source_counts"];
  for (const auto& [name, value] : counts.items()) {
    AppendField(text, kShowWidth, name, Encode(value));
  }
  for (const Warning& warning : manifest.warnings()) {
    AppendField(text, kShowWidth, "warning",
                absl::StrCat(warning.message(), " (", warning.code(), ")"));
  }
  return text;
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
  const std::string store = session.command().Get("store");
  const std::string label = session.command().Get("label");
  const PlanNames plans =
      session.console().json() ? PlanNames() : NamesOfPlans(session);
  Table table({"ID", "CREATED", "STORE", "KIND", "SIZE", "FROM", "LABEL",
               "PLAN", "NOTES"});
  absl::Status unreadable;
  for (const ArchiveRow& row : rows) {
    // One whose store nobody can say may be of this one, and so with labels.
    const std::string its_store = row.store_id();
    if (!store.empty() && !its_store.empty() && its_store != store) continue;
    if (!label.empty() && row.manifest.ok() && row.manifest->label() != label) {
      continue;
    }
    if (!row.unreadable().ok()) unreadable = row.unreadable();
    if (session.console().json())
      session.console().ResultJson(ArchiveJson(row));
    table.Add(TableRow(row, plans));
  }
  if (!session.console().json()) session.console().Result(table.Text());
  // The rest is listed; the exit status says that one could not be read.
  return unreadable;
}

Outcome RunShowVerb(Session& session) {
  const Command& command = session.command();
  SLUICE_ASSIGN_OR_RETURN(const OpenedRepo repo,
                          session.OpenRepo(RepoUse::kRead));
  SLUICE_ASSIGN_OR_RETURN(const auto rows, LoadArchives(session, repo));
  SLUICE_ASSIGN_OR_RETURN(
      const ArchiveRow row,
      Choose(session, rows, {command.arguments.front(), command.Get("store")}));
  if (session.console().json()) {
    session.console().ResultJson(ArchiveJson(row));
  } else {
    session.console().Result(ShowText(row, repo, NamesOfPlans(session)));
  }
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
