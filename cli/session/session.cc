#include "sluice/cli/session/session.h"

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
#include "sluice/base/absolute_path.h"
#include "sluice/base/clock.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/base/version.h"
#include "sluice/catalog/settle.h"
#include "sluice/catalog/sqlite/sqlite_catalog.h"
#include "sluice/cli/terminal/json.h"

namespace sluice::cli {
namespace {

constexpr absl::string_view kSqlite = "sqlite:";
// How long a service waits for another process's transaction: who asks its API
// is told soon, and what it could not write it tries again.
constexpr absl::Duration kServePatience = absl::Seconds(5);

}  // namespace

std::string HostName() {
  std::string host(256, '\0');
  if (gethostname(host.data(), host.size() - 1) != 0) return "host";
  host.resize(host.find('\0'));
  return host;
}

std::string Owner() {
  return absl::StrCat(HostName().substr(0, 64), "/", getpid());
}

absl::StatusOr<std::string> CatalogPath(absl::string_view flag,
                                        const Environment& environment) {
  if (absl::StartsWith(flag, kSqlite) && flag.size() > kSqlite.size()) {
    return AbsolutePath(absl::StripPrefix(flag, kSqlite));
  }
  if (!flag.empty()) {
    return InvalidArgument(
        absl::StrCat("--catalog ", flag.substr(0, flag.find(':')),
                     " is not a catalog"),
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
  return InvalidArgument("where is the catalog? HOME is not set",
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
      return InvalidArgument(
          absl::StrCat(
              "--plugin-pin ", pin,
              good ? " pins a file a second time" : " is not FILE=SHA256"),
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

bool Session::wants_progress() const {
  return !command_.Has("no-progress") && !command_.Has("quiet");
}

absl::StatusOr<Catalog*> Session::catalog() { return OpenCatalog(context_); }

absl::StatusOr<Catalog*> Session::OpenCatalog(const Context& context) {
  if (catalog_ == nullptr) {
    SqliteCatalogOptions options;
    SLUICE_ASSIGN_OR_RETURN(options.path,
                            CatalogPath(command_.Get("catalog"), environment_));
    if (command_.verb != nullptr && command_.verb->path == "serve") {
      options.busy_timeout = kServePatience;
    }
    SLUICE_ASSIGN_OR_RETURN(catalog_, OpenSqliteCatalog(context, options));
    const auto revision = catalog_->settings().Revision(context);
    if (revision.ok()) opened_at_revision_ = *revision;
    SettleDead(context);
  }
  return catalog_.get();
}

// What cannot be settled now is settled by a later command: a catalog that is
// locked, full or read-only fails nobody who only reads.
void Session::SettleDead(const Context& context) {
  const absl::StatusOr<SettleReport> report =
      SettleDeadJobs(context, *catalog_, {});
  if (!report.ok()) {
    console_->Log(LogLevel::kWarning, "dead jobs not settled",
                  {{"error_code", ErrorCodeOf(report.status())},
                   {"error", std::string(report.status().message())}});
    return;
  }
  for (const BackupJob& job : report->ended) {
    console_->Log(LogLevel::kInfo, "dead job ended",
                  {{"job_id", job.id()},
                   {"kind", KindName(job.kind())},
                   {"store_id", job.store_id()},
                   {"error_code", job.error_code()}});
  }
}

absl::StatusOr<PluginHost*> Session::host() {
  if (host_ == nullptr) {
    PluginHostOptions options;
    if (command_.Has("plugin-dir")) {
      SLUICE_ASSIGN_OR_RETURN(options.plugin_dir,
                              AbsolutePath(command_.Get("plugin-dir")));
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

Catalog* Session::ChangedCatalog() {
  if (catalog_ == nullptr || !opened_at_revision_.has_value()) return nullptr;
  const absl::StatusOr<uint64_t> now = catalog_->settings().Revision(context_);
  return now.ok() && *now != *opened_at_revision_ ? catalog_.get() : nullptr;
}

Catalog* Session::CatalogIfUsable() {
  if (catalog_unusable_) return nullptr;
  if (catalog_ != nullptr) return catalog_.get();
  const absl::StatusOr<Catalog*> opened = OpenCatalog(
      Context::WithTimeout(context_, Clock::Real(), kCatalogPatience).first);
  if (opened.ok()) return *opened;
  NoteCatalogUnusable(opened.status());
  return nullptr;
}

void Session::NoteCatalogUnusable(const absl::Status& status) {
  if (std::exchange(catalog_unusable_, true)) return;
  console_->Note(absl::StrCat(
      "going on without the catalog: ", std::string(status.message()), " (",
      ErrorCodeOf(status), ")"));
}

}  // namespace sluice::cli
