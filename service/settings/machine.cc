#include "sluice/service/settings/machine.h"

#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/catalog/catalog_error.h"
#include "sluice/catalog/process_identity.h"
#include "sluice/executor/ulid.h"

namespace sluice::service {
namespace {

constexpr char kMachine[] = "machine_id";
constexpr char kInstallation[] = "installation_id";

absl::Status Compare(absl::string_view theirs, absl::string_view ours) {
  if (theirs == ours) return absl::OkStatus();
  return WithHint(
      MakeError(absl::StatusCode::kFailedPrecondition, kCatalogCloned,
                absl::StrCat("the catalog is that of machine ", theirs,
                             ", and this is ", ours)),
      "is the other one gone for good? Then `sluice serve --take-over`; in a "
      "container set SLUICE_MACHINE_ID");
}

}  // namespace

std::string MachineOf(absl::string_view said) {
  if (!said.empty()) return std::string(said);
  const std::string id = CurrentProcess().machine_id;
  return id.empty() ? "unknown" : id;
}

absl::Status ClaimMachine(const Context& context, Catalog& catalog,
                          absl::string_view machine) {
  SLUICE_ASSIGN_OR_RETURN(
      const std::string theirs,
      catalog.settings().GetOrSet(context, kMachine, machine));
  return Compare(theirs, machine);
}

absl::Status CheckMachine(const Context& context, Catalog& catalog,
                          absl::string_view machine) {
  SLUICE_ASSIGN_OR_RETURN(const absl::optional<std::string> theirs,
                          catalog.settings().Get(context, kMachine));
  return Compare(theirs.value_or(std::string(machine)), machine);
}

absl::Status TakeOverCatalog(const Context& context, Catalog& catalog,
                             absl::string_view machine, const Clock& clock) {
  if (CheckMachine(context, catalog, machine).ok()) {
    return ClaimMachine(context, catalog, machine);
  }
  // In this order: one that dies between the two is asked to take over again.
  SLUICE_RETURN_IF_ERROR(ForkInstallation(context, catalog, clock));
  return catalog.settings().Set(context, kMachine, machine);
}

absl::StatusOr<std::string> InstallationId(const Context& context,
                                           Catalog& catalog,
                                           const Clock& clock) {
  return catalog.settings().GetOrSet(context, kInstallation, NewUlid(clock));
}

absl::Status ForkInstallation(const Context& context, Catalog& catalog,
                              const Clock& clock) {
  return catalog.settings().Set(context, kInstallation, NewUlid(clock));
}

}  // namespace sluice::service
