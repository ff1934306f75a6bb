#ifndef SLUICE_SERVICE_ENGINE_SIMULATION_SIM_CATALOG_H_
#define SLUICE_SERVICE_ENGINE_SIMULATION_SIM_CATALOG_H_

// A catalog around another one, as the scheduler sees it: before each of its
// calls something else may happen, or the process may die there.

#include <functional>
#include <memory>

#include "absl/strings/string_view.h"
#include "sluice/catalog/catalog.h"

namespace sluice::service {

// What becomes of a call.
enum class SimCall {
  kGoesThrough,
  kDiesBefore,  // nothing is done, and nobody is there for an answer
  kDiesAfter,   // it is done, likewise
};

// Asks `ask` before each call of the scheduler, with the call's name. A call
// that dies is answered with kDied; the scheduler has to end then.
std::unique_ptr<Catalog> WithEachCallAsked(
    Catalog* inner, std::function<SimCall(absl::string_view)> ask);

inline constexpr absl::string_view kDied = "died";

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_ENGINE_SIMULATION_SIM_CATALOG_H_
