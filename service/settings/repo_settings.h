#ifndef SLUICE_SERVICE_SETTINGS_REPO_SETTINGS_H_
#define SLUICE_SERVICE_SETTINGS_REPO_SETTINGS_H_

// What each catalog keeps of itself in a repo, so that a lost one loses neither
// its plans nor its pins: an object for each, settings/CATALOG-INSTALLATION.json
// (docs/format/settings.md). Programs that do not know it never ask for it.
//
// Example:
//
//   SLUICE_ASSIGN_OR_RETURN(const FoundSettings found,
//                           ReadRepoSettings(context, place));
//   for (const RepoSettings& settings : found.newest) {
//     Print(settings.catalog_id, settings.settings.plans.size());
//   }
//
// What is read is outside bytes: it is checked, of a bounded size, and nothing
// of it is opened or run. Any thread; blocks for the place. Errors are the
// place's.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/destinations/archive/object_store.h"
#include "sluice/executor/context.h"
#include "sluice/service/settings/settings.h"

namespace sluice::service {

struct RepoSettings {
  std::string catalog_id;       // 32 hex digits
  std::string installation_id;  // ULID: a copy that was taken over has another
  uint64_t revision = 0;        // of the catalog, when it was read
  int64_t written_at_ms = 0;
  Settings settings;
};

// Of all that a catalog has: the plans that write to the repo, the repos that
// these name, and the pins of the repo's archives. Nothing but the repo itself
// where there is neither plan nor pin.
Settings PartOf(const Settings& all, absl::string_view repo_id);

std::string RepoSettingsName(const RepoSettings& settings);
Json RepoSettingsJson(const RepoSettings& settings);
// invalid_argument for what is no such object. Takes anything.
absl::StatusOr<RepoSettings> ParseRepoSettings(absl::string_view text);

struct FoundSettings {
  // Of each catalog the one that was written last; the last one first.
  std::vector<RepoSettings> newest;
  // Of objects that cannot be read, or are not what their names say.
  std::vector<absl::Status> problems;
};

absl::StatusOr<FoundSettings> ReadRepoSettings(const Context& context,
                                               ObjectStore& place);

// What became of writing one.
enum class SettingsWritten {
  kWritten,
  kSame,   // it stands there already, but for when it was written
  kNewer,  // one of a higher revision stands there: it was left
};

// Replaces the object of the same name as a whole, unless a newer one is there.
absl::StatusOr<SettingsWritten> WriteRepoSettings(const Context& context,
                                                  ObjectStore& place,
                                                  const RepoSettings& settings);

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_SETTINGS_REPO_SETTINGS_H_
