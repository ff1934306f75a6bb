#include "sluice/cli/remote/remote.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/absolute_path.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/cli/remote/remote_verbs.h"

namespace sluice::cli {
namespace {

struct RemoteVerb {
  absl::string_view path;
  Outcome (*function)(Remote&);
};

constexpr RemoteVerb kRemoteVerbs[] = {
    {"backup", RemoteBackup},
    {"restore", RemoteRestore},
    {"verify", RemoteVerify},
    {"list", RemoteList},
    {"show", RemoteShow},
    {"prune", RemotePrune},
    {"pin", RemotePin},
    {"unpin", RemoteUnpin},
    {"job list", RemoteJobList},
    {"job show", RemoteJobShow},
    {"job wait", RemoteJobWait},
    {"job cancel", RemoteJobCancel},
    {"plan add", RemotePlanAdd},
    {"plan edit", RemotePlanEdit},
    {"plan list", RemotePlanList},
    {"plan show", RemotePlanShow},
    {"plan pause", RemotePlanPause},
    {"plan resume", RemotePlanResume},
    {"plan remove", RemotePlanRemove},
    {"plan run", RemotePlanRun},
    {"plan next", RemotePlanNext},
    {"repo add", RemoteRepoAdd},
    {"repo list", RemoteRepoList},
    {"repo show", RemoteRepoShow},
    {"repo remove", RemoteRepoRemove},
    {"repo rename", RemoteRepoRename},
    {"token create", RemoteTokenCreate},
    {"token list", RemoteTokenList},
    {"token revoke", RemoteTokenRevoke},
};

const RemoteVerb* FindRemoteVerb(absl::string_view path) {
  const auto* const found =
      std::find_if(std::begin(kRemoteVerbs), std::end(kRemoteVerbs),
                   [&](const RemoteVerb& verb) { return verb.path == path; });
  return found == std::end(kRemoteVerbs) ? nullptr : found;
}

// Those that concern no catalog, or make the service itself: a variable that is
// set for the others is not meant for them.
bool IsOfThisMachine(absl::string_view path) {
  constexpr absl::string_view kPaths[] = {"version", "completion", "man",
                                          "demo", "serve"};
  return std::find(std::begin(kPaths), std::end(kPaths), path) !=
             std::end(kPaths) ||
         absl::StartsWith(path, "plugin ");
}

// What to do in place of a verb that no server does.
std::string HintFor(absl::string_view path) {
  if (path == "delete") return "`sluice prune ID` removes archives there";
  return absl::StrCat("run `sluice ", path,
                      "` where the server runs; without --server and "
                      "SLUICE_SERVER it works on the catalog here");
}

}  // namespace

absl::StatusOr<bool> WorksThroughServer(const Command& command) {
  if (!command.Has("server")) return false;
  const absl::string_view path = command.verb->path;
  if (!command.IsTyped("server") &&
      (IsOfThisMachine(path) || command.IsTyped("catalog"))) {
    return false;
  }
  if (command.IsTyped("catalog")) {
    return InvalidArgument("--catalog and --server are mutually exclusive",
                           "the server has a catalog of its own");
  }
  if (FindRemoteVerb(path) == nullptr) {
    return InvalidArgument(
        absl::StrCat("sluice ", path, " does not work through a server"),
        HintFor(path));
  }
  return true;
}

absl::StatusOr<ApiClient> OpenServer(const Command& command) {
  SLUICE_ASSIGN_OR_RETURN(ServerAddress address,
                          ParseServer(command.Get("server")));
  std::string token;
  if (command.Has("token")) {
    SLUICE_ASSIGN_OR_RETURN(
        token, ResolveToken(command.Get("token"), !command.IsTyped("token")));
  }
  ApiClientOptions options;
  if (command.Has("ca")) {
    SLUICE_ASSIGN_OR_RETURN(options.ca_file, AbsolutePath(command.Get("ca")));
  }
  return ApiClient(std::move(address), std::move(token), std::move(options));
}

Outcome RunRemoteVerb(Remote& remote) {
  return FindRemoteVerb(remote.command().verb->path)->function(remote);
}

}  // namespace sluice::cli
