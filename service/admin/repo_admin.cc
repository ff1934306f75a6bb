#include "sluice/service/admin/repo_admin.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/catalog/catalog_error.h"
#include "sluice/destinations/archive/protocol/repo.h"
#include "sluice/plugins/host/secret.h"
#include "sluice/plugins/host/uri.h"
#include "sluice/service/work/open_repo.h"
#include "sluice/service/work/purge.h"

namespace sluice::service {
namespace {

constexpr size_t kMaxRepoName = 63;

bool IsLowerOrDigit(char c) {
  return absl::ascii_islower(static_cast<unsigned char>(c)) ||
         absl::ascii_isdigit(static_cast<unsigned char>(c));
}

// Says where the place is, and not how it is used.
bool IsOfThePlace(const UriFacts& facts, const std::string& option) {
  return option == "authority" || option == "path" ||
         facts.paths.count(option) > 0;
}

absl::Status CheckKeyRefs(const std::vector<std::string>& refs) {
  for (size_t i = 0; i < refs.size(); ++i) {
    if (IsSecretReference(refs[i])) continue;
    // It may be the key itself: it is not repeated.
    return InvalidArgument(
        absl::StrCat("key_refs: number ", i + 1, " is no reference"),
        "env:NAME, file:/path or cmd:COMMAND");
  }
  return absl::OkStatus();
}

// That the place is the repo, used as `row` says.
absl::Status ProvePlace(const Context& context, PluginHost& host,
                        const BackupRepo& row) {
  SLUICE_ASSIGN_OR_RETURN(
      const OpenedRepo opened,
      OpenKnownRepo(context, host, row, RepoUse::kWrite, "repo edit"));
  return opened.destination->Validate(context);
}

}  // namespace

absl::Status CheckRepoName(absl::string_view name) {
  const bool ok =
      !name.empty() && name.size() <= kMaxRepoName && IsLowerOrDigit(name[0]) &&
      std::all_of(name.begin(), name.end(), [](char c) {
        return IsLowerOrDigit(c) || c == '.' || c == '_' || c == '-';
      });
  if (ok) return absl::OkStatus();
  return InvalidArgument(
      absl::StrCat("name: \"", name, "\" is not a valid repo name"),
      "1 to 63 lower case letters, digits, '.', '_' and '-', the first a "
      "letter or digit");
}

absl::StatusOr<std::string> ConfigWithOptions(
    PluginHost& host, const std::string& config,
    const std::map<std::string, std::string>& options) {
  SLUICE_ASSIGN_OR_RETURN(const UriFacts before, host.ReadPlaceUri(config));
  SLUICE_ASSIGN_OR_RETURN(Uri uri, ParseUri(before.uri));
  for (const auto& [name, value] : options) {
    if (IsOfThePlace(before, name)) {
      return InvalidArgument(
          absl::StrCat("option ", name, ": says where the repo is"),
          "`sluice repo move` records where a repo has gone");
    }
    const auto said = std::find_if(
        uri.options.begin(), uri.options.end(),
        [&, &key = name](const auto& o) { return o.first == key; });
    if (said != uri.options.end()) uri.options.erase(said);
    if (!value.empty()) uri.options.emplace_back(name, value);
  }
  SLUICE_ASSIGN_OR_RETURN(const UriFacts after,
                          host.ReadPlaceUri(FormatUri(uri)));
  if (after.paths != before.paths) {
    return InvalidArgument("options: they say where the repo is",
                           "`sluice repo move` records where a repo has gone");
  }
  return after.uri;
}

absl::StatusOr<EditedRepo> EditRepo(const Context& context, Catalog& catalog,
                                    PluginHost& host, const Clock& clock,
                                    BackupRepo repo, const RepoWords& words) {
  if (words.empty()) {
    return InvalidArgument("nothing is said that is to change",
                           "place and kind stay: `sluice repo move` records "
                           "where a repo has gone");
  }
  EditedRepo edited;
  if (!words.name.empty()) {
    SLUICE_RETURN_IF_ERROR(CheckRepoName(words.name));
    repo.set_name(words.name);
  }
  if (words.key_refs.has_value()) {
    SLUICE_RETURN_IF_ERROR(CheckKeyRefs(*words.key_refs));
    repo.clear_key_refs();
    for (const std::string& ref : *words.key_refs) repo.add_key_refs(ref);
    edited.notes.push_back(
        "new keys are for new archives: those that are there stay under the "
        "keys that they were made with");
  }
  if (!words.options.empty()) {
    SLUICE_ASSIGN_OR_RETURN(
        const std::string config,
        ConfigWithOptions(host, repo.config(), words.options));
    repo.set_config(config);
    SLUICE_RETURN_IF_ERROR(ProvePlace(context, host, repo));
    edited.notes.push_back(
        "the options are for what is written from now on: archives that are "
        "there stay as they are");
  }
  repo.set_updated_at_ms(absl::ToUnixMillis(clock.Now()));
  SLUICE_RETURN_IF_ERROR(catalog.UpdateRepo(context, repo));
  edited.repo = std::move(repo);
  return edited;
}

absl::Status ForgetRepo(const Context& context, Catalog& catalog,
                        const BackupRepo& repo, bool records_hold) {
  SLUICE_RETURN_IF_ERROR(CheckRepoIsFree(context, catalog, repo, ""));
  if (records_hold) {
    CatalogFilter filter;
    filter.repo_id = repo.id();
    filter.limit = 1;
    SLUICE_ASSIGN_OR_RETURN(const std::vector<BackupRecord> records,
                            catalog.ListRecords(context, filter));
    if (!records.empty()) {
      return WithHint(
          MakeError(absl::StatusCode::kFailedPrecondition, kRepoInUse,
                    absl::StrCat("the catalog has records of backups in repo ",
                                 repo.name())),
          "purge_archives=true deletes them with their archives; `sluice repo "
          "remove` forgets the repo and leaves them");
    }
  }
  return catalog.RemoveRepo(context, repo.id());
}

}  // namespace sluice::service
