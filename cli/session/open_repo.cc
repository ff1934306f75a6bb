// Session: which repo is meant, and opening it.

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "sluice/base/clock.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/cli/commands/command_table.h"
#include "sluice/cli/commands/parser.h"
#include "sluice/cli/session/mount_point.h"
#include "sluice/cli/session/session.h"
#include "sluice/cli/terminal/json.h"
#include "sluice/executor/ulid.h"
#include "sluice/plugins/host/uri.h"

namespace sluice::cli {
namespace {

// Whether the verb can make a repo.
bool TakesInit(const Command& command) {
  return command.verb != nullptr &&
         std::any_of(command.verb->flags.begin(), command.verb->flags.end(),
                     [](const FlagSpec& flag) { return flag.name == "init"; });
}

// A repo that was made without a name has its id for one.
bool IsUnnamed(const BackupRepo& row) {
  return row.name() == absl::AsciiStrToLower(row.id());
}

// A folder's path, as a URI: what people type where a name or a URI is wanted.
bool LooksLikePath(absl::string_view text) {
  const size_t slash = text.find('/');
  return text == "." || text == ".." || absl::StartsWith(text, "~") ||
         (slash != absl::string_view::npos && slash < text.find(':'));
}

}  // namespace

bool LooksLikeUri(absl::string_view text) {
  return absl::StrContains(text, ':') || LooksLikePath(text);
}

std::string PlaceUri(absl::string_view text) {
  if (!LooksLikePath(text)) return std::string(text);
  Uri uri;
  uri.kind = "local";
  uri.options = {{"path", std::string(text)}};
  return FormatUri(uri);
}

// By name, else by id.
absl::StatusOr<BackupRepo> Session::NamedRow(absl::string_view name,
                                             RepoUse use) {
  Catalog* known = use == RepoUse::kRead ? CatalogIfUsable() : nullptr;
  if (known == nullptr) {
    const absl::StatusOr<Catalog*> opened = catalog();
    if (!opened.ok()) {
      return WithHint(
          Annotate(opened.status(), absl::StrCat("where is repo ", name, "?")),
          "its URI needs no catalog: --repo local:/where/it/is");
    }
    known = *opened;
  }
  absl::StatusOr<BackupRepo> row = known->GetRepo(context_, name);
  if (!row.ok() && HintOf(row.status()).empty()) {
    return WithHint(row.status(), HintForRepo(*known, name));
  }
  return row;
}

std::string Session::HintForRepo(Catalog& known, absl::string_view name) {
  std::error_code ignored;
  if (std::filesystem::is_directory(std::string(name), ignored)) {
    return absl::StrCat("for the folder of that name: ./", name);
  }
  std::vector<std::string> names;
  const absl::StatusOr<std::vector<BackupRepo>> rows =
      known.ListRepos(context_);
  if (rows.ok()) {
    for (const BackupRepo& row : *rows) names.push_back(row.name());
  }
  const std::string meant = DidYouMean(name, names);
  if (!meant.empty()) return absl::StrCat("did you mean ", meant, "?");
  return "`sluice repo list` shows those there are; "
         "`sluice repo add NAME URI` adds one";
}

absl::StatusOr<std::vector<BackupRepo>> Session::ReposAt(
    const std::string& uri) {
  std::vector<BackupRepo> found;
  SLUICE_ASSIGN_OR_RETURN(Catalog* const known, catalog());
  SLUICE_ASSIGN_OR_RETURN(const std::vector<BackupRepo> rows,
                          known->ListRepos(context_));
  const absl::string_view kind =
      absl::string_view(uri).substr(0, uri.find(':'));
  for (const BackupRepo& row : rows) {
    if (row.kind() != kind) continue;
    const auto facts = (*host())->ReadPlaceUri(row.config());
    if ((facts.ok() ? facts->uri : row.config()) == uri) found.push_back(row);
  }
  return found;
}

// A place that was a repo and is none now is a disk that is away, not the begin
// of a new repo on the disk below.
absl::Status Session::MakeRepo(const OpenedRepo& repo) {
  SLUICE_ASSIGN_OR_RETURN(const std::vector<BackupRepo> known,
                          ReposAt(repo.row.config()));
  if (!known.empty()) {
    return WithHint(
        MakeError(
            absl::StatusCode::kNotFound, kDestinationNotFound,
            absl::StrCat(repo.row.config(), " holds no repo, but repo ",
                         known.front().id(), " was there; nothing was made")),
        absl::StrCat("is the disk mounted? If that repo is gone for good, "
                     "`sluice repo remove ",
                     known.front().name(), "` first"));
  }
  std::string unmounted;
  for (const auto& [key, path] : repo.paths) {
    if (unmounted.empty()) unmounted = EmptyMountPoint(path);
  }
  RepoInfo wanted;
  wanted.id = NewUlid(*Clock::Real());
  wanted.created_at = TimeText(absl::ToUnixMillis(Clock::Real()->Now()));
  SLUICE_RETURN_IF_ERROR(InitRepo(context_, *repo.store, wanted).status());
  console_->Log(LogLevel::kInfo, "made a new repo",
                {{"place", repo.row.config()}, {"repo_id", wanted.id}});
  if (!unmounted.empty()) {
    console_->Note(absl::StrCat(
        "warning: ", unmounted,
        " was an empty folder with nothing mounted on it: if it is the mount "
        "point of a disk, that disk is away, and the new repo is on the disk "
        "below (empty_mount_point)"));
  }
  return absl::OkStatus();
}

// So that --init never makes a second repo where this one was.
absl::Status Session::RememberRepo(const OpenedRepo& repo) {
  SLUICE_ASSIGN_OR_RETURN(Catalog* const known, catalog());
  const absl::StatusOr<BackupRepo> row =
      known->GetRepo(context_, repo.row.id());
  if (row.ok()) {
    if (!IsUnnamed(*row) || row->config() == repo.row.config()) {
      return absl::OkStatus();
    }
    BackupRepo moved = *row;
    moved.set_config(repo.row.config());
    return known->UpdateRepo(context_, moved);
  }
  if (ErrorCodeOf(row.status()) != kRepoNotFound) return row.status();
  BackupRepo added = repo.row;
  added.set_name(absl::AsciiStrToLower(added.id()));
  added.set_created_at_ms(absl::ToUnixMillis(Clock::Real()->Now()));
  return known->AddRepo(context_, added);
}

void Session::NameOf(OpenedRepo& repo) {
  // A bare URI of a repo that the catalog knows under a name.
  Catalog* const known = CatalogIfUsable();
  if (known == nullptr) return;
  const absl::StatusOr<BackupRepo> row =
      known->GetRepo(context_, repo.row.id());
  if (row.ok() && !IsUnnamed(*row)) repo.row.set_name(row->name());
}

absl::StatusOr<OpenedRepo> Session::OpenRepo(RepoUse use, bool init) {
  SLUICE_ASSIGN_OR_RETURN(const std::string repo, command_.Require("repo"));
  return OpenRepo(repo, use, init);
}

absl::StatusOr<OpenedRepo> Session::OpenPlace(absl::string_view name_or_uri,
                                              RepoUse use) {
  OpenedRepo repo;
  const bool by_uri = LooksLikeUri(name_or_uri);
  if (by_uri) {
    repo.row.set_config(PlaceUri(name_or_uri));
  } else {
    SLUICE_ASSIGN_OR_RETURN(repo.row, NamedRow(name_or_uri, use));
  }
  SLUICE_ASSIGN_OR_RETURN(PluginHost* const plugins, host());
  SLUICE_ASSIGN_OR_RETURN(UriFacts facts,
                          plugins->ReadPlaceUri(repo.row.config()));
  if (by_uri) repo.row.set_config(facts.uri);
  repo.row.set_kind(facts.uri.substr(0, facts.uri.find(':')));
  repo.paths = std::move(facts.paths);
  SLUICE_ASSIGN_OR_RETURN(repo.store, plugins->OpenPlace(facts.uri));
  return repo;
}

absl::StatusOr<OpenedRepo> Session::OpenRepo(absl::string_view name_or_uri,
                                             RepoUse use, bool init) {
  SLUICE_ASSIGN_OR_RETURN(OpenedRepo repo, OpenPlace(name_or_uri, use));
  SLUICE_RETURN_IF_ERROR(ProveRepo(repo, use, LooksLikeUri(name_or_uri), init));
  ArchiveOptions options;
  options.repo_id = repo.row.id();
  options.owner = Owner();
  repo.destination =
      ArchiveDestination::Create(repo.store, Clock::Real(), options);
  return repo;
}

// That the place is the repo that is meant; where it may become one, makes it.
absl::Status Session::ProveRepo(OpenedRepo& repo, RepoUse use, bool by_uri,
                                bool init) {
  const std::string expected = by_uri ? "" : repo.row.id();
  absl::StatusOr<RepoInfo> info =
      sluice::OpenRepo(context_, *repo.store, expected, use);
  // One that lost its file is neither away nor to be made anew.
  const bool missing = ErrorCodeOf(info.status()) == kDestinationNotFound &&
                       HintOf(info.status()) != kRepairHint;
  if (missing && by_uri && init) {
    SLUICE_RETURN_IF_ERROR(MakeRepo(repo));
    info = sluice::OpenRepo(context_, *repo.store, expected, use);
  } else if (missing && by_uri && TakesInit(command_)) {
    return WithHint(info.status(),
                    "is the disk mounted? --init makes a new repo there");
  } else if (missing) {
    return WithHint(info.status(),
                    "is the disk mounted? `sluice repo move` says where a repo "
                    "has gone");
  }
  SLUICE_RETURN_IF_ERROR(info.status());
  repo.row.set_id(info->id);
  if (!by_uri) {
    if (IsUnnamed(repo.row)) repo.row.clear_name();
    return absl::OkStatus();
  }
  if (init) SLUICE_RETURN_IF_ERROR(RememberRepo(repo));
  NameOf(repo);
  return absl::OkStatus();
}

}  // namespace sluice::cli
