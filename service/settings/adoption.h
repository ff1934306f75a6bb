#ifndef SLUICE_SERVICE_SETTINGS_ADOPTION_H_
#define SLUICE_SERVICE_SETTINGS_ADOPTION_H_

// Coming back after a catalog was lost: what a repo says of the plans and pins
// that a catalog had.
//
// The machine that wrote it may be alive, and whoever can write to the disk can
// have written it. So a plan comes back paused; one that would run a command is
// refused; and nothing of it is removed by its rules until a person has seen
// what that would be.
//
// Example:
//
//   SLUICE_ASSIGN_OR_RETURN(const FoundSettings found,
//                           ReadRepoSettings(context, place));
//   for (const ImportedObject& object :
//        ImportFromRepo(context, *catalog, repo, found, now)) {
//     Print(object.name, object.action);
//   }
//
// Any thread; blocks for the catalog.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sluice/catalog/catalog.h"
#include "sluice/executor/context.h"
#include "sluice/executor/models.pb.h"
#include "sluice/service/settings/repo_settings.h"
#include "sluice/service/settings/settings.h"

namespace sluice::service {

// Adds what is not there yet, as Import does, of what was found in `repo`, and
// the repo itself. Where two catalogs have written of the same plan or pin,
// what was written last counts. The repo gets the name that it had, where it has
// none.
std::vector<ImportedObject> ImportFromRepo(const Context& context,
                                           Catalog& catalog,
                                           const BackupRepo& repo,
                                           const FoundSettings& found,
                                           absl::Time now);

// Whether the plan's archives, or the plan itself, came from a repo and nobody
// has agreed yet to what its rules would remove.
absl::StatusOr<bool> AwaitsAcceptance(const Context& context, Catalog& catalog,
                                      absl::string_view plan_id);
absl::Status AwaitAcceptance(const Context& context, Catalog& catalog,
                             absl::string_view plan_id);
absl::Status AcceptAdopted(const Context& context, Catalog& catalog,
                           absl::string_view plan_id);

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_SETTINGS_ADOPTION_H_
