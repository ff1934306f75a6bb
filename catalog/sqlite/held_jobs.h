#ifndef SLUICE_CATALOG_SQLITE_HELD_JOBS_H_
#define SLUICE_CATALOG_SQLITE_HELD_JOBS_H_

// What a catalog object knows of the jobs that it holds, beside their rows: the
// lease's number and end, what ends the run, and progress not yet written.
//
// A lease that ran out by the boot clock is lost for ever, even where its row
// is still there: others were free to act as if the owner were dead.
//
// Thread-safe; never blocks on I/O.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/optional.h"
#include "sluice/base/mutex.h"
#include "sluice/executor/models.pb.h"

namespace sluice {

class HeldJobs {
 public:
  using Callback = std::function<void(absl::Status cause)>;

  struct Progress {
    uint32_t percent = 0;
    uint64_t bytes_done = 0;
    std::string stage;
  };

  // One held job as it was when asked for.
  struct View {
    std::string job_id;
    int64_t fence = 0;
    absl::Duration ends;  // since boot
    bool lost = false;
    bool wants_cancel = false;  // a callback is there and was not called
    absl::optional<Progress> progress;
    bool progress_unwritten = false;
  };

  void Add(absl::string_view job_id, int64_t fence, absl::Duration ends);
  // Ends it; after this no callback of its begins.
  void Remove(absl::string_view job_id);
  // Its row was renewed under `fence`.
  void Renewed(absl::string_view job_id, int64_t fence, absl::Duration ends);
  // Marks it as lost and calls its callback, unless that was called before.
  void Lose(absl::string_view job_id, int64_t fence, absl::Status cause);
  // Calls its callback, unless that was called before.
  void Cancel(absl::string_view job_id, absl::Status cause);

  void SetCallback(absl::string_view job_id, Callback callback);
  // False: not held.
  bool SetProgress(absl::string_view job_id, const Progress& progress);
  void ProgressWritten(absl::string_view job_id, const Progress& progress);

  absl::optional<View> Find(absl::string_view job_id) const;
  std::vector<View> All() const;

  // Blocks until a job is held and then `timeout` of `clock` at most. False
  // after Stop.
  template <typename Clock>
  bool AwaitTick(Clock& clock, absl::Duration timeout) {
    MutexLock lock(mutex_);
    while (!stopped_ && jobs_.empty()) changed_.Wait(lock);
    if (!stopped_) clock.WaitFor(changed_, lock, timeout);
    return !stopped_;
  }
  void Stop();

 private:
  struct Job {
    View view;
    Callback callback;
  };
  // Takes the callback out, to be called without the lock.
  Callback TakeCallback(absl::string_view job_id, int64_t fence, bool lost);

  mutable Mutex mutex_;
  CondVar changed_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::map<std::string, Job, std::less<>> jobs_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sluice

#endif  // SLUICE_CATALOG_SQLITE_HELD_JOBS_H_
