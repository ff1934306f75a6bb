#include "sluice/cli/remote/remote.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "sluice/base/absolute_path.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/cli/commands/command_table.h"
#include "sluice/cli/remote/remote_verbs.h"

namespace sluice::cli {
namespace {

struct RemoteVerb {
  absl::string_view path;
  Outcome (*function)(Remote&);
  // Of the verb's flags those that it heeds, or itself refuses: with any other
  // it would do something else than it was told.
  absl::string_view flags = "";
};

constexpr absl::string_view kAnyFlag = "*";

constexpr RemoteVerb kRemoteVerbs[] = {
    {"backup", RemoteBackup,
     "repo init base allow-empty verify label store plan async"},
    {"restore", RemoteRestore,
     "repo to store from-store accept-mismatch from-file kind async"},
    {"verify", RemoteVerify, "repo all store"},
    {"list", RemoteList, "repo store label"},
    {"show", RemoteShow, "repo store"},
    {"prune", RemotePrune, "plan repo dry-run override yes"},
    {"pin", RemotePin, "repo until reason"},
    {"unpin", RemoteUnpin, "repo"},
    {"job list", RemoteJobList, "limit status kind repo plan"},
    {"job show", RemoteJobShow},
    {"job wait", RemoteJobWait},
    {"job cancel", RemoteJobCancel},
    {"plan add", RemotePlanAdd, kAnyFlag},
    {"plan edit", RemotePlanEdit, kAnyFlag},
    {"plan list", RemotePlanList},
    {"plan show", RemotePlanShow},
    {"plan pause", RemotePlanPause},
    {"plan resume", RemotePlanResume},
    {"plan remove", RemotePlanRemove, "yes"},
    {"plan run", RemotePlanRun, "repo async"},
    {"plan next", RemotePlanNext, "count"},
    {"repo add", RemoteRepoAdd},
    {"repo list", RemoteRepoList},
    {"repo show", RemoteRepoShow},
    {"repo remove", RemoteRepoRemove},
    {"repo rename", RemoteRepoRename},
    {"token create", RemoteTokenCreate, "role plan expires label"},
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

absl::Status CheckFlags(const Command& command, const RemoteVerb& verb) {
  if (verb.flags == kAnyFlag) return absl::OkStatus();
  const std::vector<absl::string_view> heeded = absl::StrSplit(verb.flags, ' ');
  for (const FlagSpec& flag : command.verb->flags) {
    if (!command.Has(flag.name) ||
        std::find(heeded.begin(), heeded.end(), flag.name) != heeded.end()) {
      continue;
    }
    return InvalidArgument(
        absl::StrCat("--", flag.name, " and --server are mutually exclusive"),
        absl::StrCat("run `sluice ", verb.path, " --", flag.name,
                     "` where the server runs"));
  }
  return absl::OkStatus();
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
  const RemoteVerb* const verb = FindRemoteVerb(path);
  if (verb == nullptr) {
    return InvalidArgument(
        absl::StrCat("sluice ", path, " does not work through a server"),
        HintFor(path));
  }
  SLUICE_RETURN_IF_ERROR(CheckFlags(command, *verb));
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
