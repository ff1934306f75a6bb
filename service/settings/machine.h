#ifndef SLUICE_SERVICE_SETTINGS_MACHINE_H_
#define SLUICE_SERVICE_SETTINGS_MACHINE_H_

// Which machine works on a catalog. A catalog that was copied with its machine,
// or moved to another, would run the same plans twice and remove what the other
// still counts on: so a service works on it only where it did before, until a
// person says that the other one is gone.
//
// Example:
//
//   const std::string machine = MachineOf("");
//   absl::Status ours = ClaimMachine(context, *catalog, machine);
//   if (ErrorCodeOf(ours) == kCatalogCloned && take_over) {
//     ours = TakeOverCatalog(context, *catalog, machine, *clock);
//   }
//
// Any thread; blocks for the catalog. Errors: catalog_cloned, with a hint, and
// the catalog's.

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/base/clock.h"
#include "sluice/catalog/catalog.h"
#include "sluice/executor/context.h"

namespace sluice::service {

// What this machine is called: `said` where that is not empty (a container has
// no id of its own, or a new one each time); else the id of its /etc/machine-id,
// or "unknown". A host's name is not asked for: it changes.
std::string MachineOf(absl::string_view said);

// OK where the catalog is this machine's; the first that claims it has it. One
// read where somebody has.
absl::Status ClaimMachine(const Context& context, Catalog& catalog,
                          absl::string_view machine);

// The same, but claims nothing: one that no service has worked on yet is
// anybody's.
absl::Status CheckMachine(const Context& context, Catalog& catalog,
                          absl::string_view machine);

// The catalog is this machine's from now on, whosever it was. What it says of
// itself in repos stands beside what the other one said there, and over it.
absl::Status TakeOverCatalog(const Context& context, Catalog& catalog,
                             absl::string_view machine, const Clock& clock);

// The id under which this catalog's settings stand in repos; drawn when it is
// first asked for, and anew by TakeOverCatalog and ForkInstallation.
absl::StatusOr<std::string> InstallationId(const Context& context,
                                           Catalog& catalog,
                                           const Clock& clock);
absl::Status ForkInstallation(const Context& context, Catalog& catalog,
                              const Clock& clock);

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_SETTINGS_MACHINE_H_
