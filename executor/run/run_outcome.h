#ifndef SLUICE_EXECUTOR_RUN_RUN_OUTCOME_H_
#define SLUICE_EXECUTOR_RUN_RUN_OUTCOME_H_

// How the end of a run is told in its job row. Pure functions.

#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "sluice/base/clock.h"
#include "sluice/executor/models.pb.h"
#include "sluice/executor/stream/first_cause.h"

namespace sluice {

// Milliseconds since the epoch, as rows bear them.
int64_t NowMillis(const Clock& clock);

// A destination's error with a word for machines, where it came without one.
absl::Status DestinationError(const absl::Status& status);

// INTERRUPTED for a cancel, a deadline, or an abort by the store itself; else
// FAILED.
BackupJob::Status StatusFor(FirstCause::Party party,
                            const absl::Status& status);

// Status, error, error_code and finished_at of a job that did not succeed.
void MarkEnded(BackupJob& job, BackupJob::Status ended_as,
               const absl::Status& status, const Clock& clock);

// `code` and `message` are cut and made UTF-8.
void AddWarning(BackupJob& job, absl::string_view code,
                absl::string_view message);

}  // namespace sluice

#endif  // SLUICE_EXECUTOR_RUN_RUN_OUTCOME_H_
