#include "sluice/cli/session.h"

#include <unistd.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/time.h"
#include "sluice/base/clock.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/base/version.h"
#include "sluice/catalog/sqlite_catalog.h"
#include "sluice/executor/ulid.h"
#include "sluice/plugins/host/uri.h"

namespace sluice::cli {
namespace {

constexpr absl::string_view kSqlite = "sqlite:";

// "host/pid", for people who look at what writes.
std::string Owner() {
  std::string host(256, '\0');
  if (gethostname(host.data(), host.size() - 1) != 0) host = "host";
  host.resize(host.find('\0'));
  return absl::StrCat(host.substr(0, 64), "/", getpid());
}

std::string WorkingFolder() {
  std::string folder(4096, '\0');
  if (getcwd(folder.data(), folder.size()) == nullptr) return ".";
  folder.resize(folder.find('\0'));
  return folder;
}

// The URI with a relative path made absolute, so that it means the same in
// every folder. Only what names a folder of this machine has such a path.
std::string Anchored(const std::string& uri) {
  constexpr absl::string_view kLocal = "local:";
  if (!absl::StartsWith(uri, kLocal)) return uri;
  const absl::string_view path = absl::StripPrefix(uri, kLocal);
  if (path.empty() || path.front() == '/' || path.front() == '?') return uri;
  Uri anchored;
  anchored.kind = "local";
  anchored.options = {{"path", WorkingFolder()}};
  return absl::StrCat(FormatUri(anchored), "/", path);
}

}  // namespace

std::string OpenedRepo::label() const {
  return row.name().empty() ? row.config() : row.name();
}

bool LooksLikeUri(absl::string_view text) {
  return absl::StrContains(text, ':');
}

absl::StatusOr<std::string> CatalogPath(absl::string_view flag,
                                        const Environment& environment) {
  if (absl::StartsWith(flag, kSqlite) && flag.size() > kSqlite.size()) {
    return std::string(absl::StripPrefix(flag, kSqlite));
  }
  if (!flag.empty()) {
    return WithHint(
        MakeError(absl::StatusCode::kInvalidArgument, kInvalidArgument,
                  absl::StrCat("--catalog ", flag.substr(0, flag.find(':')),
                               " is no catalog")),
        "sqlite:/path/to/catalog.db");
  }
  const char* state = environment("XDG_STATE_HOME");
  // As the XDG specification has it: a relative one is to be ignored.
  if (state != nullptr && *state == '/') {
    return absl::StrCat(state, "/sluice/catalog.db");
  }
  const char* home = environment("HOME");
  if (home != nullptr && *home == '/') {
    return absl::StrCat(home, "/.local/state/sluice/catalog.db");
  }
  return WithHint(
      MakeError(absl::StatusCode::kInvalidArgument, kInvalidArgument,
                "where is the catalog? HOME is not set"),
      "--catalog sqlite:/path, or set XDG_STATE_HOME");
}

absl::StatusOr<std::map<std::string, std::string>> ParsePins(
    absl::string_view text) {
  std::map<std::string, std::string> pins;
  for (const absl::string_view pin :
       absl::StrSplit(text, ',', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> parts =
        absl::StrSplit(pin, absl::MaxSplits('=', 1));
    const auto [file, sha256] = parts;
    const bool good =
        !file.empty() && !absl::StrContains(file, '/') && sha256.size() == 64 &&
        std::all_of(sha256.begin(), sha256.end(),
                    [](unsigned char c) { return absl::ascii_isxdigit(c); });
    if (!good || !pins.emplace(file, sha256).second) {
      return WithHint(
          MakeError(absl::StatusCode::kInvalidArgument, kInvalidArgument,
                    absl::StrCat("--plugin-pin ", pin,
                                 good ? " pins a file a second time"
                                      : " is not FILE=SHA256")),
          "a file's name without its folder, and 64 hexadecimal digits as "
          "sha256sum prints them");
    }
  }
  return pins;
}

Session::Session(const Command& command, Environment environment,
                 Console* console, Context context,
                 Context::CancelFunction cancel)
    : command_(command),
      environment_(std::move(environment)),
      console_(console),
      context_(std::move(context)),
      cancel_(std::move(cancel)) {}

bool Session::wants_progress() const { return !command_.Has("no-progress"); }

absl::Status Session::StartTimeout() {
  SLUICE_ASSIGN_OR_RETURN(const absl::Duration timeout,
                          command_.GetDuration("timeout"));
  if (timeout == absl::InfiniteDuration()) return absl::OkStatus();
  auto [limited, cancel] =
      Context::WithTimeout(context_, Clock::Real(), timeout);
  context_ = std::move(limited);
  cancel_ = std::move(cancel);
  return absl::OkStatus();
}

absl::StatusOr<Catalog*> Session::catalog() {
  if (catalog_ == nullptr) {
    SqliteCatalogOptions options;
    SLUICE_ASSIGN_OR_RETURN(options.path,
                            CatalogPath(command_.Get("catalog"), environment_));
    SLUICE_ASSIGN_OR_RETURN(catalog_, OpenSqliteCatalog(context_, options));
  }
  return catalog_.get();
}

absl::StatusOr<PluginHost*> Session::host() {
  if (host_ == nullptr) {
    PluginHostOptions options;
    options.plugin_dir = command_.Get("plugin-dir");
    if (!options.plugin_dir.empty() && options.plugin_dir.front() != '/') {
      options.plugin_dir =
          absl::StrCat(WorkingFolder(), "/", options.plugin_dir);
    }
    SLUICE_ASSIGN_OR_RETURN(options.pins,
                            ParsePins(command_.Get("plugin-pin")));
    options.program = absl::StrCat("sluice ", kVersion);
    options.log = [console = console_](int32_t level, absl::string_view line) {
      console->Log(level >= SLUICE_LOG_ERROR     ? LogLevel::kError
                   : level >= SLUICE_LOG_WARNING ? LogLevel::kWarning
                                                 : LogLevel::kInfo,
                   line, {{"from", "plugin"}});
    };
    host_ = std::make_unique<PluginHost>(std::move(options));
  }
  return host_.get();
}

absl::StatusOr<BackupRepo> Session::RowOf(absl::string_view name_or_uri) {
  if (!LooksLikeUri(name_or_uri)) {
    SLUICE_ASSIGN_OR_RETURN(Catalog* const known, catalog());
    absl::StatusOr<BackupRepo> row = known->GetRepo(context_, name_or_uri);
    if (!row.ok() && HintOf(row.status()).empty()) {
      return WithHint(row.status(),
                      "`sluice repo list` shows those there are; "
                      "`sluice repo add NAME URI` adds one");
    }
    return row;
  }
  BackupRepo row;
  row.set_config(Anchored(std::string(name_or_uri)));
  row.set_kind(row.config().substr(0, row.config().find(':')));
  return row;
}

absl::StatusOr<OpenedRepo> Session::OpenRepo(RepoUse use, bool init) {
  SLUICE_ASSIGN_OR_RETURN(const std::string repo, command_.Require("repo"));
  return OpenRepo(repo, use, init);
}

absl::StatusOr<OpenedRepo> Session::OpenPlace(absl::string_view name_or_uri) {
  OpenedRepo repo;
  SLUICE_ASSIGN_OR_RETURN(repo.row, RowOf(name_or_uri));
  SLUICE_ASSIGN_OR_RETURN(PluginHost* const plugins, host());
  SLUICE_ASSIGN_OR_RETURN(repo.store, plugins->OpenPlace(repo.row.config()));
  return repo;
}

absl::StatusOr<OpenedRepo> Session::OpenRepo(absl::string_view name_or_uri,
                                             RepoUse use, bool init) {
  SLUICE_ASSIGN_OR_RETURN(OpenedRepo repo, OpenPlace(name_or_uri));
  if (init) {
    RepoInfo wanted;
    wanted.id = NewUlid(*Clock::Real());
    wanted.created_at = TimeText(absl::ToUnixMillis(Clock::Real()->Now()));
    SLUICE_RETURN_IF_ERROR(InitRepo(context_, *repo.store, wanted).status());
  }
  absl::StatusOr<RepoInfo> info =
      sluice::OpenRepo(context_, *repo.store, repo.row.id(), use);
  if (!info.ok()) {
    if (ErrorCodeOf(info.status()) == kDestinationNotFound &&
        use == RepoUse::kWrite && repo.row.id().empty()) {
      return WithHint(info.status(),
                      "is the disk mounted? --init makes a new repo there");
    }
    return info.status();
  }
  repo.row.set_id(info->id);
  if (repo.row.name().empty()) {
    // A bare URI of a repo that the catalog knows under a name.
    SLUICE_ASSIGN_OR_RETURN(Catalog* const known, catalog());
    absl::StatusOr<BackupRepo> row = known->GetRepo(context_, info->id);
    if (row.ok()) repo.row.set_name(row->name());
  }
  ArchiveOptions options;
  options.repo_id = info->id;
  options.owner = Owner();
  repo.destination =
      ArchiveDestination::Create(repo.store, Clock::Real(), options);
  return repo;
}

}  // namespace sluice::cli
