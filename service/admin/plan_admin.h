#ifndef SLUICE_SERVICE_ADMIN_PLAN_ADMIN_H_
#define SLUICE_SERVICE_ADMIN_PLAN_ADMIN_H_

// What people do with plans, whoever carries their words: the command, the API,
// a service's own code.
//
// Example:
//
//   PlanAdmin admin(catalog, host, Clock::Real());
//   PlanWords words;
//   words.source = "memory:?load=/srv/data";
//   words.repos = {"disk"};
//   words.fields = {{"cron", "0 2 * * *"}, {"keep_daily", "7"}};
//   const absl::StatusOr<Plan> plan = admin.Add(context, "nightly", words, {});
//
// Any thread. Blocks for the catalog, and where the source is checked for the
// store. Errors: invalid_argument, which names the field and stores nothing;
// those of PlanStore; the plugin's.

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "sluice/base/clock.h"
#include "sluice/catalog/catalog.h"
#include "sluice/executor/context.h"
#include "sluice/plugins/host/plugin_host.h"
#include "sluice/service/schedule/preview.h"

namespace sluice::service {

// What is said of a plan; what is not said stays as it is.
struct PlanWords {
  std::string source;
  std::vector<std::string> repos;  // names or ids
  // By the names of PlanFields; an empty value takes one back.
  std::vector<std::pair<std::string, std::string>> fields;
  absl::optional<std::map<std::string, std::string>> labels;
  absl::optional<bool> paused = {};
};

struct PlanChecks {
  // Open the source, so that a plan which cannot run is not made.
  bool open_source = true;
  // The revision that an edit is of; any other is plan_changed. 0: any.
  uint64_t expected_revision = 0;
  // Answer what the plan would be, and store nothing.
  bool only_check = false;
};

// The key was given before, with another wish.
inline constexpr absl::string_view kIdempotencyKeyReused =
    "idempotency_key_reused";

// Who asks for a run, and how often he may ask the same.
struct Asker {
  std::string requester;        // "uid 0", "token 01H…"
  std::string idempotency_key;  // empty: each call asks anew
  // How long what he asks for may wait to begin.
  absl::Duration patience = absl::InfiniteDuration();
  // Of all that he asks: where the key is known with another,
  // idempotency_key_reused. Empty: not compared.
  std::string request_sha256 = {};
};

class PlanAdmin {
 public:
  // Borrows all.
  PlanAdmin(Catalog* catalog, PluginHost* host, Clock* clock);

  absl::StatusOr<Plan> Add(const Context& context, const std::string& name,
                           const PlanWords& words, const PlanChecks& checks);
  // `rename`: its new name; empty: it keeps the one it has.
  absl::StatusOr<Plan> Edit(const Context& context,
                            absl::string_view name_or_id,
                            const PlanWords& words, const PlanChecks& checks,
                            const std::string& rename = "");
  // A paused plan is never due. Resuming one makes it due at its next time.
  absl::StatusOr<Plan> SetPaused(const Context& context,
                                 absl::string_view name_or_id, bool paused);

  // Asks for a run into each of the plan's repos, or into the one named, and
  // answers the pending jobs. backup_already_running (JobInTheWay) where one is
  // under way; those that were asked for before it stand.
  absl::StatusOr<std::vector<QueuedRun>> RunNow(const Context& context,
                                                absl::string_view name_or_id,
                                                absl::string_view repo,
                                                const Asker& asker);
  // The next `count` times that the plan is due; none for one that is paused or
  // has no schedule.
  absl::StatusOr<std::vector<PlannedTime>> NextTimes(
      const Context& context, absl::string_view name_or_id, int count);

 private:
  absl::Status Apply(const Context& context, const PlanWords& words,
                     PlanSpec& spec);
  absl::Status CheckSource(const Context& context, PlanSpec& spec,
                           const PlanChecks& checks);

  Catalog* const catalog_;
  PluginHost* const host_;
  Clock* const clock_;
};

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_ADMIN_PLAN_ADMIN_H_
