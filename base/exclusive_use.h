#ifndef SLUICE_BASE_EXCLUSIVE_USE_H_
#define SLUICE_BASE_EXCLUSIVE_USE_H_

// Notices two threads in what only one may use at a time, and keeps the second
// one out; a lock would let both in, one after the other, and hide the mistake
// of foreign code.
//
// Example:
//
//   const ExclusiveUse::Turn turn(use);
//   if (!turn.entered()) return Misuse(turn.closed() ? "late" : "two threads");
//
// Thread-safe. A turn borrows its ExclusiveUse. Nothing here fails: a turn says
// whether it was entered. Costs an atomic exchange a turn.

#include <atomic>
#include <thread>

namespace sluice {

class ExclusiveUse {
 public:
  ExclusiveUse() = default;
  ExclusiveUse(const ExclusiveUse&) = delete;
  ExclusiveUse& operator=(const ExclusiveUse&) = delete;

  // One thread's turn, until the object goes. Each turn sees what was done in
  // the turns before it.
  class Turn {
   public:
    explicit Turn(ExclusiveUse& use) : use_(use) {
      use.state_.compare_exchange_strong(
          found_, kUsed, std::memory_order_acquire, std::memory_order_relaxed);
    }
    ~Turn() {
      if (entered()) use_.state_.store(kFree, std::memory_order_release);
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;

    bool entered() const { return found_ == kFree; }
    // Not entered, since there are no more turns.
    bool closed() const { return found_ == kClosed; }

   private:
    ExclusiveUse& use_;
    int found_ = kFree;
  };

  // Grants no more turns. False where another thread is in its turn.
  bool TryClose() {
    int expected = kFree;
    return state_.compare_exchange_strong(expected, kClosed,
                                          std::memory_order_acquire,
                                          std::memory_order_relaxed) ||
           expected == kClosed;
  }
  // The same, but waits for that thread to leave. It spins: nobody should be
  // there.
  void Close() {
    while (!TryClose()) std::this_thread::yield();
  }

 private:
  static constexpr int kFree = 0;
  static constexpr int kUsed = 1;
  static constexpr int kClosed = 2;

  std::atomic<int> state_{kFree};
};

}  // namespace sluice

#endif  // SLUICE_BASE_EXCLUSIVE_USE_H_
