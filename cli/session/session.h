#ifndef SLUICE_CLI_SESSION_SESSION_H_
#define SLUICE_CLI_SESSION_SESSION_H_

// What one run of the command works with: the words it was given, the console,
// the catalog, the plugins and the repos. Each is opened when it is first asked
// for.
//
//   Session session(command, environment, &console, context, cancel);
//   SLUICE_ASSIGN_OR_RETURN(OpenedRepo repo,
//                           session.OpenRepo(RepoUse::kRead));
//
// One thread.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "sluice/catalog/catalog.h"
#include "sluice/cli/commands/parser.h"
#include "sluice/cli/terminal/console.h"
#include "sluice/cli/terminal/exit_code.h"
#include "sluice/destinations/archive/protocol/repo.h"
#include "sluice/executor/backupable.h"
#include "sluice/executor/context.h"
#include "sluice/executor/models.pb.h"
#include "sluice/plugins/host/plugin_host.h"
#include "sluice/service/opened_repo.h"
#include "sluice/service/optional_jobs.h"

namespace sluice::cli {

// How a verb ended. An OK status with another code than kOk is "done, but".
struct Outcome {
  Outcome() = default;
  Outcome(absl::Status s) : status(std::move(s)) {}  // NOLINT: a status is one
  Outcome(absl::Status s, absl::optional<BackupJob> j, bool a = false)
      : status(std::move(s)), abandoned(a), job(std::move(j)) {}

  absl::Status status;
  ExitCode code = ExitCode::kOk;  // of an OK status
  // A thread of a source that did not return may still run: nothing of its is
  // to be taken away under it.
  bool abandoned = false;
  absl::optional<BackupJob> job;  // for the error's JSON
};

using service::OpenedRepo;

class Session {
 public:
  // Borrows the console.
  Session(const Command& command, Environment environment, Console* console,
          Context context, Context::CancelFunction cancel);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  const Command& command() const { return command_; }
  const Environment& environment() const { return environment_; }
  Console& console() { return *console_; }
  const Context& context() const { return context_; }
  // Ends the context.
  const Context::CancelFunction& cancel() const { return cancel_; }
  bool wants_progress() const;

  // Of --catalog, or the default one. The jobs of this machine that nobody runs
  // any more are ended when it is opened, as far as that can be.
  absl::StatusOr<Catalog*> catalog();
  // The same where it was opened already; else null.
  Catalog* opened_catalog() { return catalog_.get(); }
  // The same where plans, pins or repos have changed since it was opened.
  Catalog* ChangedCatalog();
  // For verbs that need the repo alone: null where the catalog is missing a
  // place, locked, damaged, full or read-only. Then, once, a note says so.
  Catalog* CatalogIfUsable();
  // The same, where a call of the catalog failed later on.
  void NoteCatalogUnusable(const absl::Status& status);
  absl::StatusOr<PluginHost*> host();

  // The repo of --repo: a name or id of the catalog, else a URI, or a folder's
  // path. With `init`, a place that a URI names becomes one where it is none
  // yet, unless the catalog knows one there: then its disk is away. Reading
  // goes on without a catalog where the repo is named by its URI.
  absl::StatusOr<OpenedRepo> OpenRepo(RepoUse use, bool init = false);
  absl::StatusOr<OpenedRepo> OpenRepo(absl::string_view name_or_uri,
                                      RepoUse use, bool init);
  // Row, place and paths alone, whether the place is a repo or not.
  absl::StatusOr<OpenedRepo> OpenPlace(absl::string_view name_or_uri,
                                       RepoUse use);
  // The repos that the catalog knows at a place, by its UriFacts::uri.
  absl::StatusOr<std::vector<BackupRepo>> ReposAt(const std::string& uri);
  // For who named a repo that the catalog does not know.
  std::string HintForRepo(Catalog& known, absl::string_view name);

 private:
  absl::StatusOr<Catalog*> OpenCatalog(const Context& context);
  absl::StatusOr<BackupRepo> NamedRow(absl::string_view name, RepoUse use);
  absl::Status ProveRepo(OpenedRepo& repo, RepoUse use, bool by_uri, bool init);
  absl::Status MakeRepo(const OpenedRepo& repo);
  absl::Status RememberRepo(const OpenedRepo& repo);
  void NameOf(OpenedRepo& repo);
  void SettleDead(const Context& context);

  const Command command_;
  const Environment environment_;
  Console* const console_;
  const Context context_;
  const Context::CancelFunction cancel_;
  std::unique_ptr<PluginHost> host_;
  std::unique_ptr<Catalog> catalog_;
  absl::optional<uint64_t> opened_at_revision_;
  bool catalog_unusable_ = false;
};

using service::kCatalogPatience;

// Is this a URI or a path, or a name?
bool LooksLikeUri(absl::string_view text);
// A folder's path ("/mnt/disk", "./repo", "~/repo") as a URI; a URI as it is.
std::string PlaceUri(absl::string_view text);

// This machine's name, for people.
std::string HostName();
// "host/pid", for people who look at what writes.
std::string Owner();

// "FILE=SHA256,..." as PluginHostOptions::pins.
absl::StatusOr<std::map<std::string, std::string>> ParsePins(
    absl::string_view text);

// The path of the catalog: of "sqlite:PATH" where `flag` is not empty, else
// below $XDG_STATE_HOME or $HOME.
absl::StatusOr<std::string> CatalogPath(absl::string_view flag,
                                        const Environment& environment);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_SESSION_SESSION_H_
