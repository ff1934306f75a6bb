#ifndef SLUICE_SERVICE_ADMIN_REQUESTS_H_
#define SLUICE_SERVICE_ADMIN_REQUESTS_H_

// Work that people ask for beside plans, as pending jobs: a backup of a URI, a
// restore, a verification, a purge.
//
// Example:
//
//   BackupWish wish;
//   wish.source = "memory:?load=/srv/data";
//   wish.repo = "disk";
//   const absl::StatusOr<QueuedRun> run =
//       AskForBackup(context, *catalog, *host, *clock, wish, {"uid 0", ""});
//
// Any thread. Each blocks for the catalog, and looks at URIs without opening
// what they name. Errors: invalid_argument, repo_not_found, record_not_found,
// backup_already_running (JobInTheWay), repo_in_use, the plugin's.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "sluice/base/clock.h"
#include "sluice/catalog/catalog.h"
#include "sluice/executor/context.h"
#include "sluice/plugins/host/plugin_host.h"
#include "sluice/service/admin/plan_admin.h"

namespace sluice::service {

struct BackupWish {
  std::string source;  // URI
  std::string repo;    // name or id
  std::string base;    // "latest" or an id; empty: a full backup
  std::string label;
  std::string store_id;  // of a store without one of its own
  bool allow_empty = false;
  bool read_back = false;
  absl::Duration timeout = absl::InfiniteDuration();
};

absl::StatusOr<QueuedRun> AskForBackup(const Context& context, Catalog& catalog,
                                       PluginHost& host, Clock& clock,
                                       const BackupWish& wish,
                                       const Asker& asker);

struct RestoreWish {
  std::string backup_id;   // an id or a unique prefix that the catalog knows
  std::string target;      // URI
  std::string from_store;  // the other store whose archive it may be
  absl::Duration timeout = absl::InfiniteDuration();
};

absl::StatusOr<QueuedRun> AskForRestore(const Context& context,
                                        Catalog& catalog, PluginHost& host,
                                        Clock& clock, const RestoreWish& wish,
                                        const Asker& asker);

// To read archives of one repo again, with all that they build on.
absl::StatusOr<QueuedRun> AskForVerify(
    const Context& context, Catalog& catalog, Clock& clock,
    const std::vector<std::string>& backup_ids, const Asker& asker);

// To forget a repo with all its archives. repo_in_use, with their names, where
// plans or other jobs need it.
absl::StatusOr<QueuedRun> AskForPurge(const Context& context, Catalog& catalog,
                                      Clock& clock, const BackupRepo& repo,
                                      const Asker& asker);

// Enqueues it, or answers what the same key asked for before.
// idempotency_key_reused where that was something else.
absl::StatusOr<QueuedRun> EnqueueOnce(const Context& context, JobQueue& queue,
                                      const QueuedRun& run);

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_ADMIN_REQUESTS_H_
