#include "sluice/executor/run/guarded_thread.h"

#include <cxxabi.h>

#include <exception>
#include <utility>

#include "absl/strings/str_cat.h"
#include "sluice/base/mutex.h"
#include "sluice/base/status_macros.h"
#include "sluice/base/thread.h"

namespace sluice {

absl::Status CallGuarded(absl::string_view what,
                         absl::FunctionRef<absl::Status()> call) {
  try {
    return call();
  } catch (const abi::__forced_unwind&) {
    throw;  // the thread is being ended; glibc aborts where this is swallowed
  } catch (const std::exception& error) {
    return absl::UnknownError(absl::StrCat(what, " threw: ", error.what()));
  } catch (...) {
    return absl::UnknownError(absl::StrCat(
        what, " threw an exception not derived from std::exception"));
  }
}

struct GuardedThread::Shared {
  Mutex mutex;
  CondVar changed;
  bool returned ABSL_GUARDED_BY(mutex) = false;
  Thread thread;  // the owner's
};

GuardedThread::GuardedThread() : shared_(std::make_shared<Shared>()) {}

absl::StatusOr<std::unique_ptr<GuardedThread>> GuardedThread::Start(
    std::function<void()> body, ThreadScheduler* scheduler) {
  std::unique_ptr<GuardedThread> result(new GuardedThread());
  // Says that the body is over even when foreign code ends the thread by
  // pthread_exit, which unwinds it.
  struct Announcer {
    std::shared_ptr<Shared> shared;
    std::function<void()> body;
    ~Announcer() {
      body = nullptr;
      MutexLock lock(shared->mutex);
      shared->returned = true;
      shared->changed.NotifyAll();
    }
  };
  // The scheduler hears of the end after the announcement: whoever goes on next
  // must see it.
  SLUICE_ASSIGN_OR_RETURN(
      result->shared_->thread,
      Thread::Start(
          "store",
          [shared = result->shared_, call = std::move(body)]() mutable {
            const Announcer announcer{std::move(shared), std::move(call)};
            announcer.body();
          },
          scheduler));
  return result;
}

GuardedThread::~GuardedThread() {
  bool returned = false;
  {
    MutexLock lock(shared_->mutex);
    returned = shared_->returned;
  }
  if (returned) {
    shared_->thread.Join();
  } else {
    shared_->thread.Detach();
  }
}

bool GuardedThread::AwaitReturn(Clock* clock, absl::Duration timeout) {
  const absl::Duration deadline = clock->SinceBoot() + timeout;
  MutexLock lock(shared_->mutex);
  while (!shared_->returned) {
    const absl::Duration left = deadline - clock->SinceBoot();
    if (left <= absl::ZeroDuration()) return false;
    clock->WaitFor(shared_->changed, lock, left);
  }
  return true;
}

}  // namespace sluice
