#include "sluice/service/engine/settings_keeper.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/catalog/catalog_error.h"
#include "sluice/destinations/archive/format/sha256.h"
#include "sluice/service/engine/free_memory.h"
#include "sluice/service/settings/machine.h"
#include "sluice/service/work/open_repo.h"

namespace sluice::service {
namespace {

constexpr char kBehind[] = "repos_behind";

std::string ToldName(absl::string_view repo_id) {
  return absl::StrCat("told/", repo_id);
}

}  // namespace

SettingsKeeper::SettingsKeeper(Catalog* catalog, PluginHost* host,
                               SettingsKeeperOptions options)
    : catalog_(catalog), host_(host), options_(std::move(options)) {}

void SettingsKeeper::CheckAgain() {
  kept_revision_.reset();
  check_ = true;
}

bool SettingsKeeper::Keep(const Context& context) {
  const absl::StatusOr<uint64_t> revision =
      catalog_->settings().Revision(context);
  if (revision.ok() && kept_revision_ == *revision) return true;
  bool all_told = true;
  const absl::Status status =
      revision.ok() ? KeepAll(context, all_told) : revision.status();
  // Several times all plans, as JSON.
  ReturnFreeMemory();
  Tell("keep settings in repos",
       status.ok() ? NoteBehind(context, !all_told) : status);
  if (!status.ok() || !all_told) return false;
  kept_revision_ = *revision;
  check_ = false;
  return true;
}

bool SettingsKeeper::IsBehind(const Context& context, Catalog& catalog) {
  const auto mark = catalog.settings().Get(context, kBehind);
  return mark.ok() && mark->has_value();
}

absl::Status SettingsKeeper::NoteBehind(const Context& context, bool behind) {
  if (IsBehind(context, *catalog_) == behind) return absl::OkStatus();
  return behind ? catalog_->settings().Set(context, kBehind, "1")
                : catalog_->settings().Remove(context, kBehind);
}

absl::Status SettingsKeeper::KeepAll(const Context& context, bool& all_told) {
  if (!options_.machine_id.empty()) {
    const absl::Status ours =
        CheckMachine(context, *catalog_, options_.machine_id);
    if (!ours.ok()) {
      all_told = false;
      return ErrorCodeOf(ours) == kCatalogCloned ? absl::OkStatus() : ours;
    }
  }
  // Before the rest: what changes meanwhile has a higher one.
  SLUICE_ASSIGN_OR_RETURN(const uint64_t revision,
                          catalog_->settings().Revision(context));
  SLUICE_ASSIGN_OR_RETURN(const Settings all, ReadSettings(context, *catalog_));
  for (const BackupRepo& repo : all.repos) {
    const absl::Status kept =
        KeepOne(context, repo, PartOf(all, repo.id()), revision);
    if (!kept.ok()) all_told = false;
    Tell(absl::StrCat("keep settings in repo ", repo.name()), kept);
    SLUICE_RETURN_IF_ERROR(context.status());
  }
  return absl::OkStatus();
}

absl::Status SettingsKeeper::KeepOne(const Context& context,
                                     const BackupRepo& repo, Settings part,
                                     uint64_t revision) {
  SLUICE_ASSIGN_OR_RETURN(
      const absl::optional<std::string> told,
      catalog_->settings().Get(context, ToldName(repo.id())));
  // One that has never been told anything is left as it is.
  if (part.plans.empty() && part.pins.empty() && !told.has_value()) {
    return absl::OkStatus();
  }
  RepoSettings settings;
  settings.catalog_id = catalog_->catalog_id();
  SLUICE_ASSIGN_OR_RETURN(settings.installation_id,
                          InstallationId(context, *catalog_, *options_.clock));
  settings.settings = std::move(part);
  const std::string digest = ToHex(Sha256Of(RepoSettingsJson(settings).dump(
      -1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace)));
  if (told == digest && !check_) return absl::OkStatus();
  settings.revision = revision;
  settings.written_at_ms = absl::ToUnixMillis(options_.clock->Now());
  SLUICE_RETURN_IF_ERROR(Write(context, repo, settings));
  return catalog_->settings().Set(context, ToldName(repo.id()), digest);
}

absl::Status SettingsKeeper::Write(const Context& context,
                                   const BackupRepo& repo,
                                   const RepoSettings& settings) {
  SLUICE_ASSIGN_OR_RETURN(
      const OpenedRepo opened,
      OpenKnownRepo(context, *host_, repo, RepoUse::kWrite, options_.owner));
  SLUICE_ASSIGN_OR_RETURN(const SettingsWritten written,
                          WriteRepoSettings(context, *opened.store, settings));
  if (written != SettingsWritten::kNewer) return absl::OkStatus();
  SLUICE_ASSIGN_OR_RETURN(const uint64_t now,
                          catalog_->settings().Revision(context));
  if (now > settings.revision) {
    return MakeError(absl::StatusCode::kAborted, kPlanChanged,
                     "the settings changed meanwhile");
  }
  // What stands there is of this catalog, and this catalog knows nothing of it:
  // it is an older copy. Neither is lost if it writes beside it.
  SLUICE_RETURN_IF_ERROR(ForkInstallation(context, *catalog_, *options_.clock));
  RepoSettings beside = settings;
  SLUICE_ASSIGN_OR_RETURN(beside.installation_id,
                          InstallationId(context, *catalog_, *options_.clock));
  return WriteRepoSettings(context, *opened.store, beside).status();
}

void SettingsKeeper::Tell(absl::string_view what, const absl::Status& status) {
  if (!status.ok() && options_.on_problem) options_.on_problem(what, status);
}

}  // namespace sluice::service
