#include "sluice/service/optional_jobs.h"

#include <utility>

#include "sluice/base/clock.h"

namespace sluice::service {
namespace {

Context Limited(const Context& context) {
  return Context::WithTimeout(context, Clock::Real(), kCatalogPatience).first;
}

}  // namespace

OptionalJobs::OptionalJobs(JobStore* jobs,
                           std::function<void(const absl::Status&)> note)
    : jobs_(jobs), note_(std::move(note)) {}

std::string OptionalJobs::catalog_id() const {
  return jobs_ == nullptr ? "" : jobs_->catalog_id();
}

absl::Status OptionalJobs::CreateBackupJob(const Context& context,
                                           const BackupJob& job) {
  if (jobs_ == nullptr) return context.status();
  const absl::Status status = jobs_->CreateBackupJob(Limited(context), job);
  if (status.ok() || context.done()) return status;
  note_(status);
  jobs_ = nullptr;
  return absl::OkStatus();
}

absl::Status OptionalJobs::UpdateBackupJob(const Context& context,
                                           const BackupJob& job) {
  return jobs_ == nullptr ? absl::OkStatus()
                          : jobs_->UpdateBackupJob(Limited(context), job);
}

absl::Status OptionalJobs::UpdateBackupJobProgress(const Context& context,
                                                   absl::string_view job_id,
                                                   uint32_t progress,
                                                   uint64_t bytes_done,
                                                   absl::string_view stage) {
  if (jobs_ == nullptr) return absl::OkStatus();
  return jobs_->UpdateBackupJobProgress(Limited(context), job_id, progress,
                                        bytes_done, stage);
}

absl::Status OptionalJobs::CreateBackupRecord(const Context& context,
                                              const BackupRecord& record) {
  return jobs_ == nullptr ? absl::OkStatus()
                          : jobs_->CreateBackupRecord(Limited(context), record);
}

}  // namespace sluice::service
