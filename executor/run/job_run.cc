#include "sluice/executor/run/job_run.h"

#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/status_macros.h"
#include "sluice/executor/run/final_rows.h"
#include "sluice/executor/run/run_outcome.h"
#include "sluice/executor/ulid.h"

namespace sluice {

JobRun::JobRun(JobStore* jobs, Clock* clock, RunArguments arguments)
    : jobs_(jobs),
      clock_(clock),
      arguments_(std::move(arguments)),
      cause_(std::make_shared<FirstCause>(clock)) {}

absl::Status JobRun::CreateJob(
    BackupJob intended, const absl::optional<BackupJob>& claimed,
    const std::function<void(const RunProgress&)>& on_progress) {
  const int64_t now = NowMillis(*clock_);
  job_ = std::move(intended);
  job_.set_id(claimed.has_value() ? claimed->id() : NewUlid(*clock_));
  job_.set_created_at_ms(claimed.has_value() ? claimed->created_at_ms() : now);
  if (claimed.has_value()) job_.set_plan_id(claimed->plan_id());
  job_.set_status(BackupJob::RUNNING);
  job_.set_repo_id(arguments_.repo.id());
  job_.set_store_kind(arguments_.kind);
  job_.set_started_at_ms(now);
  job_.set_stage("starting");
  SLUICE_RETURN_IF_ERROR(
      Annotate(jobs_->CreateBackupJob(arguments_.context, job_), "create job"));
  progress_.emplace(jobs_, clock_, job_.id(), on_progress);
  return absl::OkStatus();
}

Context::Registration JobRun::StopWithContext() {
  return arguments_.context.OnDone(
      [cause = cause_](const absl::Status& status) {
        cause->Set(FirstCause::Party::kRun, status);
      });
}

absl::Status JobRun::StartThread(std::function<void()> work,
                                 ThreadScheduler* scheduler) {
  absl::StatusOr<std::unique_ptr<GuardedThread>> thread =
      GuardedThread::Start(std::move(work), scheduler);
  if (!thread.ok()) {
    cause_->Set(FirstCause::Party::kSource, thread.status());
    return thread.status();
  }
  thread_ = *std::move(thread);
  return absl::OkStatus();
}

void JobRun::FillTerminalRow(const std::vector<PayloadWarning>& warnings,
                             absl::string_view party,
                             absl::Duration abandon_after) {
  progress_->CopyTo(job_);
  for (const PayloadWarning& warning : warnings) {
    AddWarning(job_, warning.code, warning.message);
  }
  if (const absl::Status status = progress_->store_failure(); !status.ok()) {
    AddWarning(job_, "progress_not_stored", status.message());
  }
  if (abandoned_) {
    AddWarning(
        job_, kSourceUnresponsive,
        absl::StrCat(party, " had not returned ",
                     absl::FormatDuration(abandon_after),
                     " after the run was over; its thread was left behind"));
  }
}

void JobRun::WriteTerminalRow() {
  const absl::Status status =
      FinalRows(clock_).Write([&](const Context& context) {
        return jobs_->UpdateBackupJob(context, job_);
      });
  if (!status.ok()) {
    AddWarning(
        job_, "job_not_stored",
        absl::StrCat("the job's last row was not stored: ", status.message()));
  }
}

}  // namespace sluice
