#ifndef SLUICE_DESTINATIONS_ARCHIVE_PROTOCOL_HASH_BESIDE_H_
#define SLUICE_DESTINATIONS_ARCHIVE_PROTOCOL_HASH_BESIDE_H_

// Hashes on its own thread the very views that the caller writes (or a
// consumer reads), so that neither waits for the other: several views are under
// way at once, and each goes back when both are done with it.
//
//   auto hash = HashBeside::Start([&] { payload.Release(); });
//   (*hash)->Add(view, /*ends_view=*/true);   // the thread begins at once
//   writer->Write(view);
//   (*hash)->Done();                          // the caller no longer needs it
//   (*hash)->EndSegment();
//   std::string digest = (*hash)->Digest(0);  // blocks until it is known
//
// Every method on one thread, but for Done, which may be called from another.
// `release` is called from Done and AwaitFewerThan, one call at a time, in the
// order of the views, and never on the hash thread: that one is the bottleneck
// of a run and shall neither wake anybody nor be pushed aside by whom it woke
// more often than it must. No copies; one allocation a view at most.

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "sluice/base/mutex.h"
#include "sluice/base/thread.h"

namespace sluice {

class HashBeside {
 public:
  // `release` gives back the oldest view. Must not block. RESOURCE_EXHAUSTED
  // where there is no thread to be had.
  static absl::StatusOr<std::unique_ptr<HashBeside>> Start(
      std::function<void()> release);
  // Views not hashed yet are dropped, and not released.
  ~HashBeside();
  HashBeside(const HashBeside&) = delete;
  HashBeside& operator=(const HashBeside&) = delete;

  // Adds a piece of a view to the current segment. A view may come in several
  // pieces, the last with `ends_view`.
  void Add(absl::string_view piece, bool ends_view);
  // The caller no longer needs the oldest view that it was not done with.
  void Done();
  // The segment is complete; what is added next belongs to the next one.
  void EndSegment();

  // Releases what both are done with. Blocks until fewer than `views` views are
  // out, counting a view from the Add of its last piece until its release; and
  // once it blocks, until half of them are hashed. Deadlocks where the caller
  // itself keeps so many.
  void AwaitFewerThan(size_t views);

  // The digest (32 bytes) of segment `index`, which must have been ended.
  std::string Digest(size_t index);
  // As Digest, but empty where it is not known yet.
  std::string DigestIfKnown(size_t index);

 private:
  struct Item {
    absl::string_view piece;
    bool ends_view;
    bool ends_segment;
  };

  explicit HashBeside(std::function<void()> release);
  void Run();
  void Push(const Item& item);
  void ReleaseFinished() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::function<void()> release_;
  Mutex mutex_;
  CondVar work_;
  CondVar progress_;
  std::deque<Item> queue_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> digests_ ABSL_GUARDED_BY(mutex_);
  size_t added_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t hashed_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t done_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t released_ ABSL_GUARDED_BY(mutex_) = 0;
  // `hashed_` that AwaitFewerThan waits for; 0: nobody waits.
  size_t resume_at_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stop_ ABSL_GUARDED_BY(mutex_) = false;
  Thread thread_;
};

}  // namespace sluice

#endif  // SLUICE_DESTINATIONS_ARCHIVE_PROTOCOL_HASH_BESIDE_H_
