#include "sluice/executor/run/run_outcome.h"

#include "sluice/base/destination_word.h"
#include "sluice/base/error.h"
#include "sluice/executor/printable.h"

namespace sluice {
namespace {

constexpr size_t kMaxErrorBytes = 8192;
constexpr size_t kMaxWarningBytes = 1024;

absl::string_view DestinationWordFor(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kDeadlineExceeded:
      return kDestinationUnreachable;
    case absl::StatusCode::kDataLoss:
      return kDestinationIoError;
    default:
      return DestinationWord(code);
  }
}

}  // namespace

int64_t NowMillis(const Clock& clock) {
  return absl::ToUnixMillis(clock.Now());
}

absl::Status DestinationError(const absl::Status& status) {
  const absl::string_view word = DestinationWordFor(status.code());
  return word.empty() ? status : WithDefaultErrorCode(status, word);
}

BackupJob::Status StatusFor(FirstCause::Party party,
                            const absl::Status& status) {
  if (party == FirstCause::Party::kRun) return BackupJob::INTERRUPTED;
  const bool aborted = status.code() == absl::StatusCode::kAborted ||
                       status.code() == absl::StatusCode::kCancelled;
  return party == FirstCause::Party::kSource && aborted ? BackupJob::INTERRUPTED
                                                        : BackupJob::FAILED;
}

void MarkEnded(BackupJob& job, BackupJob::Status ended_as,
               const absl::Status& status, const Clock& clock) {
  job.set_status(ended_as);
  job.set_error(Printable(status.message(), kMaxErrorBytes));
  job.set_error_code(ErrorCodeOf(status));
  job.set_finished_at_ms(NowMillis(clock));
}

void AddWarning(BackupJob& job, absl::string_view code,
                absl::string_view message) {
  Warning* warning = job.add_warnings();
  warning->set_code(Printable(code, kMaxWarningBytes));
  warning->set_message(Printable(message, kMaxWarningBytes));
}

}  // namespace sluice
