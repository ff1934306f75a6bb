#include "sluice/tests/simulation/sim_scheduler.h"

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "absl/strings/str_cat.h"

namespace sluice {

struct SimScheduler::Actor {
  enum class State {
    kStarting,  // announced, not there yet
    kRunning,   // holds the token
    kReady,     // at a step
    kAwaiting,  // goes on when `ready` says so
    kOnClock,   // goes on when something happened, or at `deadline`
    kGone,
  };

  std::string name;
  State state = State::kStarting;
  const absl::FunctionRef<bool()>* ready = nullptr;
  absl::Duration deadline = absl::InfiniteDuration();
  uint64_t waiting_since = 0;  // epoch
  bool timed_out = false;
};

namespace {

// The actor of this thread, and the scheduler that it belongs to.
thread_local const void* this_scheduler = nullptr;
thread_local void* this_actor = nullptr;

}  // namespace

class SimScheduler::SimClock final : public Clock {
 public:
  explicit SimClock(SimScheduler* scheduler) : scheduler_(scheduler) {}

  absl::Time Now() const override {
    return absl::FromUnixSeconds(1'700'000'000) + SinceBoot();
  }
  absl::Duration SinceBoot() const override {
    MutexLock lock(scheduler_->mutex_);
    return scheduler_->elapsed_;
  }
  bool WaitFor(CondVar& condition, MutexLock& lock,
               absl::Duration timeout) override {
    return scheduler_->WaitOnClock(condition, lock, timeout);
  }

 private:
  SimScheduler* const scheduler_;
};

SimScheduler::SimScheduler(uint64_t seed)
    : seed_(seed), random_(seed), clock_(std::make_unique<SimClock>(this)) {}

SimScheduler::~SimScheduler() = default;

Clock* SimScheduler::clock() { return clock_.get(); }

std::vector<std::string> SimScheduler::trace() const {
  MutexLock lock(mutex_);
  return trace_;
}

SimScheduler::Actor* SimScheduler::Self() const {
  return this_scheduler == this ? static_cast<Actor*>(this_actor) : nullptr;
}

void SimScheduler::EnterMain(absl::string_view name) {
  MutexLock lock(mutex_);
  auto actor = std::make_unique<Actor>();
  actor->name = std::string(name);
  actor->state = Actor::State::kRunning;
  running_ = actor.get();
  this_scheduler = this;
  this_actor = actor.get();
  actors_.push_back(std::move(actor));
}

void SimScheduler::LeaveMain() {
  Await([this]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    for (const auto& actor : actors_) {
      if (actor.get() != actors_.front().get() &&
          actor->state != Actor::State::kGone) {
        return false;
      }
    }
    return true;
  });
  Leave();
}

void SimScheduler::Starting(absl::string_view name) {
  MutexLock lock(mutex_);
  auto actor = std::make_unique<Actor>();
  actor->name = std::string(name);
  actors_.push_back(std::move(actor));
}

void SimScheduler::Enter(absl::string_view name) {
  MutexLock lock(mutex_);
  for (const auto& actor : actors_) {
    if (actor->state != Actor::State::kStarting || actor->name != name) {
      continue;
    }
    this_scheduler = this;
    this_actor = actor.get();
    actor->state = Actor::State::kReady;
    if (running_ == nullptr) Dispatch();
    AwaitToken(actor.get(), lock);
    return;
  }
}

void SimScheduler::Leave() {
  Actor* const self = Self();
  if (self == nullptr) return;
  MutexLock lock(mutex_);
  self->state = Actor::State::kGone;
  this_scheduler = nullptr;
  this_actor = nullptr;
  ++epoch_;
  Dispatch();
}

void SimScheduler::Step(absl::string_view what) {
  Actor* const self = Self();
  if (self == nullptr) return;
  MutexLock lock(mutex_);
  trace_.push_back(absl::StrCat(self->name, ":", what));
  elapsed_ += absl::Milliseconds(1);
  ++epoch_;
  self->state = Actor::State::kReady;
  Dispatch();
  AwaitToken(self, lock);
}

void SimScheduler::Await(absl::FunctionRef<bool()> ready) {
  Actor* const self = Self();
  MutexLock lock(mutex_);
  if (self == nullptr) {  // not ours to order: it just waits
    while (!ready()) granted_.WaitFor(lock, absl::Milliseconds(1));
    return;
  }
  self->ready = &ready;
  self->state = Actor::State::kAwaiting;
  ++epoch_;
  Dispatch();
  AwaitToken(self, lock);
  self->ready = nullptr;
}

bool SimScheduler::WaitOnClock(CondVar& condition, MutexLock& lock,
                               absl::Duration timeout) {
  Actor* const self = Self();
  if (self == nullptr) {
    // Its time is not simulated: it goes on when it is told to, and never finds
    // that its time has come.
    condition.WaitFor(lock, absl::Milliseconds(50));
    return true;
  }
  lock.Unlock();
  bool timed_out = false;
  {
    MutexLock own(mutex_);
    self->deadline = elapsed_ + timeout;
    self->timed_out = false;
    self->waiting_since = epoch_;
    self->state = Actor::State::kOnClock;
    Dispatch();
    AwaitToken(self, own);
    timed_out = self->timed_out;
  }
  lock.Relock();
  return !timed_out;
}

bool SimScheduler::CanRun(const Actor& actor) const {
  switch (actor.state) {
    case Actor::State::kReady:
      return true;
    case Actor::State::kAwaiting:
      return (*actor.ready)();
    case Actor::State::kOnClock:
      return actor.timed_out || epoch_ > actor.waiting_since;
    default:
      return false;
  }
}

bool SimScheduler::AdvanceClock() {
  Actor* first = nullptr;
  for (const auto& actor : actors_) {
    if (actor->state != Actor::State::kOnClock) continue;
    if (first == nullptr || actor->deadline < first->deadline) {
      first = actor.get();
    }
  }
  if (first == nullptr || first->deadline == absl::InfiniteDuration()) {
    return false;
  }
  elapsed_ = first->deadline;
  first->timed_out = true;
  return true;
}

void SimScheduler::Dispatch() {
  running_ = nullptr;
  while (true) {
    std::vector<Actor*> able;
    bool all_gone = true;
    for (const auto& actor : actors_) {
      // One that was announced must arrive first, or the order would depend on
      // the machine.
      if (actor->state == Actor::State::kStarting) return;
      all_gone = all_gone && actor->state == Actor::State::kGone;
      if (CanRun(*actor)) able.push_back(actor.get());
    }
    if (all_gone) return;
    if (!able.empty()) {
      running_ = able[random_() % able.size()];
      running_->state = Actor::State::kRunning;
      granted_.NotifyAll();
      return;
    }
    if (!AdvanceClock()) Deadlock();
  }
}

void SimScheduler::AwaitToken(Actor* self, MutexLock& lock) {
  while (running_ != self) granted_.Wait(lock);
}

void SimScheduler::Deadlock() {
  std::fprintf(stderr, "simulation: nobody can go on; seed %llu\n",
               static_cast<unsigned long long>(seed_));
  for (const auto& actor : actors_) {
    std::fprintf(stderr, "  %s: state %d\n", actor->name.c_str(),
                 static_cast<int>(actor->state));
  }
  for (const std::string& step : trace_) {
    std::fprintf(stderr, "  %s\n", step.c_str());
  }
  std::abort();
}

}  // namespace sluice
