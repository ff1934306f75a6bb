#ifndef SLUICE_CLI_REMOTE_REMOTE_H_
#define SLUICE_CLI_REMOTE_REMOTE_H_

// The command as a client: verbs that work through a `sluice serve`, by its API
// and with a token's role, in place of the catalog. They open no catalog, no
// repo and no plugin of this machine, and print by the same code.
//
// Example:
//
//   SLUICE_ASSIGN_OR_RETURN(const bool remote, WorksThroughServer(command));
//   if (remote) return RunRemotely(command, environment, console_options);
//
// One thread.

#include "absl/status/statusor.h"
#include "sluice/cli/commands/parser.h"
#include "sluice/cli/remote/api_client.h"
#include "sluice/cli/remote/attention.h"
#include "sluice/cli/session/session.h"
#include "sluice/cli/terminal/console.h"

namespace sluice::cli {

// Whether the command works through a server: --server says so, or its variable
// where neither --catalog is on the command line nor the verb is this machine's
// alone (version, completion, man, demo, serve, plugin …). invalid_argument:
// a verb or a flag that no server can do.
absl::StatusOr<bool> WorksThroughServer(const Command& command);

// What --server, --token and --ca name.
absl::StatusOr<ApiClient> OpenServer(const Command& command);

// What a verb works with. Borrows all.
struct Remote {
  Session& session;  // for its words and its console; opens nothing
  const ApiClient& api;
  Attention& attention;
  // Without an answer for so long, whoever follows a job gives up.
  absl::Duration lost_patience = absl::Minutes(2);
  // A stream of events is begun anew after so long: one that is dead says
  // nothing, and a proxy may keep all that a live one says.
  absl::Duration longest_stream = absl::Seconds(20);

  const Command& command() const { return session.command(); }
  Console& console() const { return session.console(); }
  const Context& context() const { return attention.context(); }
};

// Of a command that WorksThroughServer.
Outcome RunRemoteVerb(Remote& remote);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_REMOTE_REMOTE_H_
