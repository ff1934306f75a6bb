#ifndef SLUICE_CLI_SESSION_H_
#define SLUICE_CLI_SESSION_H_

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

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "sluice/catalog/catalog.h"
#include "sluice/cli/console.h"
#include "sluice/cli/exit_code.h"
#include "sluice/cli/parser.h"
#include "sluice/destinations/archive/archive_destination.h"
#include "sluice/destinations/archive/object_store.h"
#include "sluice/destinations/archive/repo.h"
#include "sluice/executor/backupable.h"
#include "sluice/executor/context.h"
#include "sluice/executor/models.pb.h"
#include "sluice/plugins/host/plugin_host.h"

namespace sluice::cli {

// How a verb ended. An OK status with another code than kOk is "done, but".
struct Outcome {
  Outcome() = default;
  Outcome(absl::Status s) : status(std::move(s)) {}  // NOLINT: a status is one
  Outcome(absl::Status s, absl::optional<BackupJob> j)
      : status(std::move(s)), job(std::move(j)) {}

  absl::Status status;
  ExitCode code = ExitCode::kOk;  // of an OK status
  absl::optional<BackupJob> job;  // for the error's JSON
};

struct OpenedRepo {
  // The catalog's row; for a bare URI that the catalog does not know one
  // without a name.
  BackupRepo row;
  std::shared_ptr<ObjectStore> store;
  std::shared_ptr<ArchiveDestination> destination;

  // For people: the name, else the URI.
  std::string label() const;
};

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

  // Ends the context once --timeout has passed, from now on.
  absl::Status StartTimeout();

  // Of --catalog, or the default one.
  absl::StatusOr<Catalog*> catalog();
  absl::StatusOr<PluginHost*> host();

  // The repo of --repo: a name or id of the catalog, else a URI. With `init`, a
  // place that is none yet becomes one.
  absl::StatusOr<OpenedRepo> OpenRepo(RepoUse use, bool init = false);
  absl::StatusOr<OpenedRepo> OpenRepo(absl::string_view name_or_uri,
                                      RepoUse use, bool init);
  // Row and place alone, whether the place is a repo or not.
  absl::StatusOr<OpenedRepo> OpenPlace(absl::string_view name_or_uri);

 private:
  absl::StatusOr<BackupRepo> RowOf(absl::string_view name_or_uri);

  const Command command_;
  const Environment environment_;
  Console* const console_;
  Context context_;
  Context::CancelFunction cancel_;
  std::unique_ptr<PluginHost> host_;
  std::unique_ptr<Catalog> catalog_;
};

// Is this a URI, or a name?
bool LooksLikeUri(absl::string_view text);

// "FILE=SHA256,..." as PluginHostOptions::pins.
absl::StatusOr<std::map<std::string, std::string>> ParsePins(
    absl::string_view text);

// The path of the catalog: of "sqlite:PATH" where `flag` is not empty, else
// below $XDG_STATE_HOME or $HOME.
absl::StatusOr<std::string> CatalogPath(absl::string_view flag,
                                        const Environment& environment);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_SESSION_H_
