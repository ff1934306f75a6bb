// backup, plan run, restore, verify through a server.

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "sluice/base/clock.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/cli/remote/remote_verbs.h"
#include "sluice/cli/terminal/json.h"
#include "sluice/cli/verbs/archives.h"
#include "sluice/cli/verbs/asking.h"
#include "sluice/cli/verbs/run_report.h"
#include "sluice/cli/verbs/run_words.h"
#include "sluice/plugins/host/uri.h"
#include "sluice/service/plan/span.h"

namespace sluice::cli {
namespace {

// A path that begins where this command was typed: the server is elsewhere, if
// only in another folder.
absl::Status CheckIsAbsolute(absl::string_view name, absl::string_view value) {
  const bool is_relative =
      value == "." || value == ".." || absl::StartsWith(value, "./") ||
      absl::StartsWith(value, "../") || absl::StartsWith(value, "~");
  if (!is_relative) return absl::OkStatus();
  return InvalidArgument(
      absl::StrCat("--server: ", name, " ", value, " is a path from here"),
      "the whole path, as the server's machine has it");
}

absl::Status CheckStoreUri(absl::string_view uri) {
  SLUICE_RETURN_IF_ERROR(CheckOthersCanOpen(uri, "server"));
  SLUICE_ASSIGN_OR_RETURN(const Uri parsed, ParseUri(uri));
  for (const auto& [key, value] : parsed.options) {
    SLUICE_RETURN_IF_ERROR(CheckIsAbsolute(key, value));
  }
  return absl::OkStatus();
}

void AddText(Json& body, const char* name, const std::string& text) {
  if (!text.empty()) body[name] = text;
}

// With --async --timeout is the job's, as it is without a server; else it ends
// the waiting alone.
absl::Status AddTimeout(const Command& command, Json& body) {
  if (!command.Has("async") || !command.Has("timeout")) return absl::OkStatus();
  SLUICE_ASSIGN_OR_RETURN(const absl::Duration timeout,
                          command.GetDuration("timeout"));
  body["timeout"] = service::FormatSpan(timeout);
  return absl::OkStatus();
}

Outcome QueueAndFollow(Remote& remote, const std::string& path,
                       const Json& body) {
  SLUICE_ASSIGN_OR_RETURN(const ApiAnswer answer,
                          remote.api.Queue(remote.context(), path, body));
  return FollowQueued(remote, answer, [&](const BackupJob& job) {
    return ReportRemoteJob(remote, job);
  });
}

Outcome RunPlan(Remote& remote, const std::string& name) {
  Json body = Json::object();
  AddText(body, "repo", remote.command().Get("repo"));
  return QueueAndFollow(remote,
                        absl::StrCat("/plans/", UrlEscape(name), "/run"), body);
}

absl::StatusOr<Json> BackupBody(const Command& command) {
  SLUICE_RETURN_IF_ERROR(CheckStoreUri(command.arguments.front()));
  if (command.Has("init")) {
    return InvalidArgument("--init and --server are mutually exclusive",
                           "`sluice repo add` makes the repo");
  }
  SLUICE_ASSIGN_OR_RETURN(const std::string repo, command.Require("repo"));
  Json body = {{"source", command.arguments.front()}, {"repo", repo}};
  AddText(body, "base", command.Get("base"));
  AddText(body, "label", command.Get("label"));
  AddText(body, "store_id", command.Get("store"));
  if (command.Has("allow-empty")) body["allow_empty"] = true;
  if (command.Has("verify")) body["read_back"] = true;
  SLUICE_RETURN_IF_ERROR(AddTimeout(command, body));
  return body;
}

// The id of the archive that a person means: what is a whole id where no repo
// is named, else it is looked for in the repo.
absl::StatusOr<std::string> ArchiveMeant(Remote& remote,
                                         const ArchiveWish& wish) {
  const Command& command = remote.command();
  if (!command.Has("repo") && wish.id != "latest") return wish.id;
  SLUICE_ASSIGN_OR_RETURN(const std::string repo, command.Require("repo"));
  SLUICE_ASSIGN_OR_RETURN(const std::vector<ArchiveRow> rows,
                          RemoteArchives(remote, repo));
  SLUICE_ASSIGN_OR_RETURN(const ArchiveRow row,
                          Choose(remote.session, rows, wish));
  if (row.damaged()) {
    remote.console().Note(absl::StrCat("warning: archive ", row.id,
                                       " was found damaged; trying all the "
                                       "same"));
  }
  return row.id;
}

absl::StatusOr<BackupRecord> RecordOf(Remote& remote, const std::string& id) {
  SLUICE_ASSIGN_OR_RETURN(
      const ApiAnswer answer,
      remote.api.Get(remote.context(),
                     absl::StrCat("/backups/", UrlEscape(id))));
  return ReadRecord(answer.body);
}

Outcome ReportRestore(Remote& remote, const BackupJob& job) {
  // Whatever becomes of this, the store is back.
  const absl::StatusOr<BackupRecord> record = RecordOf(remote, job.backup_id());
  if (!record.ok()) return ReportRemoteJob(remote, job);
  PrintRestored(remote.console(), remote.command().Get("to"), job.backup_id(),
                record->store_id(), record->plain_size_bytes(), job,
                absl::Milliseconds(job.finished_at_ms() - job.started_at_ms()));
  Outcome outcome;
  if (job.warnings_size() > 0) {
    NoteWarnings(remote.console(), job.warnings());
    outcome.code = ExitCode::kWarnings;
  }
  return outcome;
}

}  // namespace

Outcome RemoteBackup(Remote& remote) {
  const Command& command = remote.command();
  SLUICE_RETURN_IF_ERROR(CheckBackupWords(command));
  if (command.Has("plan")) return RunPlan(remote, command.Get("plan"));
  SLUICE_ASSIGN_OR_RETURN(const Json body, BackupBody(command));
  return QueueAndFollow(remote, "/backups", body);
}

Outcome RemotePlanRun(Remote& remote) {
  return RunPlan(remote, remote.command().arguments.front());
}

Outcome RemoteRestore(Remote& remote) {
  const Command& command = remote.command();
  for (const char* flag : {"from-file", "kind"}) {
    if (!command.Has(flag)) continue;
    return InvalidArgument(
        absl::StrCat("--", flag, " and --server are mutually exclusive"),
        "a server restores archives; without --server this machine does it");
  }
  if (command.arguments.empty()) {
    return InvalidArgument("sluice restore needs an ID", "an ID, or latest");
  }
  SLUICE_ASSIGN_OR_RETURN(const std::string to, TargetUri(command));
  SLUICE_RETURN_IF_ERROR(CheckStoreUri(to));
  SLUICE_ASSIGN_OR_RETURN(const ArchiveWish wish, RestoreWishOf(command, ""));
  SLUICE_ASSIGN_OR_RETURN(const std::string id, ArchiveMeant(remote, wish));
  Json body = {{"backup_id", id}, {"target", to}};
  AddText(body, "from_store", command.Get("from-store"));
  SLUICE_RETURN_IF_ERROR(AddTimeout(command, body));
  SLUICE_ASSIGN_OR_RETURN(
      const ApiAnswer answer,
      remote.api.Queue(remote.context(), "/restores", body));
  return FollowQueued(remote, answer, [&](const BackupJob& job) {
    return ReportRestore(remote, job);
  });
}

Outcome RemoteVerify(Remote& remote) {
  const Command& command = remote.command();
  if (command.Has("all") || command.arguments.empty()) {
    return InvalidArgument(
        "--server: sluice verify needs an ID, or latest",
        "a plan's verify rule has all of its archives verified");
  }
  SLUICE_ASSIGN_OR_RETURN(
      const std::string id,
      ArchiveMeant(remote, {command.arguments.front(), command.Get("store")}));
  return QueueAndFollow(remote,
                        absl::StrCat("/backups/", UrlEscape(id), "/verify"),
                        Json::object());
}

}  // namespace sluice::cli
