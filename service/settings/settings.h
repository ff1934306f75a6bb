#ifndef SLUICE_SERVICE_SETTINGS_SETTINGS_H_
#define SLUICE_SERVICE_SETTINGS_SETTINGS_H_

// What a catalog knows that no repo's archives can bring back: its plans, where
// its repos are, and what is pinned; as one JSON file, and back.
//
// Example:
//
//   SLUICE_ASSIGN_OR_RETURN(const Settings settings,
//                           ReadSettings(context, *catalog));
//   const std::string text = SettingsJson(settings).dump(2);
//   SLUICE_ASSIGN_OR_RETURN(const Settings read, ParseSettings(text));
//   for (const ImportedObject& object : Import(context, *other, read, now)) {
//     Print(object.name, object.action);
//   }
//
// Any thread; what takes a catalog blocks for it. No secret is in it: keys and
// passwords are references, tokens are left out.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sluice/catalog/catalog.h"
#include "sluice/catalog/plan.pb.h"
#include "sluice/executor/context.h"
#include "sluice/executor/models.pb.h"
#include "sluice/service/json/json.h"

namespace sluice::service {

inline constexpr size_t kMaxSettingsBytes = size_t{64} << 20;

struct PinnedArchive {
  std::string id;
  Pin pin;
  std::string repo_id = {};  // not in the file: the archive's record has it
};

struct Settings {
  std::vector<BackupRepo> repos;
  std::vector<Plan> plans;
  std::vector<PinnedArchive> pins;
};

absl::StatusOr<Settings> ReadSettings(const Context& context, Catalog& catalog);

// {"format":"sluice-settings","version":1,"repos","plans","pins"}.
Json SettingsJson(const Settings& settings);

// invalid_argument, with where in the text, for what is no such JSON, has a name
// that this Sluice does not know, or lacks one that it needs. Takes anything, of
// kMaxSettingsBytes at most.
absl::StatusOr<Settings> ParseSettings(absl::string_view text);

// What became of one of them.
struct ImportedObject {
  enum class Action { kAdded, kKept, kFailed };
  std::string kind;  // "repo", "plan", "pin"
  std::string id;
  std::string name;
  Action action;
  absl::Status status;  // of kFailed
};

// "added", "kept", "failed".
absl::string_view ImportWord(ImportedObject::Action action);

// Adds what is not there yet, each in a transaction of its own, repos before
// plans before pins; what is there stays as it is, so that it may be repeated. A
// pin needs the record of its archive. A plan is due from its next time after
// `now` on.
std::vector<ImportedObject> Import(const Context& context, Catalog& catalog,
                                   const Settings& settings, absl::Time now);

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_SETTINGS_SETTINGS_H_
