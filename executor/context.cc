#include "sluice/executor/context.h"

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/base/mutex.h"
#include "sluice/base/thread.h"

namespace sluice {
namespace {

// What a watchdog thread and its context share. It outlives both.
struct Watchdog {
  Mutex mutex;
  CondVar changed;
  bool stopped ABSL_GUARDED_BY(mutex) = false;

  void Stop() {
    MutexLock lock(mutex);
    stopped = true;
    changed.NotifyAll();
  }

  // False when it was stopped first.
  bool AwaitDeadline(Clock* clock, absl::Duration deadline) {
    MutexLock lock(mutex);
    while (!stopped) {
      const absl::Duration left = deadline - clock->SinceBoot();
      if (left <= absl::ZeroDuration()) return true;
      clock->WaitFor(changed, lock, left);
    }
    return false;
  }
};

absl::Status Late(absl::Duration timeout) {
  return MakeError(
      absl::StatusCode::kDeadlineExceeded, kDeadlineExceeded,
      absl::StrCat("timed out after ", absl::FormatDuration(timeout)));
}

}  // namespace

struct Context::State {
  State() = default;
  State(const State&) = delete;
  ~State();

  bool done() const { return ended.load(std::memory_order_acquire); }
  void End(absl::Status reason);
  uint64_t Register(std::function<void(const absl::Status&)> callback);
  void Unregister(uint64_t id);

  // Set after `cause`, so that whoever sees it true may take the lock and find
  // the cause there.
  std::atomic<bool> ended{false};
  Mutex mutex;
  CondVar callback_returned;
  absl::Status cause ABSL_GUARDED_BY(mutex);
  std::map<uint64_t, std::function<void(const absl::Status&)>> callbacks
      ABSL_GUARDED_BY(mutex);
  uint64_t next_id ABSL_GUARDED_BY(mutex) = 1;
  uint64_t running_id ABSL_GUARDED_BY(mutex) = 0;  // 0: none
  std::thread::id running_on ABSL_GUARDED_BY(mutex);

  // Both go when the context ends, so that a child that lives on (an abandoned
  // source holds one) keeps neither its parent nor the clock busy.
  Registration parent ABSL_GUARDED_BY(mutex);
  std::shared_ptr<Watchdog> watchdog ABSL_GUARDED_BY(mutex);
  // Written before the state is shared, and by its destructor.
  Thread watchdog_thread;
};

Context::State::~State() {
  if (!watchdog_thread.joinable()) return;
  if (watchdog != nullptr) watchdog->Stop();
  // The last copy may go in a callback that the watchdog itself runs.
  if (watchdog_thread.IsCurrent()) watchdog_thread.Detach();
}

void Context::State::End(absl::Status reason) {
  if (reason.ok()) {
    reason = MakeError(absl::StatusCode::kCancelled, kCancelled, "cancelled");
  }
  Registration released;
  std::shared_ptr<Watchdog> stopped;
  {
    MutexLock lock(mutex);
    if (done()) return;
    cause = DeepCopy(reason);
    released = std::move(parent);
    stopped = std::move(watchdog);
    ended.store(true, std::memory_order_release);
  }
  if (stopped != nullptr) stopped->Stop();
  // One at a time, without the lock: a callback may use the context, and
  // unregister itself or others.
  while (true) {
    std::function<void(const absl::Status&)> callback;
    {
      MutexLock lock(mutex);
      if (callbacks.empty()) return;
      const auto first = callbacks.begin();
      running_id = first->first;
      running_on = std::this_thread::get_id();
      callback = std::move(first->second);
      callbacks.erase(first);
    }
    callback(DeepCopy(reason));
    callback = nullptr;  // what it holds is gone before its owner hears of it
    MutexLock lock(mutex);
    running_id = 0;
    callback_returned.NotifyAll();
  }
}

uint64_t Context::State::Register(
    std::function<void(const absl::Status&)> callback) {
  absl::Status reason;
  {
    MutexLock lock(mutex);
    if (!done()) {
      const uint64_t id = next_id++;
      callbacks.emplace(id, std::move(callback));
      return id;
    }
    reason = DeepCopy(cause);
  }
  callback(reason);
  return 0;
}

void Context::State::Unregister(uint64_t id) {
  std::function<void(const absl::Status&)> dropped;  // destroyed unlocked
  MutexLock lock(mutex);
  const auto found = callbacks.find(id);
  if (found != callbacks.end()) {
    dropped = std::move(found->second);
    callbacks.erase(found);
    return;
  }
  while (running_id == id && running_on != std::this_thread::get_id()) {
    callback_returned.Wait(lock);
  }
}

Context Context::Background() { return Context(nullptr); }

std::pair<Context, Context::CancelFunction> Context::WithCancel(
    const Context& parent) {
  auto state = std::make_shared<State>();
  const std::weak_ptr<State> weak = state;
  Registration registration = parent.OnDone([weak](const absl::Status& cause) {
    if (const std::shared_ptr<State> child = weak.lock()) child->End(cause);
  });
  {
    MutexLock lock(state->mutex);
    if (!state->done()) state->parent = std::move(registration);
  }
  return {Context(state), [weak](absl::Status cause) {
            if (const std::shared_ptr<State> alive = weak.lock()) {
              alive->End(std::move(cause));
            }
          }};
}

std::pair<Context, Context::CancelFunction> Context::WithTimeout(
    const Context& parent, Clock* clock, absl::Duration timeout) {
  std::pair<Context, CancelFunction> result = WithCancel(parent);
  if (timeout == absl::InfiniteDuration()) return result;
  if (timeout <= absl::ZeroDuration()) {
    result.second(Late(timeout));
    return result;
  }
  State& state = *result.first.state_;
  const auto watchdog = std::make_shared<Watchdog>();
  {
    MutexLock lock(state.mutex);
    if (state.done()) return result;
    state.watchdog = watchdog;
  }
  const absl::Duration deadline = clock->SinceBoot() + timeout;
  absl::StatusOr<Thread> thread = Thread::Start(
      "deadline", [watchdog, cancel = result.second, clock, deadline, timeout] {
        if (watchdog->AwaitDeadline(clock, deadline)) cancel(Late(timeout));
      });
  if (thread.ok()) {
    state.watchdog_thread = *std::move(thread);
  } else {
    // A run that nobody would ever end must not begin.
    result.second(thread.status());
  }
  return result;
}

absl::Status Context::status() const {
  if (!done()) return absl::OkStatus();
  MutexLock lock(state_->mutex);
  return DeepCopy(state_->cause);
}

bool Context::done() const { return state_ != nullptr && state_->done(); }

Context::Registration Context::OnDone(
    std::function<void(const absl::Status&)> callback) const {
  if (state_ == nullptr) return Registration();
  const uint64_t id = state_->Register(std::move(callback));
  if (id == 0) return Registration();
  // The handle keeps the state alive, so that dropping it is always safe.
  return Registration(std::shared_ptr<void>(
      nullptr,
      [state = state_, id](std::nullptr_t) { state->Unregister(id); }));
}

}  // namespace sluice
