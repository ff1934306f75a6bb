#ifndef SLUICE_SERVICE_ENGINE_SETTINGS_KEEPER_H_
#define SLUICE_SERVICE_ENGINE_SETTINGS_KEEPER_H_

// Writes into each repo what concerns it of plans and pins, once they have
// changed. No change waits for it, and none fails by it: a repo that is away is
// told later, by whoever keeps settings then.
//
// Example:
//
//   SettingsKeeper keeper(catalog, host, {.owner = "host/42"});
//   if (!keeper.Keep(context)) {
//     // Some repo could not be told: again in a while.
//   }
//
// One thread at a time; beside any other process. Blocks for catalog and repos.

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "sluice/base/clock.h"
#include "sluice/catalog/catalog.h"
#include "sluice/executor/context.h"
#include "sluice/plugins/host/plugin_host.h"
#include "sluice/service/settings/repo_settings.h"

namespace sluice::service {

struct SettingsKeeperOptions {
  std::string owner;  // "host/pid", for people who look at what writes
  // As in ServiceOptions: a copy of another machine's catalog says nothing.
  std::string machine_id;
  Clock* clock = Clock::Real();
  // Told of what could not be done, and of what. May be empty.
  std::function<void(absl::string_view what, const absl::Status&)> on_problem;
};

class SettingsKeeper {
 public:
  // Borrows catalog and host.
  SettingsKeeper(Catalog* catalog, PluginHost* host,
                 SettingsKeeperOptions options);

  // True: each repo has been told all that the catalog says now, or needs not
  // be. Costs a small look at the catalog while nothing has changed.
  bool Keep(const Context& context);
  // Looks into each repo the next time, whatever it was told before: somebody
  // may have taken it away.
  void CheckAgain();
  // Whether some repo could not be told when that was last tried, by anybody.
  static bool IsBehind(const Context& context, Catalog& catalog);

 private:
  absl::Status NoteBehind(const Context& context, bool behind);
  absl::Status KeepAll(const Context& context, bool& all_told);
  absl::Status KeepOne(const Context& context, const BackupRepo& repo,
                       Settings part, uint64_t revision);
  absl::Status Write(const Context& context, const BackupRepo& repo,
                     const RepoSettings& settings);
  void Tell(absl::string_view what, const absl::Status& status);

  Catalog* const catalog_;
  PluginHost* const host_;
  const SettingsKeeperOptions options_;
  absl::optional<uint64_t> kept_revision_;
  bool check_ = false;
};

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_ENGINE_SETTINGS_KEEPER_H_
