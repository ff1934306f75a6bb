#ifndef SLUICE_SERVICE_WORK_NAMED_REMOVAL_H_
#define SLUICE_SERVICE_WORK_NAMED_REMOVAL_H_

// Archives that a person names for removal: whatever the rules say, but not
// below the floors that hold one of them.
//
// Example:
//
//   SLUICE_ASSIGN_OR_RETURN(
//       const NamedRemoval removal,
//       DecideNamed(context, catalog, repo, archives, {id}, {}, now));
//   for (const RefusedRemoval& refused : removal.refused) Print(refused.status);
//   for (const std::string& gone : removal.removals) {
//     SLUICE_RETURN_IF_ERROR(RemoveArchive(context, catalog, repo, gone));
//   }
//
// Blocks for the catalog; any thread. Decides, and removes nothing.

#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "sluice/catalog/catalog.h"
#include "sluice/executor/context.h"
#include "sluice/service/archive_choice.h"
#include "sluice/service/opened_repo.h"
#include "sluice/service/retention/retention.h"

namespace sluice::service {

// `ids` are whole ids of `archives`, of any plan or none. All of them go, or
// none: where one is refused there are no removals. archive_not_found where one
// is not among `archives`.
absl::StatusOr<NamedRemoval> DecideNamed(
    const Context& context, Catalog& catalog, const OpenedRepo& repo,
    const std::vector<ArchiveRow>& archives, const std::set<std::string>& ids,
    const std::set<RetentionReasonKind>& overrides, absl::Time now);

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_WORK_NAMED_REMOVAL_H_
