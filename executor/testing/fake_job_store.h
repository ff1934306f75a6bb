#ifndef SLUICE_EXECUTOR_TESTING_FAKE_JOB_STORE_H_
#define SLUICE_EXECUTOR_TESTING_FAKE_JOB_STORE_H_

// A job store in memory, as strict as a real one: a call on a context that has
// ended fails, a terminal job stays as it is, one backup of a repo and store
// runs at a time. Any call can be made to fail.
//
//   FakeJobStore jobs;
//   jobs.FailNext(FakeJobStore::Call::kCreateRecord,
//                 absl::UnavailableError("locked"), 2);   // twice
//
// Thread-safe.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "sluice/base/mutex.h"
#include "sluice/executor/job_store.h"

namespace sluice {

class FakeJobStore final : public JobStore {
 public:
  enum class Call { kCreateJob, kUpdateJob, kUpdateProgress, kCreateRecord };

  struct Progress {
    uint32_t percent = 0;
    uint64_t bytes_done = 0;
    std::string stage;
  };

  std::string catalog_id() const override { return "fake-catalog"; }
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

  // The next `times` calls of this kind fail with `status`, changing nothing.
  void FailNext(Call call, absl::Status status, int times = 1);
  // Every call of this kind fails from now on.
  void FailAlways(Call call, absl::Status status);
  // The next `times` calls of this kind do their work and fail all the same:
  // the answer was lost.
  void LoseNextAnswer(Call call, absl::Status status, int times = 1);
  // Called before each call is served, without the lock.
  void OnCall(std::function<void(Call)> hook);

  absl::optional<BackupJob> job(absl::string_view id) const;
  std::vector<BackupJob> jobs() const;        // by id
  std::vector<BackupRecord> records() const;  // by id
  std::vector<Progress> progress() const;     // of all jobs, in order
  int calls(Call call) const;

 private:
  struct Fault {
    absl::Status status;
    int times = 0;  // below 0: for ever
    bool after = false;
  };

  // Serves one call: hook, context, planned fault, then `work`.
  absl::Status Serve(const Context& context, Call call,
                     const std::function<absl::Status()>& work);

  mutable Mutex mutex_;
  std::map<std::string, BackupJob> jobs_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, BackupRecord> records_ ABSL_GUARDED_BY(mutex_);
  std::vector<Progress> progress_ ABSL_GUARDED_BY(mutex_);
  std::map<Call, Fault> faults_ ABSL_GUARDED_BY(mutex_);
  std::map<Call, int> calls_ ABSL_GUARDED_BY(mutex_);
  std::function<void(Call)> hook_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sluice

#endif  // SLUICE_EXECUTOR_TESTING_FAKE_JOB_STORE_H_
