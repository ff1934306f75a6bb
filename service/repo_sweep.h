#ifndef SLUICE_SERVICE_REPO_SWEEP_H_
#define SLUICE_SERVICE_REPO_SWEEP_H_

// The sweep of a repo, with what the catalog knows.

#include "absl/status/statusor.h"
#include "sluice/catalog/catalog.h"
#include "sluice/destinations/archive/protocol/sweep.h"
#include "sluice/executor/context.h"
#include "sluice/service/opened_repo.h"

namespace sluice::service {

// No backup that the catalog has recorded is ended, and each whose job has
// ended without an archive is, at once. `take_lost`: see SweepOptions. Blocks;
// any thread. Errors are the catalog's and the place's; what one object alone
// refuses is among the report's problems.
absl::StatusOr<SweepReport> SweepRepo(const Context& context, Catalog& catalog,
                                      const OpenedRepo& repo,
                                      bool take_lost = false);

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_REPO_SWEEP_H_
