#include "sluice/base/thread.h"

#include <atomic>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"

namespace sluice {
namespace {

constexpr size_t kMaxNameBytes = 15;  // pthread_setname_np's

std::atomic<thread_internal::Refuses> refuses_start{nullptr};

// What the new thread gets.
struct Order {
  std::string name;
  std::function<void()> body;
  ThreadScheduler* scheduler;
};

// Also where foreign code ends the thread by pthread_exit, which unwinds it.
class Scheduled {
 public:
  explicit Scheduled(const Order& order) : scheduler_(order.scheduler) {
    if (scheduler_ != nullptr) scheduler_->Enter(order.name);
  }
  ~Scheduled() {
    if (scheduler_ != nullptr) scheduler_->Leave();
  }
  Scheduled(const Scheduled&) = delete;
  Scheduled& operator=(const Scheduled&) = delete;

 private:
  ThreadScheduler* const scheduler_;
};

void* RunOrder(void* argument) {
  const std::unique_ptr<Order> order(static_cast<Order*>(argument));
  pthread_setname_np(pthread_self(),
                     order->name.substr(0, kMaxNameBytes).c_str());
  const Scheduled scheduled(*order);
  const std::function<void()> body = std::move(order->body);
  body();
  return nullptr;
}

int Create(pthread_t* handle, Order* order) {
  const thread_internal::Refuses refuses = refuses_start.load();
  if (refuses != nullptr && refuses(order->name)) return EAGAIN;
  return pthread_create(handle, nullptr, RunOrder, order);
}

}  // namespace

namespace thread_internal {

void SetRefuses(Refuses refuses) { refuses_start.store(refuses); }

}  // namespace thread_internal

Thread::Thread(Thread&& other) noexcept
    : handle_(other.handle_),
      joinable_(std::exchange(other.joinable_, false)) {}

Thread& Thread::operator=(Thread&& other) noexcept {
  if (this == &other) return *this;
  Join();
  handle_ = other.handle_;
  joinable_ = std::exchange(other.joinable_, false);
  return *this;
}

absl::StatusOr<Thread> Thread::Start(absl::string_view name,
                                     std::function<void()> body,
                                     ThreadScheduler* scheduler) {
  auto order = std::make_unique<Order>(
      Order{std::string(name), std::move(body), scheduler});
  if (scheduler != nullptr) scheduler->Starting(name);
  pthread_t handle = {};
  const int error = Create(&handle, order.get());
  if (error == 0) {
    static_cast<void>(order.release());  // the thread's now
    return Thread(handle);
  }
  return WithHint(
      MakeError(absl::StatusCode::kResourceExhausted, kResourceExhausted,
                absl::StrCat("start thread \"", name, "\": ",
                             error == EAGAIN
                                 ? "the system's limit of threads is reached"
                                 : std::strerror(error))),
      "raise the limit of processes (ulimit -u, TasksMax=, pids.max)");
}

bool Thread::IsCurrent() const {
  return joinable_ && pthread_equal(handle_, pthread_self()) != 0;
}

void Thread::Join() {
  if (std::exchange(joinable_, false)) pthread_join(handle_, nullptr);
}

void Thread::Detach() {
  if (std::exchange(joinable_, false)) pthread_detach(handle_);
}

}  // namespace sluice
