// restore --from-file: what an engine's own tool wrote, into an empty store;
// restore --dry-run.

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "sluice/base/clock.h"
#include "sluice/base/error.h"
#include "sluice/base/file_system.h"
#include "sluice/base/status_macros.h"
#include "sluice/cli/terminal/exit_code.h"
#include "sluice/cli/terminal/progress.h"
#include "sluice/cli/terminal/text.h"
#include "sluice/cli/verbs/archives.h"
#include "sluice/cli/verbs/file_payload.h"
#include "sluice/cli/verbs/run_report.h"
#include "sluice/cli/verbs/run_words.h"
#include "sluice/cli/verbs/runs.h"
#include "sluice/cli/verbs/verbs.h"
#include "sluice/executor/backupable.h"
#include "sluice/executor/stream/warning_list.h"
#include "sluice/executor/ulid.h"
#include "sluice/plugins/sdk/empty_restore.h"
#include "sluice/service/optional_jobs.h"
#include "sluice/service/work/restore_preview.h"

namespace sluice::cli {
namespace {

absl::Status Refused(absl::string_view message) {
  return MakeError(absl::StatusCode::kFailedPrecondition,
                   kRestorePreconditionFailed, message);
}

// A file does not say what it is: the kind is typed, and must be the target's.
absl::Status CheckWords(const Command& command) {
  if (!command.arguments.empty()) {
    return InvalidArgument("restore takes an ID or --from-file, not both",
                           "one of them is enough");
  }
  // A repo may be a default from the environment.
  for (const char* flag : {"store", "from-store"}) {
    if (!command.Has(flag)) continue;
    return InvalidArgument(absl::StrCat("--", flag, " says nothing of a file"),
                           "leave it out");
  }
  return command.Require("kind").status();
}

absl::Status CheckTarget(Session& session, Backupable& target) {
  const std::string kind = session.command().Get("kind");
  if (kind != target.store_kind()) {
    return Refused(absl::StrCat("a file of kind ", Printable(kind),
                                " cannot be restored into a store of kind ",
                                target.store_kind()));
  }
  SLUICE_ASSIGN_OR_RETURN(const StoreInfo info,
                          target.Describe(session.context()));
  return info.empty ? absl::OkStatus() : Refused("the target is not empty");
}

// A restore of a file has a job like any other; its repo and backup are none.
BackupJob NewJob(const std::string& kind) {
  const int64_t now = absl::ToUnixMillis(Clock::Real()->Now());
  BackupJob job;
  job.set_id(NewUlid(*Clock::Real()));
  job.set_kind(BackupJob::RESTORE);
  job.set_status(BackupJob::RUNNING);
  job.set_store_kind(kind);
  job.set_created_at_ms(now);
  job.set_started_at_ms(now);
  job.set_stage("streaming");
  return job;
}

void End(const absl::Status& status, const WarningList& warnings,
         uint64_t bytes_done, BackupJob& job) {
  const bool told_to_end = status.code() == absl::StatusCode::kCancelled ||
                           status.code() == absl::StatusCode::kDeadlineExceeded;
  job.set_status(status.ok()   ? BackupJob::SUCCEEDED
                 : told_to_end ? BackupJob::INTERRUPTED
                               : BackupJob::FAILED);
  job.set_finished_at_ms(absl::ToUnixMillis(Clock::Real()->Now()));
  job.set_bytes_done(bytes_done);
  if (status.ok()) {
    job.set_stage("done");
    job.set_progress(100);
  } else {
    job.set_error(Printable(std::string(status.message())));
    job.set_error_code(ErrorCodeOf(status));
  }
  for (const PayloadWarning& warning : warnings.All()) {
    Warning* const told = job.add_warnings();
    told->set_code(warning.code);
    told->set_message(warning.message);
  }
}

absl::Status Fill(Session& session, Backupable& target,
                  std::unique_ptr<FilePayload> file, WarningList& warnings,
                  uint64_t& bytes_done) {
  const uint64_t size = file->size();
  const bool allow_empty = session.command().Has("allow-empty");
  if (size == 0 && !allow_empty) {
    return WithHint(
        MakeError(absl::StatusCode::kFailedPrecondition, kSourceEmpty,
                  absl::StrCat("read ", session.command().Get("from-file"),
                               ": the file is empty")),
        "did the dump succeed? --allow-empty restores an empty store");
  }
  ProgressMeter meter(&session.console(), Clock::Real(), "restore",
                      session.wants_progress());
  file->OnBytes([&](uint64_t done) {
    bytes_done = done;
    meter.Update("streaming", done, size);
  });
  RestorePayload payload;
  payload.manifest.set_store_kind(target.store_kind());
  payload.manifest.set_plain_size_bytes(size);
  if (allow_empty) {
    payload.manifest.mutable_engine_metadata()->insert(
        {std::string(sdk::kAllowEmptyMetadata), std::string(1, '1')});
  }
  payload.reader = std::move(file);
  const absl::Status status = target.Restore(
      session.context(), "", absl::MakeSpan(&payload, 1), warnings);
  meter.Finish();
  // A store that was told to end says what it was doing; the cause is known.
  return session.context().done() ? session.context().status() : status;
}

// Fill, with its job.
absl::Status Run(Session& session, Backupable& target,
                 std::unique_ptr<FilePayload> file, BackupJob& job) {
  Catalog* const catalog = session.CatalogIfUsable();
  service::OptionalJobs jobs(catalog, [&session](const absl::Status& status) {
    session.NoteCatalogUnusable(status);
  });
  SLUICE_RETURN_IF_ERROR(jobs.CreateBackupJob(session.context(), job));
  if (catalog != nullptr && jobs.kept()) {
    catalog->OnCancelRequested(job.id(), session.cancel());
  }
  WarningList warnings;
  uint64_t bytes_done = 0;
  const absl::Status status =
      Fill(session, target, std::move(file), warnings, bytes_done);
  End(status, warnings, bytes_done, job);
  // Not on the context, which may just have ended.
  const absl::Status stored = jobs.UpdateBackupJob(Context::Background(), job);
  if (!stored.ok()) session.NoteCatalogUnusable(stored);
  return status;
}

void PrintFile(Session& session, const BackupJob& job, absl::Duration took) {
  Console& console = session.console();
  if (console.json()) {
    console.ResultJson({{"backup_id", ""},
                        {"store_id", ""},
                        {"size_bytes", job.bytes_done()},
                        {"job", ToJson(job)}});
    return;
  }
  console.Done(absl::StrCat(Printable(session.command().Get("from-file")),
                            " restored\n  to ",
                            Printable(session.command().Get("to")), "\n  ",
                            AmountText(job.bytes_done(), took), "\n"));
}

// --- restore --dry-run

std::string AgeText(const std::string& created_at) {
  absl::Time made;
  std::string ignored;
  if (!absl::ParseTime(absl::RFC3339_full, created_at, &made, &ignored)) {
    return created_at;
  }
  return absl::StrCat(created_at, ", ",
                      DurationText(Clock::Real()->Now() - made), " ago");
}

void PrintPreview(Session& session, const std::string& id,
                  const absl::optional<BackupRecord>& record,
                  const service::RestorePreview& preview) {
  Console& console = session.console();
  if (console.json()) {
    Json json = {{"backup_id", id}, {"record", ToJson(record)}};
    json.update(service::PreviewJson(preview));
    console.ResultJson(json);
    return;
  }
  std::string text =
      absl::StrCat(id, preview.possible() ? " can" : " cannot",
                   " be restored to ", Printable(preview.target), "\n");
  if (!preview.chain.empty()) {
    const Manifest& archive = preview.chain.back();
    uint64_t stored = 0;
    for (const Manifest& link : preview.chain) stored += link.size_bytes();
    absl::StrAppend(&text, "  store ", Printable(archive.store_id()), " (",
                    Printable(archive.store_kind()), ") of ",
                    Printable(AgeText(archive.created_at())), "\n  ",
                    preview.chain.size(), " archives, ", SizeText(stored),
                    " to read, ", SizeText(preview.needed_bytes),
                    " to restore\n");
  }
  for (const absl::Status& status : preview.in_the_way) {
    const std::string hint = HintOf(status);
    absl::StrAppend(&text,
                    "  in the way: ", Printable(std::string(status.message())),
                    " (", ErrorCodeOf(status), ")\n",
                    hint.empty() ? "" : absl::StrCat("    hint: ", hint, "\n"));
  }
  console.Result(text);
}

}  // namespace

Outcome TryRestore(Session& session) {
  const Command& command = session.command();
  SLUICE_ASSIGN_OR_RETURN(const std::string to, TargetUri(command));
  SLUICE_ASSIGN_OR_RETURN(PluginHost* const host, session.host());
  service::RestoreProbe probe;
  SLUICE_ASSIGN_OR_RETURN(probe.facts, host->ReadSourceUri(to));
  probe.target = host->CreateSource(to);
  SLUICE_RETURN_IF_ERROR(probe.target.status());
  SLUICE_ASSIGN_OR_RETURN(const OpenedRepo repo,
                          session.OpenRepo(RepoUse::kRead));
  const absl::StatusOr<StoreInfo> info =
      (*probe.target)->Describe(session.context());
  SLUICE_ASSIGN_OR_RETURN(
      const ArchiveWish wish,
      RestoreWishOf(session.command(),
                    info.ok() ? info->store_id : std::string()));
  SLUICE_ASSIGN_OR_RETURN(const auto rows, LoadArchives(session, repo));
  SLUICE_ASSIGN_OR_RETURN(const ArchiveRow row, Choose(session, rows, wish));
  probe.backup_id = row.id;
  probe.from_store = command.Get("from-store");
  for (const ArchiveRow& other : rows) {
    if (other.record.has_value() && other.record->damaged()) {
      probe.damaged.insert(other.id);
    }
  }
  const service::RestorePreview preview =
      service::PreviewRestore(session.context(), repo, probe);
  SLUICE_RETURN_IF_ERROR(session.context().status());
  PrintPreview(session, row.id, row.record, preview);
  if (preview.free_bytes.has_value() &&
      *preview.free_bytes < preview.needed_bytes) {
    session.console().Note(absl::StrCat(
        "warning: ", SizeText(preview.needed_bytes), " to restore, and ",
        SizeText(*preview.free_bytes), " free there"));
  }
  Outcome outcome;
  if (!preview.possible()) {
    outcome.code = ExitCodeOf(preview.in_the_way.front());
  }
  return outcome;
}

Outcome RestoreFromFile(Session& session) {
  const Command& command = session.command();
  SLUICE_RETURN_IF_ERROR(CheckWords(command));
  SLUICE_ASSIGN_OR_RETURN(const std::string to, command.Require("to"));
  SLUICE_ASSIGN_OR_RETURN(PluginHost* const host, session.host());
  SLUICE_ASSIGN_OR_RETURN(const std::shared_ptr<Backupable> target,
                          host->CreateSource(to));
  SLUICE_RETURN_IF_ERROR(CheckTarget(session, *target));
  const std::string path = command.Get("from-file");
  SLUICE_ASSIGN_OR_RETURN(
      std::unique_ptr<FilePayload> file,
      FilePayload::Open(session.context(), *FileSystem::Posix(), path));
  BackupJob job = NewJob(target->store_kind());
  const absl::Time began = Clock::Real()->Now();
  const absl::Status status = Run(session, *target, std::move(file), job);
  const absl::Duration took = Clock::Real()->Now() - began;
  LogJobFinished(session.console(), path, job, status, took);
  if (!status.ok()) return {status, job};
  PrintFile(session, job, took);
  NoteWarnings(session.console(), job.warnings());
  Outcome outcome;
  if (job.warnings_size() > 0) outcome.code = ExitCode::kWarnings;
  return outcome;
}

}  // namespace sluice::cli
