#include "sluice/plugins/memory/store/memory_tree.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/optional.h"

namespace sluice {
namespace memory_internal {

// A leaf has entries; an inner node has children, and between each two of them
// a separator: not less than any key to its left, not greater than any to its
// right, equal keys to the right.
struct Node {
  uint64_t generation = 0;
  bool leaf = true;
  std::vector<EntryPointer> entries;
  std::vector<std::shared_ptr<Node>> children;
  std::vector<std::shared_ptr<const std::string>> separators;

  size_t size() const { return leaf ? entries.size() : children.size(); }
};

namespace {

constexpr size_t kMaxFanout = 64;
// A smaller node is merged with a neighbour where both fit into one. There is
// no borrowing: nodes may stay small, never empty.
constexpr size_t kMinFanout = 16;

using NodePointer = std::shared_ptr<Node>;

struct Split {
  std::shared_ptr<const std::string> separator;
  NodePointer right;
};

void MakeOwn(NodePointer& node, uint64_t generation) {
  if (node->generation == generation) return;
  auto copy = std::make_shared<Node>(*node);
  copy->generation = generation;
  node = std::move(copy);
}

size_t LowerBound(const Node& leaf, absl::string_view key) {
  const auto found =
      std::lower_bound(leaf.entries.begin(), leaf.entries.end(), key,
                       [](const EntryPointer& entry, absl::string_view wanted) {
                         return absl::string_view(*entry->key) < wanted;
                       });
  return found - leaf.entries.begin();
}

size_t ChildFor(const Node& inner, absl::string_view key) {
  const auto found =
      std::upper_bound(inner.separators.begin(), inner.separators.end(), key,
                       [](absl::string_view wanted,
                          const std::shared_ptr<const std::string>& separator) {
                         return wanted < absl::string_view(*separator);
                       });
  return found - inner.separators.begin();
}

bool HoldsAt(const Node& leaf, size_t index, absl::string_view key) {
  return index < leaf.entries.size() && *leaf.entries[index]->key == key;
}

template <typename T>
void MoveTail(std::vector<T>& from, size_t begin, std::vector<T>& to) {
  to.insert(to.end(), std::make_move_iterator(from.begin() + begin),
            std::make_move_iterator(from.end()));
  from.resize(begin);
}

// Splits a node that has grown by one too many. Where it grew at its end, the
// left half stays full: keys that come in order fill their nodes.
Split SplitNode(Node& node, uint64_t generation, bool grew_at_end) {
  const size_t keep = grew_at_end ? node.size() - 1 : node.size() / 2;
  Split split{nullptr, std::make_shared<Node>()};
  Node& right = *split.right;
  right.generation = generation;
  right.leaf = node.leaf;
  if (node.leaf) {
    MoveTail(node.entries, keep, right.entries);
    split.separator = right.entries.front()->key;
    return split;
  }
  MoveTail(node.children, keep, right.children);
  split.separator = node.separators[keep - 1];
  MoveTail(node.separators, keep, right.separators);
  node.separators.pop_back();
  return split;
}

absl::optional<Split> InsertInto(NodePointer& node, uint64_t generation,
                                 EntryPointer& entry, EntryPointer& replaced) {
  MakeOwn(node, generation);
  bool grew_at_end = false;
  if (node->leaf) {
    const size_t at = LowerBound(*node, *entry->key);
    if (HoldsAt(*node, at, *entry->key)) {
      replaced = std::exchange(node->entries[at], std::move(entry));
      return absl::nullopt;
    }
    grew_at_end = at == node->entries.size();
    node->entries.insert(node->entries.begin() + at, std::move(entry));
  } else {
    const size_t at = ChildFor(*node, *entry->key);
    absl::optional<Split> split =
        InsertInto(node->children[at], generation, entry, replaced);
    if (!split.has_value()) return absl::nullopt;
    grew_at_end = at + 1 == node->children.size();
    node->separators.insert(node->separators.begin() + at,
                            std::move(split->separator));
    node->children.insert(node->children.begin() + at + 1,
                          std::move(split->right));
  }
  if (node->size() <= kMaxFanout) return absl::nullopt;
  return SplitNode(*node, generation, grew_at_end);
}

// Appends children[left + 1] to children[left].
void Merge(Node& parent, size_t left, uint64_t generation) {
  MakeOwn(parent.children[left], generation);
  Node& into = *parent.children[left];
  const Node& from = *parent.children[left + 1];
  if (into.leaf) {
    into.entries.insert(into.entries.end(), from.entries.begin(),
                        from.entries.end());
  } else {
    into.separators.push_back(parent.separators[left]);
    into.separators.insert(into.separators.end(), from.separators.begin(),
                           from.separators.end());
    into.children.insert(into.children.end(), from.children.begin(),
                         from.children.end());
  }
  parent.separators.erase(parent.separators.begin() + left);
  parent.children.erase(parent.children.begin() + left + 1);
}

void RemoveChild(Node& parent, size_t at) {
  parent.children.erase(parent.children.begin() + at);
  if (parent.separators.empty()) return;
  parent.separators.erase(parent.separators.begin() + (at == 0 ? 0 : at - 1));
}

void MendChild(Node& parent, size_t at, uint64_t generation) {
  const size_t size = parent.children[at]->size();
  if (size == 0) return RemoveChild(parent, at);
  if (size >= kMinFanout) return;
  const auto fits = [&](size_t left) {
    return parent.children[left]->size() + parent.children[left + 1]->size() <=
           kMaxFanout;
  };
  if (at > 0 && fits(at - 1)) return Merge(parent, at - 1, generation);
  if (at + 1 < parent.size() && fits(at)) Merge(parent, at, generation);
}

// `key` is in the subtree.
EntryPointer EraseFrom(NodePointer& node, uint64_t generation,
                       absl::string_view key) {
  MakeOwn(node, generation);
  if (node->leaf) {
    const size_t at = LowerBound(*node, key);
    EntryPointer erased = std::move(node->entries[at]);
    node->entries.erase(node->entries.begin() + at);
    return erased;
  }
  const size_t at = ChildFor(*node, key);
  EntryPointer erased = EraseFrom(node->children[at], generation, key);
  MendChild(*node, at, generation);
  return erased;
}

void Add(MemoryStoreStats& stats, const Entry& entry) {
  stats.keys += 1;
  stats.key_bytes += entry.key->size();
  stats.value_bytes += entry.value.size();
}

void Subtract(MemoryStoreStats& stats, const Entry& entry) {
  stats.keys -= 1;
  stats.key_bytes -= entry.key->size();
  stats.value_bytes -= entry.value.size();
}

// False once the scan is over.
bool ScanNode(const Node& node, absl::string_view begin, absl::string_view end,
              absl::FunctionRef<bool(const MemoryEntry&)> visit) {
  if (node.leaf) {
    for (size_t i = LowerBound(node, begin); i < node.entries.size(); ++i) {
      const MemoryEntry entry = node.entries[i]->View();
      if (!end.empty() && entry.key >= end) return false;
      if (!visit(entry)) return false;
    }
    return true;
  }
  for (size_t i = ChildFor(node, begin); i < node.children.size(); ++i) {
    if (!ScanNode(*node.children[i], begin, end, visit)) return false;
  }
  return true;
}

class Checker {
 public:
  std::string Check(const Tree& tree) {
    if (tree.root != nullptr) {
      if (tree.root->size() == 0) return "an empty root";
      Visit(*tree.root, 0, nullptr, nullptr);
    }
    if (!wrong_.empty()) return wrong_;
    if (stats_.keys != tree.stats.keys) return "the count of keys is wrong";
    if (stats_.key_bytes != tree.stats.key_bytes) return "key_bytes is wrong";
    if (stats_.value_bytes != tree.stats.value_bytes) return "value_bytes";
    return "";
  }

 private:
  void Visit(const Node& node, size_t depth, const std::string* low,
             const std::string* high) {
    if (node.size() == 0) wrong_ = "an empty node";
    if (node.size() > kMaxFanout) wrong_ = "an overfull node";
    if (node.leaf) return VisitLeaf(node, depth, low, high);
    if (node.separators.size() + 1 != node.children.size()) {
      wrong_ = absl::StrCat(node.separators.size(), " separators for ",
                            node.children.size(), " children");
      return;
    }
    for (size_t i = 0; i < node.children.size(); ++i) {
      const bool last = i + 1 == node.children.size();
      Visit(*node.children[i], depth + 1,
            i == 0 ? low : node.separators[i - 1].get(),
            last ? high : node.separators[i].get());
    }
  }

  void VisitLeaf(const Node& leaf, size_t depth, const std::string* low,
                 const std::string* high) {
    if (!leaf_depth_.has_value()) leaf_depth_ = depth;
    if (*leaf_depth_ != depth) wrong_ = "leaves at different depths";
    for (const EntryPointer& entry : leaf.entries) {
      if (previous_ != nullptr && *previous_ >= *entry->key) wrong_ = "order";
      if (low != nullptr && *entry->key < *low) wrong_ = "below its separator";
      if (high != nullptr && *entry->key >= *high) wrong_ = "above it";
      previous_ = entry->key.get();
      Add(stats_, *entry);
    }
  }

  std::string wrong_;
  MemoryStoreStats stats_;
  absl::optional<size_t> leaf_depth_;
  const std::string* previous_ = nullptr;
};

}  // namespace

EntryPointer Insert(Tree& tree, uint64_t generation, EntryPointer entry) {
  Add(tree.stats, *entry);
  if (tree.root == nullptr) {
    tree.root = std::make_shared<Node>();
    tree.root->generation = generation;
  }
  EntryPointer replaced;
  absl::optional<Split> split =
      InsertInto(tree.root, generation, entry, replaced);
  if (split.has_value()) {
    auto root = std::make_shared<Node>();
    root->generation = generation;
    root->leaf = false;
    root->children = {std::move(tree.root), std::move(split->right)};
    root->separators = {std::move(split->separator)};
    tree.root = std::move(root);
  }
  if (replaced != nullptr) Subtract(tree.stats, *replaced);
  return replaced;
}

EntryPointer Erase(Tree& tree, uint64_t generation, absl::string_view key) {
  // A miss must not copy a path.
  if (Find(tree, key) == nullptr) return nullptr;
  EntryPointer erased = EraseFrom(tree.root, generation, key);
  Subtract(tree.stats, *erased);
  while (!tree.root->leaf && tree.root->size() == 1) {
    NodePointer only = tree.root->children.front();
    tree.root = std::move(only);
  }
  if (tree.root->size() == 0) tree.root = nullptr;
  return erased;
}

const EntryPointer* Find(const Tree& tree, absl::string_view key) {
  const Node* node = tree.root.get();
  if (node == nullptr) return nullptr;
  while (!node->leaf) node = node->children[ChildFor(*node, key)].get();
  const size_t at = LowerBound(*node, key);
  return HoldsAt(*node, at, key) ? &node->entries[at] : nullptr;
}

void ScanTree(const Tree& tree, absl::string_view begin, absl::string_view end,
              absl::FunctionRef<bool(const MemoryEntry&)> visit) {
  if (tree.root != nullptr) ScanNode(*tree.root, begin, end, visit);
}

std::string CheckTree(const Tree& tree) { return Checker().Check(tree); }

}  // namespace memory_internal
}  // namespace sluice
