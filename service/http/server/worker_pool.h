#ifndef SLUICE_SERVICE_HTTP_SERVER_WORKER_POOL_H_
#define SLUICE_SERVICE_HTTP_SERVER_WORKER_POOL_H_

// Threads that run handlers, and a bounded queue before them. Thread-safe.

#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "sluice/base/mutex.h"
#include "sluice/base/thread.h"

namespace sluice::http {

class WorkerPool {
 public:
  static absl::StatusOr<std::unique_ptr<WorkerPool>> Start(int threads,
                                                           int max_waiting);
  // Runs what waits, then joins.
  ~WorkerPool();

  // False where `max_waiting` wait already.
  bool Submit(std::function<void()> work);

 private:
  explicit WorkerPool(int max_waiting) : max_waiting_(max_waiting) {}
  void Run();

  const int max_waiting_;
  Mutex mutex_;
  CondVar changed_;
  std::deque<std::function<void()>> waiting_ ABSL_GUARDED_BY(mutex_);
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<Thread> threads_;
};

}  // namespace sluice::http

#endif  // SLUICE_SERVICE_HTTP_SERVER_WORKER_POOL_H_
