// repo …, token … through a server.

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sluice/base/clock.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/cli/remote/remote_verbs.h"
#include "sluice/cli/terminal/json.h"
#include "sluice/cli/views/archive_view.h"
#include "sluice/cli/views/token_view.h"
#include "sluice/service/admin/tokens.h"
#include "sluice/service/plan/span.h"

namespace sluice::cli {
namespace {

absl::StatusOr<BackupRepo> GetRepo(Remote& remote) {
  SLUICE_ASSIGN_OR_RETURN(
      const ApiAnswer answer,
      remote.api.Get(
          remote.context(),
          absl::StrCat("/repos/",
                       UrlEscape(remote.command().arguments.front()))));
  return ReadRepo(answer.body);
}

// By its name, or its whole id: what is forgotten or renamed is not guessed.
absl::StatusOr<BackupRepo> ExactRepo(Remote& remote) {
  const std::string& name = remote.command().arguments.front();
  SLUICE_ASSIGN_OR_RETURN(const BackupRepo repo, GetRepo(remote));
  if (repo.name() == name || repo.id() == name) return repo;
  return WithHint(MakeError(absl::StatusCode::kNotFound, kRepoNotFound,
                            absl::StrCat("there is no repo ", name)),
                  "its name, or its whole id");
}

// The repo that an answer holds.
Outcome Changed(Remote& remote, const absl::StatusOr<ApiAnswer>& answer) {
  SLUICE_RETURN_IF_ERROR(answer.status());
  SLUICE_ASSIGN_OR_RETURN(const BackupRepo repo, ReadRepo(answer->body));
  PrintRepo(remote.console(), repo);
  return {};
}

std::string RepoPath(const BackupRepo& repo) {
  return absl::StrCat("/repos/", UrlEscape(repo.id()));
}

}  // namespace

Outcome RemoteRepoAdd(Remote& remote) {
  const std::vector<std::string>& words = remote.command().arguments;
  return Changed(remote,
                 remote.api.Change(remote.context(), "POST", "/repos",
                                   {{"name", words[0]}, {"uri", words[1]}}));
}

Outcome RemoteRepoList(Remote& remote) {
  SLUICE_ASSIGN_OR_RETURN(const std::vector<BackupRepo> repos,
                          remote.api.List(remote.context(), "/repos?limit=200",
                                          "repos", &ReadRepo));
  PrintRepos(remote.console(), repos);
  return {};
}

Outcome RemoteRepoShow(Remote& remote) {
  SLUICE_ASSIGN_OR_RETURN(const BackupRepo repo, GetRepo(remote));
  SLUICE_ASSIGN_OR_RETURN(const std::vector<service::ArchiveRow> rows,
                          RemoteArchives(remote, repo.id()));
  return PrintRepoWithSum(remote.console(), repo,
                          repo.name().empty() ? repo.config() : repo.name(),
                          rows);
}

Outcome RemoteRepoRemove(Remote& remote) {
  SLUICE_ASSIGN_OR_RETURN(const BackupRepo repo, ExactRepo(remote));
  SLUICE_RETURN_IF_ERROR(
      remote.api.Change(remote.context(), "DELETE", RepoPath(repo), nullptr)
          .status());
  PrintRemovedRepo(remote.console(), repo);
  return {};
}

Outcome RemoteRepoRename(Remote& remote) {
  SLUICE_ASSIGN_OR_RETURN(const BackupRepo repo, ExactRepo(remote));
  return Changed(remote,
                 remote.api.Change(remote.context(), "PATCH", RepoPath(repo),
                                   {{"name", remote.command().arguments[1]}}));
}

Outcome RemoteTokenCreate(Remote& remote) {
  const Command& command = remote.command();
  SLUICE_ASSIGN_OR_RETURN(const std::string role, command.Require("role"));
  SLUICE_RETURN_IF_ERROR(service::ParseRole(role).status());
  Json body = {{"role", role}};
  if (command.Has("label")) body["label"] = command.Get("label");
  if (command.Has("plan")) body["plan"] = command.Get("plan");
  if (command.Has("expires")) {
    SLUICE_RETURN_IF_ERROR(service::ParseSpan(command.Get("expires")).status());
    body["expires_in"] = command.Get("expires");
  }
  SLUICE_ASSIGN_OR_RETURN(
      const ApiAnswer answer,
      remote.api.Change(remote.context(), "POST", "/tokens", body));
  service::NewToken made;
  SLUICE_ASSIGN_OR_RETURN(made.row, ReadToken(answer.body));
  SLUICE_ASSIGN_OR_RETURN(made.token, ReadText(answer.body, "token"));
  if (made.token.empty()) return AnswerError("there is no token in it");
  PrintNewToken(remote.console(), made);
  return {};
}

Outcome RemoteTokenList(Remote& remote) {
  SLUICE_ASSIGN_OR_RETURN(std::vector<AccessToken> tokens,
                          remote.api.List(remote.context(), "/tokens?limit=200",
                                          "tokens", &ReadToken));
  // As the catalog has them: the oldest first.
  std::reverse(tokens.begin(), tokens.end());
  PrintTokens(remote.console(), tokens, Clock::Real()->Now());
  return {};
}

Outcome RemoteTokenRevoke(Remote& remote) {
  const std::string& id = remote.command().arguments.front();
  SLUICE_RETURN_IF_ERROR(remote.api
                             .Change(remote.context(), "DELETE",
                                     absl::StrCat("/tokens/", UrlEscape(id)),
                                     nullptr)
                             .status());
  PrintRevokedToken(remote.console(), id);
  return {};
}

}  // namespace sluice::cli
