#ifndef SLUICE_PLUGINS_MEMORY_STORE_MEMORY_STORE_H_
#define SLUICE_PLUGINS_MEMORY_STORE_MEMORY_STORE_H_

// A store in memory for services: byte keys, byte values, and snapshots that
// cost nothing to take.
//
// Example:
//
//   SLUICE_ASSIGN_OR_RETURN(std::shared_ptr<MemoryStore> store,
//                           MemoryStore::Create("orders-eu-1"));
//   SLUICE_RETURN_IF_ERROR(store->Put("order/17", "3 apples", {"block-9"}));
//   WriteBatch transfer;
//   transfer.Put("account/a", "90");
//   transfer.Put("account/b", "110");
//   SLUICE_RETURN_IF_ERROR(store->Write(std::move(transfer)));
//   MemorySnapshot now = store->Snapshot();  // both accounts, or neither
//   now.Scan("account/", "account0", [](const MemoryEntry& entry) {
//     Print(entry.key, entry.value);
//     return true;
//   });
//
// Threads: MemoryStore is thread-safe. A MemorySnapshot never changes: any
// number of threads may read it without a lock, while writers go on.
//
// Ownership: the store copies what it is given; what a snapshot shows is
// borrowed from it. Errors: INVALID_ARGUMENT for a key or an id outside of the
// limits of memory_entry.h; restore_precondition_failed of Adopt.
//
// Cost. The entries are the leaves of a B+ tree whose nodes are shared between
// the store and its snapshots; a node that a snapshot may see is copied before
// it is changed (docs/adr/0007-memory-store-snapshots.md). n keys:
//   Put, Delete, Get    O(log n) under the store's one lock; a value is copied
//                       outside of it.
//   Write               the lock is held for the whole batch.
//   Snapshot            O(1): a pointer is copied under the lock. Afterwards
//                       the first change below each node copies that node, at
//                       most 64 pointers a level, never a key or a value.
//   Memory              some 100 bytes an entry beside its key and value. What
//                       was deleted or replaced is freed with the last snapshot
//                       that sees it, on the thread that drops that.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/optional.h"
#include "absl/types/span.h"
#include "sluice/base/mutex.h"
#include "sluice/plugins/memory/store/memory_entry.h"
#include "sluice/plugins/memory/store/memory_tree.h"

namespace sluice {

// Changes that become visible together. Later ones win. Not thread-safe.
class WriteBatch {
 public:
  WriteBatch();
  ~WriteBatch();
  WriteBatch(WriteBatch&&) noexcept;
  WriteBatch& operator=(WriteBatch&&) noexcept;

  void Put(absl::string_view key, absl::string_view value,
           std::vector<std::string> payload_ids = {});
  void Delete(absl::string_view key);
  size_t size() const;

 private:
  friend class MemoryStore;
  struct Change;
  std::vector<Change> changes_;
};

// The store at one instant, for as long as a copy of this lives.
class MemorySnapshot {
 public:
  // Absent where there is no such key.
  absl::optional<MemoryEntry> Get(absl::string_view key) const;
  // Entries with begin <= key, and key < end unless `end` is empty, ascending
  // by bytes, until `visit` returns false.
  void Scan(absl::string_view begin, absl::string_view end,
            absl::FunctionRef<bool(const MemoryEntry&)> visit) const;
  const MemoryStoreStats& stats() const { return tree_.stats; }
  const std::string& store_id() const { return store_id_; }

 private:
  friend class MemoryStore;
  MemorySnapshot(memory_internal::Tree tree, std::string store_id);
  memory_internal::Tree tree_;
  std::string store_id_;
};

class MemoryStore {
 public:
  // `store_id` is the store's identity from one start of the service to the
  // next, the guard against restoring into another store. Empty: it has none
  // until a restore brings one. INVALID_ARGUMENT unless IsStoreId.
  static absl::StatusOr<std::shared_ptr<MemoryStore>> Create(
      absl::string_view store_id);
  ~MemoryStore();
  MemoryStore(const MemoryStore&) = delete;
  MemoryStore& operator=(const MemoryStore&) = delete;

  // Puts or replaces, ids too. INVALID_ARGUMENT for a key or an id outside of
  // the limits above; nothing is changed then.
  absl::Status Put(absl::string_view key, absl::string_view value,
                   std::vector<std::string> payload_ids = {});
  // Absent where there is no such key.
  absl::optional<std::string> Get(absl::string_view key) const;
  // True if there was such a key.
  bool Delete(absl::string_view key);
  // All of `batch` at once, or nothing of it: errors as of Put.
  absl::Status Write(WriteBatch batch);
  // As MemorySnapshot::Scan, over one instant. `visit` may change the store.
  void Scan(absl::string_view begin, absl::string_view end,
            absl::FunctionRef<bool(const MemoryEntry&)> visit) const;

  MemorySnapshot Snapshot() const;
  MemoryStoreStats stats() const;
  std::string store_id() const;

  // Takes over all that is in `restored`, which nobody else uses any more, and
  // `store_id` if this store has none: one instant, for restores.
  // FAILED_PRECONDITION (restore_precondition_failed) unless this store is
  // empty.
  absl::Status Adopt(const std::shared_ptr<MemoryStore>& restored,
                     absl::string_view store_id);

 private:
  explicit MemoryStore(absl::string_view store_id);

  mutable Mutex mutex_;
  memory_internal::Tree tree_ ABSL_GUARDED_BY(mutex_);
  // Nodes of this generation are seen by no snapshot.
  mutable uint64_t generation_ ABSL_GUARDED_BY(mutex_) = 1;
  std::string store_id_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sluice

#endif  // SLUICE_PLUGINS_MEMORY_STORE_MEMORY_STORE_H_
