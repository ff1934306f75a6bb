#include "sluice/plugins/sdk/workers.h"

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <utility>
#include <vector>

#include "sluice/base/error.h"
#include "sluice/base/mutex.h"
#include "sluice/base/thread.h"
#include "sluice/plugins/abi/sluice_plugin.h"
#include "sluice/plugins/sdk/barrier.h"
#include "sluice/plugins/sdk/error.h"

namespace sluice::sdk {
namespace {

constexpr int kNicer = 10;

class FirstFailure {
 public:
  // Whether it is the first. Deep copies: it goes from one thread to another.
  bool Set(const absl::Status& status) {
    MutexLock lock(mutex_);
    if (!status_.ok()) return false;
    status_ = DeepCopy(status);
    return true;
  }
  absl::Status Get() {
    MutexLock lock(mutex_);
    return status_;
  }

 private:
  Mutex mutex_;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
};

// Of the calling thread alone: on Linux each has a nice value of its own. Where
// it cannot be changed, it stays.
void GiveWay() {
  setpriority(PRIO_PROCESS, 0, getpriority(PRIO_PROCESS, 0) + kNicer);
}

absl::Status WithoutExceptions(absl::FunctionRef<absl::Status()> body) {
  absl::Status status;
  sluice_error error = EmptyError();
  const sluice_code code = Guarded(&error, [&] {
    status = body();
    return absl::OkStatus();
  });
  return code == SLUICE_OK ? status : FromError(code, error);
}

}  // namespace

absl::Status RunWorkers(int workers,
                        absl::FunctionRef<absl::Status(int worker)> work,
                        absl::FunctionRef<void()> stop, Helpers helpers) {
  FirstFailure failure;
  const auto run = [&](int worker) {
    const absl::Status status = WithoutExceptions([&] { return work(worker); });
    if (!status.ok() && failure.Set(status)) stop();
  };
  std::vector<Thread> threads;
  threads.reserve(static_cast<size_t>(std::max(workers, 1)));
  int begun = 1;
  for (; begun < workers; ++begun) {
    absl::StatusOr<Thread> thread =
        Thread::Start("worker", [&run, helpers, worker = begun] {
          if (helpers == Helpers::kGiveWay) GiveWay();
          run(worker);
        });
    if (!thread.ok()) break;  // the caller does the others' work
    threads.push_back(*std::move(thread));
  }
  if (workers > 0) run(0);
  for (; begun < workers; ++begun) run(begun);
  for (Thread& thread : threads) thread.Join();
  return failure.Get();
}

absl::Status ForEach(size_t count, int workers,
                     absl::FunctionRef<absl::Status(size_t i)> work,
                     Helpers helpers, absl::FunctionRef<void()> stop) {
  std::atomic<size_t> next{0};
  std::atomic<bool> stopped{false};
  const size_t threads =
      std::min(count, static_cast<size_t>(std::max(workers, 1)));
  return RunWorkers(
      static_cast<int>(threads),
      [&](int) -> absl::Status {
        while (!stopped.load(std::memory_order_relaxed)) {
          const size_t mine = next.fetch_add(1, std::memory_order_relaxed);
          if (mine >= count) break;
          const absl::Status status = work(mine);
          if (!status.ok()) return status;
        }
        return absl::OkStatus();
      },
      [&] {
        stopped.store(true, std::memory_order_relaxed);
        stop();
      },
      helpers);
}

}  // namespace sluice::sdk
