#ifndef SLUICE_CATALOG_SETTLE_H_
#define SLUICE_CATALOG_SETTLE_H_

// Ends the jobs that nobody runs any more, from the catalog alone: what every
// verb does when it opens the catalog, so that no killed run stays `running`
// until somebody reconciles.
//
// Example:
//
//   SLUICE_ASSIGN_OR_RETURN(const SettleReport report,
//                           SettleDeadJobs(context, *catalog, {}));
//   for (const BackupJob& job : report.ended) std::cerr << job.id() << "\n";
//
// dead job                              | done
// --------------------------------------|--------------------------------------
// a restore                             | `interrupted`, process_died
// a backup that had not begun to publish| `interrupted`, process_died
// a backup that had                     | left: Reconcile looks at the repo
// a job whose owner may be alive        | left alone
//
// Dead is an owner of this machine who provably runs no more (IsProvablyDead):
// one who was only stopped, is on another machine, or whose lease ran out while
// nobody can say more, is left to Reconcile, which takes the archive's name
// first. What such a run left in the repo is swept as ever.
//
// Safe beside every other verb, from any process, on any thread. The catalog is
// borrowed for the call. One read where no job is dead.

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "sluice/base/clock.h"
#include "sluice/catalog/catalog.h"
#include "sluice/executor/context.h"
#include "sluice/executor/models.pb.h"

namespace sluice {

struct SettleOptions {
  // A process whose end the caller has seen or brought about, and why: told in
  // its jobs in place of process_died. A backup of it that may have published
  // is ended too, as publish_outcome_unknown. 0: none.
  int64_t pid = 0;
  absl::Status cause;
  // How long writes may take in all, another process's turn included.
  absl::Duration patience = absl::Seconds(2);
  Clock* clock = Clock::Real();
};

struct SettleReport {
  std::vector<BackupJob> ended;
  std::vector<BackupJob> left;       // dead, and perhaps published
  absl::optional<BackupJob> of_pid;  // the last of `ended` that was its
};

// The first error ends it; what was done until then stays, and the next call
// does the rest.
absl::StatusOr<SettleReport> SettleDeadJobs(const Context& context,
                                            Catalog& catalog,
                                            const SettleOptions& options);

}  // namespace sluice

#endif  // SLUICE_CATALOG_SETTLE_H_
