#ifndef SLUICE_BASE_MUTEX_H_
#define SLUICE_BASE_MUTEX_H_

// A mutex that Clang's thread-safety analysis and ThreadSanitizer both
// understand.
//
// absl::Mutex would be the first choice, but Debian's libabsl is not
// instrumented, so ThreadSanitizer sees a race in every correct use of it.
// std::mutex is seen as it is. Everything in Sluice locks through this header;
// nothing is suppressed.
//
// Example:
//
//   class Counter {
//    public:
//     void Add(int n) {
//       MutexLock lock(mutex_);
//       value_ += n;
//       changed_.NotifyAll();
//     }
//     void AwaitAtLeast(int n) {
//       MutexLock lock(mutex_);
//       while (value_ < n) changed_.Wait(lock);
//     }
//
//    private:
//     Mutex mutex_;
//     CondVar changed_;
//     int value_ ABSL_GUARDED_BY(mutex_) = 0;
//   };
//
// Thread-safe, but for a MutexLock, which is its own thread's and borrows the
// mutex. Nothing here fails; a lock taken twice by one thread blocks for ever.
// Costs what std::mutex and std::condition_variable do.

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "absl/base/thread_annotations.h"
#include "absl/time/time.h"

namespace sluice {

class ABSL_LOCKABLE Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex&) = delete;
  Mutex& operator=(const Mutex&) = delete;

  void Lock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { mutex_.lock(); }
  void Unlock() ABSL_UNLOCK_FUNCTION() { mutex_.unlock(); }

 private:
  friend class MutexLock;
  std::mutex mutex_;
};

// Holds a Mutex for a scope.
class ABSL_SCOPED_LOCKABLE MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) ABSL_EXCLUSIVE_LOCK_FUNCTION(mutex)
      : lock_(mutex.mutex_) {}
  ~MutexLock() ABSL_UNLOCK_FUNCTION() = default;
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

  // Lets go of the mutex for a while; Relock before the scope ends.
  void Unlock() ABSL_UNLOCK_FUNCTION() { lock_.unlock(); }
  void Relock() ABSL_EXCLUSIVE_LOCK_FUNCTION() { lock_.lock(); }

 private:
  friend class CondVar;
  std::unique_lock<std::mutex> lock_;
};

// A condition variable for Mutex. Wakes may be spurious: wait in a loop on the
// condition.
class CondVar {
 public:
  void Wait(MutexLock& lock) { condition_.wait(lock.lock_); }

  // Returns false when `timeout` passed first. An infinite timeout waits for
  // ever.
  bool WaitFor(MutexLock& lock, absl::Duration timeout) {
    if (timeout == absl::InfiniteDuration()) {
      condition_.wait(lock.lock_);
      return true;
    }
    const auto nanoseconds =
        std::chrono::nanoseconds(absl::ToInt64Nanoseconds(timeout));
    return condition_.wait_for(lock.lock_, nanoseconds) ==
           std::cv_status::no_timeout;
  }

  void NotifyOne() { condition_.notify_one(); }
  void NotifyAll() { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace sluice

#endif  // SLUICE_BASE_MUTEX_H_
