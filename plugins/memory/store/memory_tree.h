#ifndef SLUICE_PLUGINS_MEMORY_STORE_MEMORY_TREE_H_
#define SLUICE_PLUGINS_MEMORY_STORE_MEMORY_TREE_H_

// The B+ tree inside MemoryStore: nodes shared between the store and its
// snapshots, copied when they are changed.
//
// A node carries the generation that made it. The store raises its generation
// with each snapshot; a node of the present generation cannot be seen by any
// snapshot and is changed in place, an older one is copied first. No reference
// count is asked, so a reader that drops its snapshot and a writer need no
// agreement.
//
// Not thread-safe: the store's lock is held for what changes a tree; what only
// reads needs none if the tree is a snapshot's.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/string_view.h"
#include "sluice/plugins/memory/store/memory_entry.h"

namespace sluice {
namespace memory_internal {

struct Node;

// The state of a store at one instant.
struct Tree {
  std::shared_ptr<Node> root;  // null: no keys
  MemoryStoreStats stats;
};

// Immutable once made.
struct Entry {
  std::shared_ptr<const std::string> key;  // also a separator in inner nodes
  std::string value;
  std::vector<std::string> payload_ids;

  MemoryEntry View() const { return {*key, value, payload_ids}; }
};

using EntryPointer = std::shared_ptr<const Entry>;

// Puts `entry` and returns the one that it replaced, or null: the caller drops
// it outside of its lock.
EntryPointer Insert(Tree& tree, uint64_t generation, EntryPointer entry);
// Takes the entry of `key` out and returns it, or null.
EntryPointer Erase(Tree& tree, uint64_t generation, absl::string_view key);
// Borrowed from the tree; null where there is none.
const EntryPointer* Find(const Tree& tree, absl::string_view key);
// As MemorySnapshot::Scan.
void ScanTree(const Tree& tree, absl::string_view begin, absl::string_view end,
              absl::FunctionRef<bool(const MemoryEntry&)> visit);
// Empty if the tree is well-formed, else what is wrong: order, bounds of each
// child, equal depth, sizes, counts. For tests.
std::string CheckTree(const Tree& tree);

}  // namespace memory_internal
}  // namespace sluice

#endif  // SLUICE_PLUGINS_MEMORY_STORE_MEMORY_TREE_H_
