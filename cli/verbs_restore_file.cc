// restore --from-file: what an engine's own tool wrote, into an empty store.

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
#include "sluice/cli/file_payload.h"
#include "sluice/cli/progress.h"
#include "sluice/cli/run_report.h"
#include "sluice/cli/text.h"
#include "sluice/cli/verbs.h"
#include "sluice/executor/backupable.h"

namespace sluice::cli {
namespace {

absl::Status Usage(absl::string_view message, absl::string_view hint) {
  return WithHint(
      MakeError(absl::StatusCode::kInvalidArgument, kInvalidArgument, message),
      hint);
}

absl::Status Refused(absl::string_view message) {
  return MakeError(absl::StatusCode::kFailedPrecondition,
                   kRestorePreconditionFailed, message);
}

// A file does not say what it is: the kind is typed, and must be the target's.
absl::Status CheckWords(const Command& command) {
  if (!command.arguments.empty()) {
    return Usage("restore takes an ID or --from-file, not both",
                 "one of them is enough");
  }
  // A repo may be a default from the environment.
  for (const char* flag : {"store", "from-store"}) {
    if (!command.Has(flag)) continue;
    return Usage(absl::StrCat("--", flag, " says nothing of a file"),
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

absl::Status Fill(Session& session, Backupable& target,
                  std::unique_ptr<FilePayload> file) {
  ProgressMeter meter(&session.console(), Clock::Real(), "restore",
                      session.wants_progress());
  const uint64_t size = file->size();
  file->OnBytes([&meter, size](uint64_t done) {
    RunProgress progress;
    progress.stage = "streaming";
    progress.bytes_done = done;
    progress.bytes_estimated = size;
    progress.percent =
        size == 0 ? 100 : static_cast<uint32_t>(done * 100.0 / size);
    meter.Update(progress);
  });
  RestorePayload payload;
  payload.manifest.set_store_kind(target.store_kind());
  payload.manifest.set_plain_size_bytes(size);
  payload.reader = std::move(file);
  const absl::Status status =
      target.Restore(session.context(), "", absl::MakeSpan(&payload, 1));
  meter.Finish();
  // A store that was told to end says what it was doing; the cause is known.
  return session.context().done() ? session.context().status() : status;
}

}  // namespace

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
  const uint64_t size = file->size();
  const absl::Time began = Clock::Real()->Now();
  SLUICE_RETURN_IF_ERROR(Fill(session, *target, std::move(file)));
  if (session.console().json()) {
    session.console().ResultJson({{"backup_id", ""},
                                  {"store_id", ""},
                                  {"size_bytes", size},
                                  {"job", nullptr}});
    return {};
  }
  session.console().Result(
      absl::StrCat(Printable(path), " restored\n  to ", Printable(to), "\n  ",
                   AmountText(size, Clock::Real()->Now() - began), "\n"));
  return {};
}

}  // namespace sluice::cli
