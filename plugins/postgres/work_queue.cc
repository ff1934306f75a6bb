#include "sluice/plugins/postgres/work_queue.h"

#include <atomic>
#include <thread>  // NOLINT(build/c++11)

#include "sluice/base/error.h"
#include "sluice/base/mutex.h"
#include "sluice/plugins/sdk/barrier.h"
#include "sluice/plugins/sdk/error.h"

namespace sluice::postgres {
namespace {

// The first failure, and who is told of it.
class FirstFailure {
 public:
  explicit FirstFailure(Interrupt& interrupt) : interrupt_(interrupt) {}

  // Deep copies: a status goes from one thread to another.
  void Set(const absl::Status& status) {
    MutexLock lock(mutex_);
    if (failed_) return;
    failed_ = true;
    status_ = DeepCopy(status);
    interrupt_.Stop();
  }
  absl::Status Get() {
    MutexLock lock(mutex_);
    return status_;
  }

 private:
  Interrupt& interrupt_;
  Mutex mutex_;
  bool failed_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

absl::Status RunTasks(const std::vector<Task>& tasks,
                      const std::vector<std::unique_ptr<Connection>>& sessions,
                      Interrupt& interrupt) {
  FirstFailure failure(interrupt);
  std::atomic<size_t> next{0};
  const auto work = [&](Connection& connection) {
    while (interrupt.status().ok()) {
      const size_t mine = next.fetch_add(1, std::memory_order_relaxed);
      if (mine >= tasks.size()) return absl::OkStatus();
      if (absl::Status status = tasks[mine](connection); !status.ok()) {
        return status;
      }
    }
    return interrupt.status();
  };
  const auto guarded = [&](Connection& connection) {
    sluice_error error = sdk::EmptyError();
    absl::Status status;
    const sluice_code code = sdk::Guarded(&error, [&] {
      status = work(connection);
      return absl::OkStatus();
    });
    if (code != SLUICE_OK) status = sdk::FromError(code, error);
    if (!status.ok()) failure.Set(status);
  };
  std::vector<std::thread> threads;
  for (size_t i = 1; i < sessions.size(); ++i) {
    threads.emplace_back([&guarded, &sessions, i] { guarded(*sessions[i]); });
  }
  if (!sessions.empty()) guarded(*sessions[0]);
  for (std::thread& thread : threads) thread.join();
  return failure.Get();
}

}  // namespace sluice::postgres
