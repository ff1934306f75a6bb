#ifndef SLUICE_PLUGINS_BADGER_SORT_MERGE_H_
#define SLUICE_PLUGINS_BADGER_SORT_MERGE_H_

// A merge of sorted runs: each key and version once, in order, with the values
// of all sources that hold it, the newest source's first. Value log collection
// writes a version again, so several do.
//
//   Merge merge(sources);  // the newest first
//   for (absl::Status status = merge.Seek(""); status.ok() && merge.Valid();
//        status = merge.Next()) {
//     Use(merge.key(), merge.values());
//   }
//
// One thread; borrows the sources. Cost: log2(sources) comparisons an entry.

#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "sluice/plugins/badger/format/entry_source.h"

namespace sluice {
namespace badger {

class Merge {
 public:
  explicit Merge(std::vector<EntrySource*> sources);

  absl::Status Seek(absl::string_view user_key);
  absl::Status Next();
  bool Valid() const { return !current_.empty(); }

  // Live until the next call of Seek or Next.
  InternalKey key() const { return key_; }
  const std::vector<StoredValue>& values() const { return values_; }
  // The sources that hold this version, by their places among `sources`.
  const std::vector<size_t>& places() const { return current_; }

 private:
  absl::Status NextOfOne();
  // Whether source `a` comes after `b`, for a heap with the first on top.
  bool After(size_t a, size_t b) const;
  void Push(size_t source);
  size_t Pop();
  // Takes all sources off the heap that stand at the first key.
  void Gather();

  std::vector<EntrySource*> sources_;
  std::vector<size_t> heap_;
  InternalKey first_;            // of the top of heap_, if there is one
  std::vector<size_t> current_;  // stand at the same key; not in heap_
  InternalKey key_;              // of these
  std::vector<StoredValue> values_;
};

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_SORT_MERGE_H_
