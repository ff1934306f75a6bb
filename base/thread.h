#ifndef SLUICE_BASE_THREAD_H_
#define SLUICE_BASE_THREAD_H_

// The one way to start a thread.
//
// Example:
//
//   SLUICE_ASSIGN_OR_RETURN(
//       Thread thread, Thread::Start("lease", [&] { lease.Renew(); }));
//   thread.Join();  // or its destructor
//
// std::thread throws where the system gives no thread, and ends the process
// where one is destroyed that was not joined; `//tests:raw_threads_test` keeps
// it, pthread_create and std::async out of all that ships. What the body
// touches must outlive the join: declare the Thread last. To start one costs
// what the system takes for a thread, and one allocation for the body.

#include <pthread.h>

#include <functional>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/base/thread_scheduler.h"

namespace sluice {

// Movable. Each object is used by one thread at a time.
class Thread {
 public:
  // No thread.
  Thread() = default;
  // Joins.
  ~Thread() { Join(); }
  Thread(Thread&& other) noexcept;
  // Joins the one that was here.
  Thread& operator=(Thread&& other) noexcept;
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;

  // A thread that runs `body`, which is destroyed on it when it has returned.
  // `name` is what `top -H` and a debugger show, cut after 15 bytes.
  // resource_exhausted (RESOURCE_EXHAUSTED) where the system gives none; `body`
  // was not called then. A simulation orders the thread by `scheduler`; null in
  // production.
  static absl::StatusOr<Thread> Start(absl::string_view name,
                                      std::function<void()> body,
                                      ThreadScheduler* scheduler = nullptr);

  // Whether there is one that was neither joined nor left.
  bool joinable() const { return joinable_; }
  // Whether the caller runs on it.
  bool IsCurrent() const;
  // Waits for its end. Idempotent. Not from the thread itself.
  void Join();
  // Leaves it to itself: its body must own all that it touches.
  void Detach();

 private:
  explicit Thread(pthread_t handle) : handle_(handle), joinable_(true) {}

  pthread_t handle_ = {};
  bool joinable_ = false;
};

namespace thread_internal {

// What base/testing/thread_fault.h puts between a test and the system: whether
// the start of a thread of this name is to fail. Null: ask the system.
using Refuses = bool (*)(absl::string_view name);
void SetRefuses(Refuses refuses);

}  // namespace thread_internal
}  // namespace sluice

#endif  // SLUICE_BASE_THREAD_H_
