#ifndef SLUICE_SERVICE_OPTIONAL_JOBS_H_
#define SLUICE_SERVICE_OPTIONAL_JOBS_H_

// The jobs of a restore, in a catalog that it can do without: bringing a store
// back needs the repo alone.
//
// Example:
//
//   OptionalJobs jobs(catalog, note);
//   Executor executor(&jobs, Clock::Real());
//
// What the catalog takes within kCatalogPatience is kept there. From the first
// job that it cannot take, `note` is told why, once, and nothing is kept any
// more; a restore goes on. A restore writes no record.

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sluice/executor/context.h"
#include "sluice/executor/job_store.h"
#include "sluice/executor/models.pb.h"

namespace sluice::service {

// How long who can do without the catalog waits for it.
inline constexpr absl::Duration kCatalogPatience = absl::Seconds(3);

// As thread-safe as the store below: one restore at a time.
class OptionalJobs final : public JobStore {
 public:
  // Borrows `jobs`, which may be null.
  OptionalJobs(JobStore* jobs, std::function<void(const absl::Status&)> note);

  // Are jobs kept? False from the first that was not.
  bool kept() const { return jobs_ != nullptr; }

  std::string catalog_id() const override;
  absl::Status CreateBackupJob(const Context& context,
                               const BackupJob& job) override;
  absl::Status UpdateBackupJob(const Context& context,
                               const BackupJob& job) override;
  absl::Status UpdateBackupJobProgress(const Context& context,
                                       absl::string_view job_id,
                                       uint32_t progress, uint64_t bytes_done,
                                       absl::string_view stage) override;
  absl::Status CreateBackupRecord(const Context& context,
                                  const BackupRecord& record) override;

 private:
  JobStore* jobs_;
  const std::function<void(const absl::Status&)> note_;
};

}  // namespace sluice::service

#endif  // SLUICE_SERVICE_OPTIONAL_JOBS_H_
