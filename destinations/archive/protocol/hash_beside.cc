#include "sluice/destinations/archive/protocol/hash_beside.h"

#include <algorithm>
#include <utility>

#include "sluice/base/status_macros.h"
#include "sluice/destinations/archive/format/sha256.h"

namespace sluice {

HashBeside::HashBeside(std::function<void()> release)
    : release_(std::move(release)) {}

absl::StatusOr<std::unique_ptr<HashBeside>> HashBeside::Start(
    std::function<void()> release) {
  std::unique_ptr<HashBeside> hash(new HashBeside(std::move(release)));
  SLUICE_ASSIGN_OR_RETURN(
      hash->thread_, Thread::Start("hash", [raw = hash.get()] { raw->Run(); }));
  return hash;
}

HashBeside::~HashBeside() {
  {
    MutexLock lock(mutex_);
    stop_ = true;
  }
  work_.NotifyOne();
  thread_.Join();
}

void HashBeside::Push(const Item& item) {
  bool was_empty = false;
  {
    MutexLock lock(mutex_);
    was_empty = queue_.empty();
    queue_.push_back(item);
    if (item.ends_view) ++added_;
  }
  if (was_empty) work_.NotifyOne();
}

void HashBeside::Add(absl::string_view piece, bool ends_view) {
  Push({piece, ends_view, false});
}

void HashBeside::EndSegment() { Push({{}, false, true}); }

void HashBeside::Done() {
  MutexLock lock(mutex_);
  ++done_;
  ReleaseFinished();
  // Another thread may wait for it.
  progress_.NotifyAll();
}

void HashBeside::ReleaseFinished() {
  // Under the lock, so that releases keep their order whichever thread makes
  // them.
  const size_t finished = std::min(hashed_, done_);
  for (; released_ < finished; ++released_) release_();
}

void HashBeside::AwaitFewerThan(size_t views) {
  MutexLock lock(mutex_);
  ReleaseFinished();
  if (added_ - released_ < views) return;
  // Once it must wait, it waits for half of them: a wake costs the hash more
  // than a view's worth of bookkeeping.
  resume_at_ = added_ - views / 2;
  while (hashed_ < resume_at_ || added_ - released_ >= views) {
    progress_.Wait(lock);
    ReleaseFinished();
  }
  resume_at_ = 0;
}

std::string HashBeside::Digest(size_t index) {
  MutexLock lock(mutex_);
  while (digests_.size() <= index) progress_.Wait(lock);
  return digests_[index];
}

std::string HashBeside::DigestIfKnown(size_t index) {
  MutexLock lock(mutex_);
  return index < digests_.size() ? digests_[index] : std::string();
}

void HashBeside::Run() {
  Sha256 hash;
  while (true) {
    Item item;
    {
      MutexLock lock(mutex_);
      while (queue_.empty() && !stop_) work_.Wait(lock);
      if (stop_) return;
      // Popped only when it is hashed: while the queue is not empty nobody
      // needs to wake this thread.
      item = queue_.front();
    }
    hash.Update(item.piece);
    bool wake = item.ends_segment;
    {
      MutexLock lock(mutex_);
      queue_.pop_front();
      if (item.ends_view) ++hashed_;
      if (item.ends_segment) digests_.push_back(hash.Finish());
      wake = wake || (resume_at_ != 0 && hashed_ >= resume_at_);
    }
    // Without the lock, which the woken thread takes first of all.
    if (wake) progress_.NotifyAll();
  }
}

}  // namespace sluice
