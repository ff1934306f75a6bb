#include "sluice/executor/guarded_thread.h"

#include <cxxabi.h>

#include <exception>
#include <system_error>
#include <thread>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/mutex.h"

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
    return absl::UnknownError(
        absl::StrCat(what, " threw something that is no std::exception"));
  }
}

struct GuardedThread::Shared {
  Mutex mutex;
  CondVar changed;
  bool returned ABSL_GUARDED_BY(mutex) = false;
  std::thread thread;  // the owner's
};

GuardedThread::GuardedThread() : shared_(std::make_shared<Shared>()) {}

absl::StatusOr<std::unique_ptr<GuardedThread>> GuardedThread::Start(
    std::function<void()> body, ThreadScheduler* scheduler) {
  static constexpr absl::string_view kName = "store";
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
  if (scheduler != nullptr) scheduler->Starting(kName);
  try {
    result->shared_->thread =
        std::thread([shared = result->shared_, call = std::move(body),
                     scheduler]() mutable {
          if (scheduler != nullptr) scheduler->Enter(kName);
          // After the announcement: whoever goes on next must see it.
          const absl::Cleanup leave = [scheduler] {
            if (scheduler != nullptr) scheduler->Leave();
          };
          const Announcer announcer{std::move(shared), std::move(call)};
          announcer.body();
        });
  } catch (const std::system_error& error) {
    return absl::ResourceExhaustedError(
        absl::StrCat("start a thread: ", error.what()));
  }
  return result;
}

GuardedThread::~GuardedThread() {
  bool returned = false;
  {
    MutexLock lock(shared_->mutex);
    returned = shared_->returned;
  }
  if (!shared_->thread.joinable()) return;
  if (returned) {
    shared_->thread.join();
  } else {
    shared_->thread.detach();
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
