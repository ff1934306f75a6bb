#ifndef SLUICE_SERVICE_ENGINE_VERIFY_BUDGET_H_
#define SLUICE_SERVICE_ENGINE_VERIFY_BUDGET_H_

// Which archives of a plan are to be verified now, so that each is once in the
// span of the plan's rule and every day reads about as much as any other.
//
// Each pass takes the even share by size since the last one, the oldest proof
// first, and more where an archive would be late else; two days' shares at
// most, so that a service that was away catches up by and by. An increment and
// all that shares its full backup are read together, each of them once. What is
// damaged, or builds on such, is known to be no backup and is passed over.
//
// Example:
//
//   SLUICE_RETURN_IF_ERROR(AskForDueVerification(context, catalog, *clock, plan,
//                                                repo_id));
//
// Any thread. AskForDueVerification blocks for the catalog alone; any number
// of processes may do it at once, and one job a day comes of it.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "sluice/base/clock.h"
#include "sluice/catalog/catalog.h"
#include "sluice/catalog/plan.pb.h"
#include "sluice/executor/context.h"

namespace sluice::service {

// How often a share is taken.
inline constexpr absl::Duration kVerifyEvery = absl::Hours(24);

struct VerifyCandidate {
  std::string id;
  std::string base_id;  // empty: none
  uint64_t size_bytes = 0;
  bool damaged = false;
  // When it was made, last verified, or last tried; whichever was last.
  absl::Time proven_at;
};

// The ids to verify now, increments after what they build on. `last_share`:
// when one was last taken; the infinite past where none was. Pure.
std::vector<std::string> DecideVerification(
    const std::vector<VerifyCandidate>& archives, absl::Duration span,
    absl::Time now, absl::Time last_share);

// Stores a pending job that verifies what is due of the plan in that repo,
// unless there was one this day (UTC), or one is not over.
absl::Status AskForDueVerification(const Context& context, Catalog& catalog,
                                   const Clock& clock, const Plan& plan,
                                   const std::string& repo_id);

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_ENGINE_VERIFY_BUDGET_H_
