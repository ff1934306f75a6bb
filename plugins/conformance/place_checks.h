#ifndef SLUICE_PLUGINS_CONFORMANCE_PLACE_CHECKS_H_
#define SLUICE_PLUGINS_CONFORMANCE_PLACE_CHECKS_H_

#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "sluice/destinations/archive/object_store.h"
#include "sluice/plugins/conformance/check.h"

namespace sluice {

// Opens the same place anew with each call, as another process would. Writers
// and readers of one object must not depend on another.
using OpenPlaceFunction =
    std::function<absl::StatusOr<std::shared_ptr<ObjectStore>>()>;

// All that an archive asks of a place: whole objects or none, listings in byte
// order, conditional commits, uncommitted objects, names, cancelling. The place
// is empty at the start (it may be missing) and holds nothing of the checks at
// the end. Takes seconds; writes some 20 MiB.
void RunPlaceChecks(const OpenPlaceFunction& open, CheckRunner& runner);

}  // namespace sluice

#endif  // SLUICE_PLUGINS_CONFORMANCE_PLACE_CHECKS_H_
