#ifndef SLUICE_CLI_VERBS_SERVE_H_
#define SLUICE_CLI_VERBS_SERVE_H_

// What `sluice serve` was told, for who supervises it.

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "sluice/cli/commands/parser.h"

namespace sluice::cli {

// How long running jobs may take once it is to stop; infinite: "wait".
absl::StatusOr<absl::Duration> DrainOf(const Command& command);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_VERBS_SERVE_H_
