#ifndef SLUICE_PLUGINS_BADGER_SORT_ENTRY_BUFFER_H_
#define SLUICE_PLUGINS_BADGER_SORT_ENTRY_BUFFER_H_

// Entries that are sorted in memory, as many as fit.
//
//   EntryBuffer buffer(64 << 20);
//   while (buffer.Add(entry)) ...
//   SLUICE_RETURN_IF_ERROR(SpillAll(buffer.Sorted()));
//   buffer.Clear();
//
// Of entries with the same key and version the one that was added last stays.
// Memory: the bytes given at construction, touched as they are needed; a single
// entry that is larger fits into an empty buffer. One thread.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "sluice/plugins/badger/format/entry_source.h"
#include "sluice/plugins/badger/sort/stream_entry.h"

namespace sluice {
namespace badger {

class EntryBuffer {
 public:
  explicit EntryBuffer(size_t memory_bytes) : memory_bytes_(memory_bytes) {}

  // Copies the entry; false, and nothing done, where it does not fit.
  bool Add(const StreamEntry& entry);
  bool empty() const { return places_.empty(); }

  // All entries in order. Borrows the buffer, to which nothing is added while
  // the source is in use.
  std::unique_ptr<EntrySource> Sorted();
  void Clear();

 private:
  class Sequence;
  struct Place {
    uint64_t prefix;  // of the key
    uint64_t offset;  // in records_
  };

  StreamEntry EntryAt(const Place& place) const;
  bool Less(const Place& a, const Place& b) const;

  const size_t memory_bytes_;
  std::string records_;
  std::vector<Place> places_;
};

}  // namespace badger
}  // namespace sluice

#endif  // SLUICE_PLUGINS_BADGER_SORT_ENTRY_BUFFER_H_
