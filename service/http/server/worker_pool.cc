#include "sluice/service/http/server/worker_pool.h"

#include <utility>

#include "sluice/base/status_macros.h"

namespace sluice::http {

absl::StatusOr<std::unique_ptr<WorkerPool>> WorkerPool::Start(int threads,
                                                              int max_waiting) {
  std::unique_ptr<WorkerPool> pool(new WorkerPool(max_waiting));
  for (int i = 0; i < threads; ++i) {
    SLUICE_ASSIGN_OR_RETURN(
        Thread thread,
        Thread::Start("http-worker", [pool = pool.get()] { pool->Run(); }));
    pool->threads_.push_back(std::move(thread));
  }
  return pool;
}

WorkerPool::~WorkerPool() {
  {
    MutexLock lock(mutex_);
    stop_ = true;
    changed_.NotifyAll();
  }
  threads_.clear();
}

bool WorkerPool::Submit(std::function<void()> work) {
  MutexLock lock(mutex_);
  if (waiting_.size() >= static_cast<size_t>(max_waiting_)) return false;
  waiting_.push_back(std::move(work));
  changed_.NotifyOne();
  return true;
}

void WorkerPool::Run() {
  MutexLock lock(mutex_);
  while (true) {
    if (waiting_.empty()) {
      if (stop_) return;
      changed_.Wait(lock);
      continue;
    }
    const std::function<void()> work = std::move(waiting_.front());
    waiting_.pop_front();
    lock.Unlock();
    work();
    lock.Relock();
  }
}

}  // namespace sluice::http
