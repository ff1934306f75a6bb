#ifndef SLUICE_EXECUTOR_RUN_RUN_PROGRESS_H_
#define SLUICE_EXECUTOR_RUN_RUN_PROGRESS_H_

// Tells how far a run is: to the job store now and then, to a callback more
// often. Best effort: a store that can't take it costs one warning and never
// the run.
//
// Stages: 0 the job exists, 10 the work begins, 50 bytes flow, up to 95 by
// bytes where the total is estimated, 95 publishing, 100 done. Never goes back.
//
// Thread-safe. Borrows everything for its own life.

#include <cstdint>
#include <functional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "sluice/base/clock.h"
#include "sluice/base/mutex.h"
#include "sluice/executor/context.h"
#include "sluice/executor/job_store.h"
#include "sluice/executor/models.pb.h"
#include "sluice/executor/run/run.h"

namespace sluice {

inline constexpr uint32_t kPercentBegun = 10;
inline constexpr uint32_t kPercentStreaming = 50;
inline constexpr uint32_t kPercentPublishing = 95;
inline constexpr uint32_t kPercentDone = 100;

class RunProgressReporter {
 public:
  RunProgressReporter(JobStore* jobs, Clock* clock, std::string job_id,
                      std::function<void(const RunProgress&)> callback);

  // A stage begins. It is stored where `store` is set; a stage that is about to
  // be written with the job itself need not be.
  void Stage(const Context& context, absl::string_view stage, uint32_t percent,
             bool store = true);
  // Cheap: reads the clock, and tells at most ten times a second, stores at
  // most once a second.
  void Bytes(const Context& context, uint64_t done, uint64_t estimated);

  // Writes what was told last into `job`, for its terminal row.
  void CopyTo(BackupJob& job) const;
  // The first failure of the store; OK where there was none.
  absl::Status store_failure() const;

 private:
  void Tell() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Store(const Context& context) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  JobStore* const jobs_;
  Clock* const clock_;
  const std::string job_id_;
  const std::function<void(const RunProgress&)> callback_;

  mutable Mutex mutex_;
  std::string stage_ ABSL_GUARDED_BY(mutex_) = "starting";
  uint32_t percent_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t bytes_done_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t bytes_estimated_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Duration told_ ABSL_GUARDED_BY(mutex_) = -absl::InfiniteDuration();
  absl::Duration stored_ ABSL_GUARDED_BY(mutex_) = -absl::InfiniteDuration();
  absl::Status store_failure_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sluice

#endif  // SLUICE_EXECUTOR_RUN_RUN_PROGRESS_H_
