#ifndef SLUICE_SERVICE_PLAN_VERIFY_RULE_H_
#define SLUICE_SERVICE_PLAN_VERIFY_RULE_H_

// What a plan's archives are to be read again for: "all in 30d" means that each
// of them is verified once in any 30 days. Pure; any thread.

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace sluice::service {

// The span in which all are to be verified, a day or more; zero for "" and
// "off". invalid_argument, with a hint, for all else.
absl::StatusOr<absl::Duration> ParseVerifyRule(absl::string_view text);

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_PLAN_VERIFY_RULE_H_
