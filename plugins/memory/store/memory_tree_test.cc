#include "sluice/plugins/memory/store/memory_tree.h"

#include <gtest/gtest.h>

#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace sluice {
namespace memory_internal {
namespace {

EntryPointer NewEntry(const std::string& key) {
  auto entry = std::make_shared<Entry>();
  entry->key = std::make_shared<const std::string>(key);
  entry->value = key;
  return entry;
}

TEST(MemoryTreeTest, StaysWellFormedUnderRandomChanges) {
  const uint64_t seed = std::random_device{}();
  std::cout << "seed " << seed << "\n";
  std::mt19937_64 random(seed);
  Tree tree;
  std::vector<Tree> kept;
  uint64_t generation = 1;
  for (int step = 0; step < 40000; ++step) {
    const std::string key = absl::StrCat(random() % 20000);
    const bool shrinks = step / 10000 % 2 == 1;
    if (random() % 10 < (shrinks ? 9u : 1u)) {
      Erase(tree, generation, key);
    } else {
      Insert(tree, generation, NewEntry(key));
    }
    if (random() % 3000 == 0) {
      kept.push_back(tree);
      ++generation;
    }
    if (step % 1000 == 0) {
      ASSERT_EQ(CheckTree(tree), "") << "step " << step;
    }
  }
  for (const Tree& then : kept) EXPECT_EQ(CheckTree(then), "");
}

TEST(MemoryTreeTest, EndsEmptyInAnyOrderOfErasing) {
  for (const int stride : {1, 7, 9999}) {  // up, scattered, down
    Tree tree;
    constexpr int kKeys = 10000;
    for (int i = 0; i < kKeys; ++i) {
      Insert(tree, 1, NewEntry(absl::StrCat(i)));
    }
    ASSERT_EQ(CheckTree(tree), "");
    for (int i = 0; i < kKeys; ++i) {
      const int64_t victim = int64_t{i} * stride % kKeys;
      ASSERT_NE(Erase(tree, 1, absl::StrCat(victim)), nullptr) << victim;
    }
    EXPECT_EQ(tree.root, nullptr);
    EXPECT_EQ(tree.stats.keys, 0u);
    EXPECT_EQ(tree.stats.key_bytes, 0u);
  }
}

TEST(MemoryTreeTest, AMissChangesNothingAndCopiesNothing) {
  Tree tree;
  Insert(tree, 1, NewEntry("key"));
  const std::shared_ptr<Node> root = tree.root;
  EXPECT_EQ(Erase(tree, 2, "other"), nullptr);
  EXPECT_EQ(tree.root, root);
}

TEST(MemoryTreeTest, ChangesInPlaceWhatNoSnapshotSees) {
  Tree tree;
  Insert(tree, 1, NewEntry("key"));
  const std::shared_ptr<Node> root = tree.root;
  Insert(tree, 1, NewEntry("other"));
  EXPECT_EQ(tree.root, root);
  Insert(tree, 2, NewEntry("third"));
  EXPECT_NE(tree.root, root);
}

TEST(MemoryTreeTest, FreesWhatNobodySeesAnyMore) {
  Tree tree;
  Insert(tree, 1, NewEntry("key"));
  std::weak_ptr<const Entry> watched = *Find(tree, "key");
  Tree snapshot = tree;
  Erase(tree, 2, "key");
  EXPECT_FALSE(watched.expired());
  snapshot = Tree();
  EXPECT_TRUE(watched.expired());
}

}  // namespace
}  // namespace memory_internal
}  // namespace sluice
