#include "sluice/service/settings/repo_settings.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/destinations/archive/protocol/object_io.h"
#include "sluice/executor/ulid.h"
#include "sluice/service/settings/fields.h"

namespace sluice::service {
namespace {

constexpr char kRepoFormat[] = "sluice-repo-settings";
constexpr uint64_t kRepoVersion = 1;
constexpr absl::string_view kSettingsFolder = "settings/";
constexpr absl::string_view kSuffix = ".json";
constexpr size_t kCatalogIdLength = 32;
// A catalog that is taken over leaves one behind.
constexpr size_t kMostObjects = 1000;

bool IsCatalogId(absl::string_view text) {
  return text.size() == kCatalogIdLength &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return absl::ascii_isdigit(c) || (c >= 'a' && c <= 'f');
         });
}

bool WrittenLater(const RepoSettings& a, const RepoSettings& b) {
  if (a.written_at_ms != b.written_at_ms) {
    return a.written_at_ms > b.written_at_ms;
  }
  return a.revision > b.revision;
}

absl::StatusOr<RepoSettings> ReadOne(const Context& context, ObjectStore& place,
                                     const std::string& name) {
  SLUICE_ASSIGN_OR_RETURN(const std::string text,
                          ReadObject(context, place, name, kMaxSettingsBytes));
  SLUICE_ASSIGN_OR_RETURN(RepoSettings settings, ParseRepoSettings(text));
  if (RepoSettingsName(settings) != name) {
    return WrongSettings("catalog_id", "is not that of the object's name");
  }
  return settings;
}

// As far as it says anything of the catalog. As text: of many plans it takes a
// tenth of what a tree of values takes.
std::string Content(RepoSettings settings) {
  settings.revision = 0;
  settings.written_at_ms = 0;
  return RepoSettingsJson(settings).dump(-1, ' ', /*ensure_ascii=*/false,
                                         Json::error_handler_t::replace);
}

}  // namespace

Settings PartOf(const Settings& all, absl::string_view repo_id) {
  Settings part;
  std::set<std::string> repos = {std::string(repo_id)};
  for (const Plan& plan : all.plans) {
    const auto& named = plan.spec().repos();
    if (std::find(named.begin(), named.end(), repo_id) == named.end()) continue;
    part.plans.push_back(plan);
    repos.insert(named.begin(), named.end());
  }
  for (const BackupRepo& repo : all.repos) {
    if (repos.count(repo.id()) > 0) part.repos.push_back(repo);
  }
  for (const PinnedArchive& pinned : all.pins) {
    if (pinned.repo_id == repo_id) part.pins.push_back(pinned);
  }
  return part;
}

std::string RepoSettingsName(const RepoSettings& settings) {
  return absl::StrCat(kSettingsFolder, settings.catalog_id, "-",
                      settings.installation_id, kSuffix);
}

Json RepoSettingsJson(const RepoSettings& settings) {
  Json json = SettingsJson(settings.settings);
  json["format"] = kRepoFormat;
  json["version"] = kRepoVersion;
  json["catalog_id"] = settings.catalog_id;
  json["installation_id"] = settings.installation_id;
  json["revision"] = settings.revision;
  json["written_at"] = settings.written_at_ms == 0
                           ? Json(nullptr)
                           : Json(TimeText(settings.written_at_ms));
  return json;
}

absl::StatusOr<RepoSettings> ParseRepoSettings(absl::string_view text) {
  SLUICE_ASSIGN_OR_RETURN(const Json json, ParseSettingsJson(text));
  SLUICE_ASSIGN_OR_RETURN(JsonFields file, JsonFields::Of(json, ""));
  SLUICE_ASSIGN_OR_RETURN(const std::string format, file.Text("format"));
  SLUICE_ASSIGN_OR_RETURN(const uint64_t version, file.Count("version"));
  if (format != kRepoFormat) {
    return WrongSettings("format", absl::StrCat("is not ", kRepoFormat));
  }
  if (version != kRepoVersion) {
    return WrongSettings("version",
                         absl::StrCat("is ", version, ", not ", kRepoVersion));
  }
  RepoSettings settings;
  SLUICE_ASSIGN_OR_RETURN(settings.catalog_id, file.Required("catalog_id"));
  SLUICE_ASSIGN_OR_RETURN(settings.installation_id,
                          file.Required("installation_id"));
  if (!IsCatalogId(settings.catalog_id)) {
    return WrongSettings("catalog_id", "is none");
  }
  if (!IsUlid(settings.installation_id)) {
    return WrongSettings("installation_id", "is no ULID");
  }
  SLUICE_ASSIGN_OR_RETURN(settings.revision, file.Count("revision"));
  SLUICE_ASSIGN_OR_RETURN(settings.written_at_ms, file.Time("written_at"));
  SLUICE_ASSIGN_OR_RETURN(settings.settings, ReadSettingsLists(file));
  SLUICE_RETURN_IF_ERROR(file.Finish());
  return settings;
}

absl::StatusOr<FoundSettings> ReadRepoSettings(const Context& context,
                                               ObjectStore& place) {
  std::vector<std::string> names;
  SLUICE_RETURN_IF_ERROR(
      place.List(context, kSettingsFolder, [&](const ObjectInfo& info) {
        // What else lies in a folder of that name is not ours.
        const absl::string_view name = info.name;
        const absl::string_view id =
            name.substr(kSettingsFolder.size(), kCatalogIdLength);
        if (IsCatalogId(id) && absl::EndsWith(name, kSuffix) &&
            names.size() < kMostObjects) {
          names.push_back(info.name);
        }
        return context.status();
      }));
  FoundSettings found;
  std::map<std::string, RepoSettings> newest;
  for (const std::string& name : names) {
    absl::StatusOr<RepoSettings> read = ReadOne(context, place, name);
    SLUICE_RETURN_IF_ERROR(context.status());
    if (!read.ok()) {
      found.problems.push_back(
          WithHint(Annotate(read.status(), absl::StrCat("object ", name)),
                   "it is passed over; a newer Sluice may know it"));
      continue;
    }
    const auto [at, added] = newest.try_emplace(read->catalog_id, *read);
    if (!added && WrittenLater(*read, at->second)) at->second = *read;
  }
  for (auto& [id, settings] : newest) {
    found.newest.push_back(std::move(settings));
  }
  std::sort(found.newest.begin(), found.newest.end(), WrittenLater);
  return found;
}

absl::StatusOr<SettingsWritten> WriteRepoSettings(
    const Context& context, ObjectStore& place, const RepoSettings& settings) {
  const std::string name = RepoSettingsName(settings);
  const std::string text = RepoSettingsJson(settings).dump(
      1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
  if (text.size() > kMaxSettingsBytes) {
    return InvalidArgument(absl::StrCat("object ", name, ": too large"));
  }
  // What a reader would refuse is not written.
  const absl::StatusOr<RepoSettings> read_back = ParseRepoSettings(text);
  SLUICE_RETURN_IF_ERROR(read_back.status());
  const absl::StatusOr<RepoSettings> there = ReadOne(context, place, name);
  // One that is damaged is written anew.
  if (there.ok() && Content(*there) == Content(*read_back)) {
    return SettingsWritten::kSame;
  }
  if (there.ok() && there->revision >= settings.revision) {
    return SettingsWritten::kNewer;
  }
  if (!there.ok() && MayPass(there.status())) return there.status();
  const CommitOutcome outcome =
      StoreObject(context, place, name, text, CommitMode::kReplace);
  if (outcome.kind == CommitOutcome::kStored) return SettingsWritten::kWritten;
  return Annotate(outcome.status, absl::StrCat("write object ", name));
}

}  // namespace sluice::service
