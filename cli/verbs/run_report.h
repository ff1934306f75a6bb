#ifndef SLUICE_CLI_VERBS_RUN_REPORT_H_
#define SLUICE_CLI_VERBS_RUN_REPORT_H_

// What is said of a run when it is over: its warnings, and the one log line.

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "sluice/cli/terminal/console.h"
#include "sluice/executor/models.pb.h"

namespace sluice::cli {

// One line "job finished" with everything. Nothing where there is no job.
void LogJobFinished(Console& console, const std::string& repo,
                    const absl::optional<BackupJob>& job,
                    const absl::Status& status, absl::Duration took);

// The warnings for people, the first 10 of them.
void NoteWarnings(Console& console,
                  const google::protobuf::RepeatedPtrField<Warning>& warnings);

// What a backup made, for people.
void PrintRecord(Console& console, absl::string_view repo,
                 const BackupRecord& record, absl::Duration took);

// What a restore brought back into the store `to`, as it was typed.
void PrintRestored(Console& console, absl::string_view to,
                   absl::string_view backup_id, absl::string_view store_id,
                   uint64_t bytes, const absl::optional<BackupJob>& job,
                   absl::Duration took);

// "12.3 MB in 0.4 s (30.1 MB/s)".
std::string AmountText(uint64_t bytes, absl::Duration took);

}  // namespace sluice::cli

#endif  // SLUICE_CLI_VERBS_RUN_REPORT_H_
