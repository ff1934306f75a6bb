// restore, verify.

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "sluice/base/clock.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/cli/terminal/progress.h"
#include "sluice/cli/terminal/text.h"
#include "sluice/cli/verbs/archives.h"
#include "sluice/cli/verbs/asking.h"
#include "sluice/cli/verbs/plan_run.h"
#include "sluice/cli/verbs/run_report.h"
#include "sluice/cli/verbs/run_words.h"
#include "sluice/cli/verbs/runs.h"
#include "sluice/cli/verbs/verbs.h"
#include "sluice/service/admin/requests.h"
#include "sluice/service/store_uri.h"
#include "sluice/service/work/verify.h"

namespace sluice::cli {
namespace {

// What verify found out about one archive.
struct Verdict {
  absl::Status status;  // OK, archive_damaged, or what kept us from seeing
  uint64_t bytes = 0;
  VerifyFindings found;
  absl::Duration took;
};

void PrintVerdict(Console& console, const std::string& id,
                  const Verdict& verdict) {
  const absl::Status& status = verdict.status;
  if (console.json()) {
    Json error = nullptr;
    if (!status.ok()) error = ErrorJson(status, absl::nullopt)["error"];
    console.ResultJson({{"id", id},
                        {"ok", status.ok()},
                        {"size_bytes", verdict.bytes},
                        {"foreign_files", verdict.found.foreign_files},
                        {"error", error}});
  } else if (status.ok()) {
    console.Done(absl::StrCat(id, " ok  ",
                              AmountText(verdict.bytes, verdict.took), "\n"));
  } else {
    console.Result(absl::StrCat(id, " ", Printable(ErrorCodeOf(status)), "  ",
                                Printable(std::string(status.message())),
                                "\n"));
  }
  for (const std::string& file : verdict.found.foreign_files) {
    console.Note(absl::StrCat("warning: ", id, "/", Printable(file),
                              " does not belong to the archive"));
  }
}

Verdict VerifyOne(Session& session, const OpenedRepo& repo,
                  const ArchiveRow& row) {
  const absl::Time began = Clock::Real()->Now();
  ProgressMeter meter(&session.console(), Clock::Real(),
                      absl::StrCat("verify ", row.id),
                      session.wants_progress());
  const auto update = [&meter](uint64_t done, uint64_t total) {
    meter.Update("reading", done, total);
  };
  Verdict verdict;
  const absl::StatusOr<Manifest> manifest = repo.destination->Verify(
      session.context(), row.id, update, &verdict.found);
  meter.Finish();
  verdict.took = Clock::Real()->Now() - began;
  verdict.status = manifest.status();
  if (manifest.ok()) verdict.bytes = manifest->size_bytes();
  // Without a manifest nothing is published; the listing saw the payload of
  // what once was.
  if (ErrorCodeOf(verdict.status) == kArchiveNotFound && row.damaged() &&
      !row.manifest.ok()) {
    verdict.status = row.manifest.status();
  }
  return verdict;
}

// The exit status of a verify of several: damage before warnings, and what kept
// us from looking at one before both.
class VerifyOutcome {
 public:
  void Add(const Verdict& verdict) {
    if (ErrorCodeOf(verdict.status) == kArchiveDamaged) {
      damage_ = true;
    } else if (!verdict.status.ok()) {
      if (failed_.ok()) failed_ = verdict.status;
    } else if (!verdict.found.foreign_files.empty()) {
      warnings_ = true;
    }
  }

  Outcome Get() const {
    Outcome outcome;
    if (damage_) {
      outcome.code = ExitCode::kDamage;
    } else if (!failed_.ok()) {
      outcome.status = failed_;
    } else if (warnings_) {
      outcome.code = ExitCode::kWarnings;
    }
    return outcome;
  }

 private:
  bool damage_ = false;
  bool warnings_ = false;
  absl::Status failed_;
};

// What the catalog calls succeeded and the repo does not hold.
absl::Status VerifyRecords(Session& session, const OpenedRepo& repo,
                           const std::vector<ArchiveRow>& all,
                           VerifyOutcome& outcome) {
  SLUICE_ASSIGN_OR_RETURN(const std::vector<BackupRecord> missing,
                          RecordsWithoutArchive(session, repo, all));
  const std::string store = session.command().Get("store");
  for (const BackupRecord& record : missing) {
    if (!store.empty() && record.store_id() != store) continue;
    const absl::StatusOr<NameState> state =
        repo.destination->StateOf(session.context(), record.id());
    SLUICE_RETURN_IF_ERROR(session.context().status());
    // Published since the archives were listed.
    if (state.ok() && *state == NameState::kArchive) continue;
    if (state.ok() && *state == NameState::kTombstone) {
      session.console().Note(absl::StrCat(
          "archive ", record.id(),
          " was deleted, perhaps by another machine; `sluice reconcile "
          "--forget` drops its record"));
      continue;
    }
    Verdict verdict;
    verdict.status = state.status();
    if (state.ok()) {
      verdict.status = WithHint(
          MakeError(absl::StatusCode::kDataLoss, kArchiveDamaged,
                    absl::StrCat("archive ", record.id(),
                                 ": the catalog has its record, the repo does "
                                 "not hold it")),
          "`sluice reconcile --forget` drops the record");
    }
    PrintVerdict(session.console(), record.id(), verdict);
    outcome.Add(verdict);
  }
  return absl::OkStatus();
}

absl::Status CheckVerifyWords(const Command& command) {
  if (command.Has("all") == command.arguments.empty()) return absl::OkStatus();
  return InvalidArgument("sluice verify needs an ID or --all",
                         "an ID, latest, or --all");
}

// Those that the words mean; of an increment also what it builds on.
absl::StatusOr<std::vector<ArchiveRow>> RowsToVerify(
    Session& session, const std::vector<ArchiveRow>& all) {
  const Command& command = session.command();
  const std::string store = command.Get("store");
  if (!command.Has("all")) {
    SLUICE_ASSIGN_OR_RETURN(
        const ArchiveRow row,
        Choose(session, all, {command.arguments[0], store}));
    const auto chain = ChainOf(all, row);
    return chain.ok() ? *chain : std::vector<ArchiveRow>{row};
  }
  if (store.empty()) return all;
  std::vector<ArchiveRow> of_store;
  for (const ArchiveRow& row : all) {
    if (row.store_id() == store) of_store.push_back(row);
  }
  return of_store;
}

// What a restore found: `latest` passes over it from now on. Best effort, the
// restore's own error is what matters.
void RecordFoundDamage(Session& session, const OpenedRepo& repo,
                       const std::vector<ArchiveRow>& rows,
                       const std::string& id) {
  for (const ArchiveRow& row : rows) {
    if (row.id != id) continue;
    if (RecordDamage(session, repo, row, /*damaged=*/true)) {
      session.console().Note(absl::StrCat(
          "archive ", id, " is recorded as damaged; latest passes over it"));
    }
  }
}

// The job is pending when this returns; a service does it.
Outcome RestoreLater(Session& session, const std::string& backup_id,
                     const std::string& to) {
  SLUICE_ASSIGN_OR_RETURN(Catalog* const catalog, session.catalog());
  SLUICE_ASSIGN_OR_RETURN(PluginHost* const host, session.host());
  service::RestoreWish wish;
  wish.backup_id = backup_id;
  wish.target = to;
  wish.from_store = session.command().Get("from-store");
  SLUICE_ASSIGN_OR_RETURN(wish.timeout,
                          session.command().GetDuration("timeout"));
  const absl::StatusOr<QueuedRun> run =
      service::AskForRestore(session.context(), *catalog, *host, *Clock::Real(),
                             wish, {Requester(), ""});
  if (ErrorCodeOf(run.status()) == kRecordNotFound) {
    return WithHint(
        run.status(),
        "`sluice reconcile --adopt` records it; or without --async");
  }
  SLUICE_RETURN_IF_ERROR(run.status());
  PrintQueued(session.console(), *run);
  return {};
}

// Keeps in the catalog what was read and found whole. Best effort.
void NoteWhole(Session& session, const std::vector<ArchiveRow>& all,
               const std::set<std::string>& whole) {
  Catalog* const catalog = whole.empty() ? nullptr : session.CatalogIfUsable();
  if (catalog == nullptr) return;
  const absl::Status noted = service::NoteVerified(
      Context::WithTimeout(session.context(), Clock::Real(), kCatalogPatience)
          .first,
      *catalog, all, whole, Clock::Real()->Now());
  if (!noted.ok()) session.NoteCatalogUnusable(noted);
}

}  // namespace

absl::StatusOr<ArchiveWish> RestoreWishOf(const Command& command,
                                          const std::string& target_id) {
  const std::string from = command.Get("from-store");
  const std::string store = command.Get("store");
  if (!from.empty() && !store.empty() && from != store) {
    return InvalidArgument("--store and --from-store name two stores",
                           "one of them is enough");
  }
  ArchiveWish wish;
  wish.id = command.arguments.front();
  wish.store = from.empty() ? store : from;
  // A target that knows who it is wants its own latest; for an archive that is
  // named the executor holds the guard.
  if (wish.store.empty() && wish.id == "latest") wish.store = target_id;
  return wish;
}

absl::StatusOr<std::string> TargetUri(const Command& command) {
  SLUICE_ASSIGN_OR_RETURN(std::string uri, command.Require("to"));
  if (command.Has("accept-mismatch")) {
    const bool has_options = uri.find('?') != std::string::npos;
    absl::StrAppend(&uri, has_options ? "&" : "?", "accept_mismatch=1");
  }
  return uri;
}

Outcome RunRestoreVerb(Session& session) {
  const Command& command = session.command();
  if (command.Has("dry-run") &&
      (command.Has("from-file") || command.Has("async"))) {
    return InvalidArgument(
        "--dry-run is of archives, and is done here",
        "--from-file and --async are mutually exclusive with it");
  }
  if (command.Has("from-file")) {
    if (!command.Has("async")) return RestoreFromFile(session);
    return InvalidArgument("--from-file and --async are mutually exclusive");
  }
  if (session.command().arguments.empty()) {
    return InvalidArgument(
        "sluice restore needs an ID or --from-file",
        "an ID, latest, or a file that the store's own tool wrote");
  }
  SLUICE_ASSIGN_OR_RETURN(const std::string to, TargetUri(session.command()));
  if (command.Has("dry-run")) return TryRestore(session);
  if (session.command().Has("async")) {
    SLUICE_RETURN_IF_ERROR(CheckOthersCanOpen(to));
    SLUICE_RETURN_IF_ERROR(CheckServiceIsThere(session));
  }
  SLUICE_ASSIGN_OR_RETURN(PluginHost* const host, session.host());
  SLUICE_ASSIGN_OR_RETURN(const std::shared_ptr<Backupable> target,
                          host->CreateSource(to));
  SLUICE_ASSIGN_OR_RETURN(const OpenedRepo repo,
                          session.OpenRepo(RepoUse::kRead));
  SLUICE_ASSIGN_OR_RETURN(const UriFacts facts, host->ReadSourceUri(to));
  SLUICE_RETURN_IF_ERROR(service::CheckApart(facts, repo.paths));
  SLUICE_ASSIGN_OR_RETURN(const StoreInfo info,
                          target->Describe(session.context()));
  SLUICE_ASSIGN_OR_RETURN(const ArchiveWish wish,
                          RestoreWishOf(session.command(), info.store_id));
  SLUICE_ASSIGN_OR_RETURN(const auto rows, LoadArchives(session, repo));
  SLUICE_ASSIGN_OR_RETURN(const ArchiveRow row, Choose(session, rows, wish));
  if (row.damaged()) {
    session.console().Note(
        absl::StrCat("warning: archive ", row.id,
                     " was found damaged; trying all the same"));
  }
  if (session.command().Has("async")) return RestoreLater(session, row.id, to);

  const absl::Time began = Clock::Real()->Now();
  const RestoreResult result = RunRestore(session, repo, target, row.id,
                                          session.command().Get("from-store"));
  const absl::Duration took = Clock::Real()->Now() - began;
  LogJobFinished(session.console(), repo.label(), result.job, result.status,
                 took);
  if (!result.status.ok()) {
    RecordFoundDamage(session, repo, rows, result.damaged_backup_id);
    return {result.status, result.job, result.source_abandoned};
  }
  PrintRestored(session.console(), session.command().Get("to"),
                result.manifest->backup_id(), result.manifest->store_id(),
                result.manifest->plain_size_bytes(), result.job, took);
  Outcome outcome;
  if (result.job->warnings_size() > 0) {
    NoteWarnings(session.console(), result.job->warnings());
    outcome.code = ExitCode::kWarnings;
  }
  return outcome;
}

Outcome RunVerifyVerb(Session& session) {
  SLUICE_RETURN_IF_ERROR(CheckVerifyWords(session.command()));
  SLUICE_ASSIGN_OR_RETURN(const OpenedRepo repo,
                          session.OpenRepo(RepoUse::kRead));
  SLUICE_ASSIGN_OR_RETURN(const auto all, LoadArchives(session, repo));
  SLUICE_ASSIGN_OR_RETURN(const auto rows, RowsToVerify(session, all));
  VerifyOutcome outcome;
  std::set<std::string> whole;
  for (const ArchiveRow& row : rows) {
    const Verdict verdict = VerifyOne(session, repo, row);
    SLUICE_RETURN_IF_ERROR(session.context().status());
    const std::string code = ErrorCodeOf(verdict.status);
    // Deleted meanwhile by someone else is no failure of the others.
    if (code == kArchiveNotFound && rows.size() > 1) continue;
    PrintVerdict(session.console(), row.id, verdict);
    outcome.Add(verdict);
    // What is known stays known, however the rest goes.
    SLUICE_RETURN_IF_ERROR(session.console().Flush());
    if (!verdict.status.ok() && code != kArchiveDamaged) continue;
    RecordDamage(session, repo, row, code == kArchiveDamaged);
    if (verdict.status.ok()) whole.insert(row.id);
  }
  NoteWhole(session, all, whole);
  if (session.command().Has("all")) {
    SLUICE_RETURN_IF_ERROR(VerifyRecords(session, repo, all, outcome));
  }
  return outcome.Get();
}

}  // namespace sluice::cli
