#include "sluice/executor/run/run_progress.h"

#include <algorithm>
#include <utility>

namespace sluice {
namespace {

constexpr absl::Duration kTellEvery = absl::Milliseconds(100);
constexpr absl::Duration kStoreEvery = absl::Seconds(1);

uint32_t PercentOf(uint64_t done, uint64_t estimated) {
  if (estimated == 0) return kPercentStreaming;
  const double part =
      std::min(1.0, static_cast<double>(done) / static_cast<double>(estimated));
  return kPercentStreaming +
         static_cast<uint32_t>(part * (kPercentPublishing - kPercentStreaming));
}

}  // namespace

RunProgressReporter::RunProgressReporter(
    JobStore* jobs, Clock* clock, std::string job_id,
    std::function<void(const RunProgress&)> callback)
    : jobs_(jobs),
      clock_(clock),
      job_id_(std::move(job_id)),
      callback_(std::move(callback)) {}

void RunProgressReporter::Stage(const Context& context, absl::string_view stage,
                                uint32_t percent, bool store) {
  MutexLock lock(mutex_);
  stage_ = std::string(stage);
  percent_ = std::max(percent_, percent);
  Tell();
  if (store) Store(context);
}

void RunProgressReporter::Bytes(const Context& context, uint64_t done,
                                uint64_t estimated) {
  MutexLock lock(mutex_);
  bytes_done_ = std::max(bytes_done_, done);
  bytes_estimated_ = estimated;
  percent_ = std::max(percent_, PercentOf(done, estimated));
  const bool first = stage_ != "streaming";
  const absl::Duration now = clock_->SinceBoot();
  if (first) stage_ = "streaming";
  if (first || now - told_ >= kTellEvery) Tell();
  if (first || now - stored_ >= kStoreEvery) Store(context);
}

void RunProgressReporter::Tell() {
  told_ = clock_->SinceBoot();
  if (!callback_) return;
  callback_({stage_, percent_, bytes_done_, bytes_estimated_});
}

void RunProgressReporter::Store(const Context& context) {
  stored_ = clock_->SinceBoot();
  if (context.done()) return;  // the terminal row will say it
  const absl::Status status = jobs_->UpdateBackupJobProgress(
      context, job_id_, percent_, bytes_done_, stage_);
  // A run that ends in the middle of this is no fault of the store.
  if (!context.done() && store_failure_.ok()) store_failure_ = status;
}

void RunProgressReporter::CopyTo(BackupJob& job) const {
  MutexLock lock(mutex_);
  job.set_stage(stage_);
  job.set_progress(percent_);
  job.set_bytes_done(bytes_done_);
  job.set_bytes_estimated(bytes_estimated_);
}

absl::Status RunProgressReporter::store_failure() const {
  MutexLock lock(mutex_);
  return store_failure_;
}

}  // namespace sluice
