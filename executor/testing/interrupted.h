#ifndef SLUICE_EXECUTOR_TESTING_INTERRUPTED_H_
#define SLUICE_EXECUTOR_TESTING_INTERRUPTED_H_

#include "absl/status/status.h"
#include "sluice/base/error.h"

namespace sluice {

// What a test cancels a run with.
inline absl::Status Interrupted() {
  return MakeError(absl::StatusCode::kCancelled, kCancelled, "by the user");
}

}  // namespace sluice

#endif  // SLUICE_EXECUTOR_TESTING_INTERRUPTED_H_
