// backup.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "sluice/base/clock.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/cli/terminal/text.h"
#include "sluice/cli/verbs/archives.h"
#include "sluice/cli/verbs/asking.h"
#include "sluice/cli/verbs/plan_run.h"
#include "sluice/cli/verbs/run_report.h"
#include "sluice/cli/verbs/run_words.h"
#include "sluice/cli/verbs/runs.h"
#include "sluice/cli/verbs/verbs.h"
#include "sluice/executor/backupable.h"
#include "sluice/service/admin/requests.h"
#include "sluice/service/base_choice.h"
#include "sluice/service/store_uri.h"

namespace sluice::cli {
namespace {

// Once the id of a store without one was made from its URI as it was typed,
// whatever that meant in the folder of the day.
void NoteOlderId(Session& session, const OpenedRepo& repo,
                 const std::string& kind, const std::string& uri,
                 const std::string& store_id) {
  const std::string older = service::StoreIdFromUri(kind, uri);
  const absl::StatusOr<Catalog*> catalog = session.catalog();
  if (older == store_id || session.command().Has("store") || !catalog.ok()) {
    return;
  }
  CatalogFilter filter;
  filter.repo_id = repo.row.id();
  filter.store_id = older;
  filter.limit = 1;
  const auto records = (*catalog)->ListRecords(session.context(), filter);
  if (!records.ok() || records->empty()) return;
  session.console().Note(absl::StrCat(
      "earlier archives of ", uri, " are of store ", older, ", this one is of ",
      store_id, ": --store ", older, " names those, also to back up on"));
}

// The archive that --base names; see service::ChooseBase.
absl::StatusOr<absl::optional<Manifest>> BaseFor(Session& session,
                                                 const OpenedRepo& repo,
                                                 const std::string& store_id) {
  const std::string wish = session.command().Get("base");
  if (wish.empty()) return absl::optional<Manifest>();
  const absl::StatusOr<std::vector<ArchiveRow>> archives =
      LoadArchives(session, repo, RepoUse::kWrite);
  if (!archives.ok()) return Annotate(archives.status(), "--base");
  absl::StatusOr<service::BaseChoice> choice =
      service::ChooseBase(*archives, {wish, store_id, Clock::Real()->Now()});
  if (!choice.ok()) return Annotate(choice.status(), "--base");
  NoteChoice(session, choice->notes);
  if (!choice->base.has_value()) {
    session.console().Note(
        absl::StrCat("full backup: ", Printable(choice->why_full)));
  }
  return std::move(choice->base);
}

absl::Status CheckIncrements(const Command& command, const StoreInfo& info,
                             const std::string& kind) {
  if (!command.Has("base") || info.increments) return absl::OkStatus();
  return InvalidArgument(
      absl::StrCat("a store of kind ", kind, " cannot be backed up on a base"),
      "leave out --base");
}

// What the source says of that, after a colon.
std::string WhyFull(const Manifest& manifest) {
  const auto& metadata = manifest.engine_metadata();
  const auto why = metadata.find(kFullReasonKey);
  return why == metadata.end() ? "" : ": " + Printable(why->second);
}

absl::Status CheckLabel(const std::string& label) {
  constexpr size_t kMaxLabelBytes = 128;
  if (label.size() <= kMaxLabelBytes && Printable(label) == label) {
    return absl::OkStatus();
  }
  return InvalidArgument(
      "--label is too long, or holds control bytes",
      absl::StrCat("at most ", kMaxLabelBytes, " bytes of UTF-8"));
}

void PrintBackup(Console& console, const OpenedRepo& repo,
                 const BackupResult& result, absl::Duration took) {
  if (console.json()) {
    console.ResultJson(
        {{"record", ToJson(result.record)}, {"job", ToJson(result.job)}});
    return;
  }
  PrintRecord(console, repo.label(), *result.record, took);
}

// The job is pending when this returns; a service does it.
Outcome BackupLater(Session& session) {
  const Command& command = session.command();
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  SLUICE_ASSIGN_OR_RETURN(PluginHost* const host, session.host());
  service::BackupWish wish;
  wish.source = command.arguments.front();
  SLUICE_RETURN_IF_ERROR(CheckOthersCanOpen(wish.source));
  SLUICE_RETURN_IF_ERROR(CheckServiceIsThere(session));
  SLUICE_ASSIGN_OR_RETURN(const std::string place, command.Require("repo"));
  SLUICE_ASSIGN_OR_RETURN(const BackupRepo repo, KnownRepo(session, place));
  wish.repo = repo.id();
  wish.base = command.Get("base");
  wish.label = command.Get("label");
  wish.store_id = command.Get("store");
  wish.allow_empty = command.Has("allow-empty");
  wish.read_back = command.Has("verify");
  SLUICE_ASSIGN_OR_RETURN(wish.timeout, command.GetDuration("timeout"));
  SLUICE_ASSIGN_OR_RETURN(
      const QueuedRun run,
      service::AskForBackup(session.context(), *catalog, *host, *Clock::Real(),
                            wish, {Requester(), ""}));
  PrintQueued(session.console(), run);
  return {};
}

}  // namespace

absl::Status CheckBackupWords(const Command& command) {
  const bool has_source = !command.arguments.empty();
  if (has_source == command.Has("plan")) {
    return InvalidArgument(has_source
                               ? "SOURCE and --plan are mutually exclusive"
                               : "sluice backup needs SOURCE or --plan",
                           absl::StrCat("usage: ", Usage(*command.verb)));
  }
  for (const char* flag :
       {"init", "base", "allow-empty", "verify", "label", "store"}) {
    const bool of_plan = command.Has("plan") && command.Has(flag);
    const bool later = command.Has("async") && flag == std::string("init") &&
                       command.Has(flag);
    if (!of_plan && !later) continue;
    return InvalidArgument(
        absl::StrCat("--", flag, " and --", of_plan ? "plan" : "async",
                     " are mutually exclusive"),
        of_plan ? "`sluice plan edit` changes what a plan does"
                : "`sluice repo add` makes the repo");
  }
  return CheckLabel(command.Get("label"));
}

Outcome RunBackupVerb(Session& session) {
  SLUICE_RETURN_IF_ERROR(CheckBackupWords(session.command()));
  if (session.command().Has("plan")) {
    return RunPlanNow(session, session.command().Get("plan"));
  }
  if (session.command().Has("async")) return BackupLater(session);
  const std::string uri = session.command().arguments.front();
  // What is wrong is told before anything is made.
  SLUICE_ASSIGN_OR_RETURN(PluginHost* const host, session.host());
  SLUICE_ASSIGN_OR_RETURN(const std::shared_ptr<Backupable> source,
                          host->CreateSource(uri));
  SLUICE_ASSIGN_OR_RETURN(const UriFacts facts, host->ReadSourceUri(uri));
  SLUICE_ASSIGN_OR_RETURN(const StoreInfo info,
                          source->Describe(session.context()));
  const std::string kind = source->store_kind();
  SLUICE_RETURN_IF_ERROR(CheckIncrements(session.command(), info, kind));
  const absl::StatusOr<std::string> chosen =
      service::StoreIdOf(info, kind, facts, session.command().Get("store"));
  if (!chosen.ok()) return WithHint(chosen.status(), "leave out --store");
  const std::string& store_id = *chosen;
  SLUICE_RETURN_IF_ERROR(session.catalog().status());
  // Before a repo is made there.
  if (const std::string place = session.command().Get("repo");
      LooksLikeUri(place)) {
    SLUICE_ASSIGN_OR_RETURN(const UriFacts repo,
                            host->ReadPlaceUri(PlaceUri(place)));
    SLUICE_RETURN_IF_ERROR(service::CheckApart(facts, repo.paths));
  }
  SLUICE_ASSIGN_OR_RETURN(
      const OpenedRepo repo,
      session.OpenRepo(RepoUse::kWrite, session.command().Has("init")));
  SLUICE_RETURN_IF_ERROR(service::CheckApart(facts, repo.paths));
  if (info.store_id.empty()) NoteOlderId(session, repo, kind, uri, store_id);
  SweepBeforeBackup(session, repo);
  SLUICE_RETURN_IF_ERROR(NameTheFuture(session, repo));
  SLUICE_ASSIGN_OR_RETURN(const absl::optional<Manifest> base,
                          BaseFor(session, repo, store_id));

  const absl::Time began = Clock::Real()->Now();
  const BackupResult result = RunBackup(
      session, repo, source, facts.uri, store_id,
      base.has_value() ? &*base : nullptr,
      {session.command().Has("allow-empty"), session.command().Has("verify")});
  const absl::Duration took = Clock::Real()->Now() - began;
  LogJobFinished(session.console(), repo.label(), result.job, result.status,
                 took);
  if (!result.status.ok()) {
    return {result.status, result.job, result.source_abandoned};
  }
  NoteWarnings(session.console(), result.record->warnings());
  if (base.has_value() && result.record->base_backup_id().empty()) {
    session.console().Note(
        absl::StrCat("full backup: the store could not build on archive ",
                     base->backup_id(), WhyFull(*result.manifest)));
  }
  PrintBackup(session.console(), repo, result, took);
  Outcome outcome;
  if (result.record->warnings_size() > 0) outcome.code = ExitCode::kWarnings;
  return outcome;
}

}  // namespace sluice::cli
