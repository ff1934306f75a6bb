#include "sluice/catalog/sqlite/held_jobs.h"

#include <utility>

namespace sluice {

void HeldJobs::Add(absl::string_view job_id, int64_t fence,
                   absl::Duration ends) {
  MutexLock lock(mutex_);
  Job& job = jobs_[std::string(job_id)];
  job = Job();
  job.view.job_id = std::string(job_id);
  job.view.fence = fence;
  job.view.ends = ends;
  changed_.NotifyAll();
}

void HeldJobs::Remove(absl::string_view job_id) {
  MutexLock lock(mutex_);
  jobs_.erase(std::string(job_id));
}

void HeldJobs::Renewed(absl::string_view job_id, int64_t fence,
                       absl::Duration ends) {
  MutexLock lock(mutex_);
  const auto found = jobs_.find(std::string(job_id));
  if (found == jobs_.end() || found->second.view.fence != fence) return;
  // Two renewals may end in another order than they began.
  if (ends > found->second.view.ends) found->second.view.ends = ends;
}

HeldJobs::Callback HeldJobs::TakeCallback(absl::string_view job_id,
                                          int64_t fence, bool lost) {
  MutexLock lock(mutex_);
  const auto found = jobs_.find(std::string(job_id));
  if (found == jobs_.end()) return nullptr;
  Job& job = found->second;
  if (fence != 0 && job.view.fence != fence) return nullptr;
  if (lost) job.view.lost = true;
  job.view.wants_cancel = false;
  return std::exchange(job.callback, nullptr);
}

void HeldJobs::Lose(absl::string_view job_id, int64_t fence,
                    absl::Status cause) {
  if (const Callback callback = TakeCallback(job_id, fence, true))
    callback(std::move(cause));
}

void HeldJobs::Cancel(absl::string_view job_id, absl::Status cause) {
  if (const Callback callback = TakeCallback(job_id, 0, false))
    callback(std::move(cause));
}

void HeldJobs::SetCallback(absl::string_view job_id, Callback callback) {
  MutexLock lock(mutex_);
  const auto found = jobs_.find(std::string(job_id));
  if (found == jobs_.end()) return;
  found->second.view.wants_cancel = callback != nullptr;
  found->second.callback = std::move(callback);
}

bool HeldJobs::SetProgress(absl::string_view job_id, const Progress& progress) {
  MutexLock lock(mutex_);
  const auto found = jobs_.find(std::string(job_id));
  if (found == jobs_.end()) return false;
  found->second.view.progress = progress;
  found->second.view.progress_unwritten = true;
  return true;
}

void HeldJobs::ProgressWritten(absl::string_view job_id,
                               const Progress& progress) {
  MutexLock lock(mutex_);
  const auto found = jobs_.find(std::string(job_id));
  if (found == jobs_.end() || !found->second.view.progress) return;
  const Progress& now = *found->second.view.progress;
  if (now.percent == progress.percent &&
      now.bytes_done == progress.bytes_done && now.stage == progress.stage)
    found->second.view.progress_unwritten = false;
}

absl::optional<HeldJobs::View> HeldJobs::Find(absl::string_view job_id) const {
  MutexLock lock(mutex_);
  const auto found = jobs_.find(std::string(job_id));
  if (found == jobs_.end()) return absl::nullopt;
  return found->second.view;
}

std::vector<HeldJobs::View> HeldJobs::All() const {
  MutexLock lock(mutex_);
  std::vector<View> views;
  for (const auto& [id, job] : jobs_) views.push_back(job.view);
  return views;
}

void HeldJobs::Stop() {
  MutexLock lock(mutex_);
  stopped_ = true;
  changed_.NotifyAll();
}

}  // namespace sluice
