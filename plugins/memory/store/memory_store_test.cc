#include "sluice/plugins/memory/store/memory_store.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"

namespace sluice {
namespace {

using Contents = std::map<std::string, std::string>;

std::shared_ptr<MemoryStore> NewStore(absl::string_view store_id = "") {
  auto store = MemoryStore::Create(store_id);
  EXPECT_TRUE(store.ok()) << store.status();
  return *store;
}

Contents ContentsOf(const MemorySnapshot& snapshot, absl::string_view begin,
                    absl::string_view end) {
  Contents contents;
  std::string previous;
  snapshot.Scan(begin, end, [&](const MemoryEntry& entry) {
    EXPECT_TRUE(contents.empty() || previous < entry.key) << "order";
    previous = std::string(entry.key);
    contents[previous] = std::string(entry.value);
    return true;
  });
  return contents;
}

Contents ContentsOf(const MemorySnapshot& snapshot) {
  return ContentsOf(snapshot, "", "");
}

uint64_t Seed() {
  const uint64_t seed = std::random_device{}();
  std::cout << "seed " << seed << "\n";
  return seed;
}

TEST(MemoryStoreTest, GivesBackWhatWasPut) {
  auto store = NewStore();
  const std::string key("k\0\xff", 3);
  const std::string value("\0v", 2);
  ASSERT_TRUE(store->Put(key, value).ok());
  EXPECT_EQ(store->Get(key), value);
  EXPECT_EQ(store->Get("k"), absl::nullopt);
  ASSERT_TRUE(store->Put(key, "other").ok());
  EXPECT_EQ(store->Get(key), "other");
  EXPECT_EQ(store->stats().keys, 1u);
  EXPECT_EQ(store->stats().key_bytes, 3u);
  EXPECT_EQ(store->stats().value_bytes, 5u);
  EXPECT_TRUE(store->Delete(key));
  EXPECT_FALSE(store->Delete(key));
  EXPECT_EQ(store->Get(key), absl::nullopt);
  EXPECT_EQ(store->stats().value_bytes, 0u);
}

TEST(MemoryStoreTest, KeepsAnEmptyKeyAndAnEmptyValue) {
  auto store = NewStore();
  ASSERT_TRUE(store->Put("", "").ok());
  EXPECT_EQ(store->Get(""), "");
  EXPECT_EQ(ContentsOf(store->Snapshot()), (Contents{{"", ""}}));
}

TEST(MemoryStoreTest, RefusesKeysAndIdsBeyondTheLimits) {
  auto store = NewStore();
  EXPECT_TRUE(store->Put(std::string(kMaxMemoryKeyBytes, 'k'), "").ok());
  EXPECT_EQ(ErrorCodeOf(
                store->Put(std::string(kMaxMemoryKeyBytes + 1, 'k'), "value")),
            kInvalidArgument);
  EXPECT_TRUE(store->Put("ids", "", {std::string(1024, 'i'), "\xff"}).ok());
  for (const std::string& bad :
       {std::string(), std::string(1025, 'i'), std::string("a\nb"),
        std::string("\x7f"), std::string(1, '\0')}) {
    EXPECT_EQ(ErrorCodeOf(store->Put("bad", "", {bad})), kInvalidArgument);
  }
  WriteBatch batch;
  batch.Put("good", "");
  batch.Put("bad", "", {""});
  EXPECT_FALSE(store->Write(std::move(batch)).ok());
  EXPECT_EQ(store->Get("good"), absl::nullopt) << "half a batch was applied";
}

TEST(MemoryStoreTest, RefusesAStoreIdThatIsNone) {
  EXPECT_TRUE(MemoryStore::Create("orders-eu.1_A").ok());
  EXPECT_FALSE(MemoryStore::Create("a b").ok());
  EXPECT_FALSE(MemoryStore::Create("a/b").ok());
  EXPECT_FALSE(MemoryStore::Create(std::string(129, 'a')).ok());
}

TEST(MemoryStoreTest, KeepsPayloadIdsSortedAndDistinct) {
  auto store = NewStore();
  ASSERT_TRUE(store->Put("key", "value", {"b", "a", "b"}).ok());
  const MemorySnapshot snapshot = store->Snapshot();
  ASSERT_TRUE(store->Put("key", "value", {"c"}).ok());
  const auto entry = snapshot.Get("key");
  ASSERT_TRUE(entry.has_value());
  EXPECT_EQ(std::vector<std::string>(entry->payload_ids.begin(),
                                     entry->payload_ids.end()),
            (std::vector<std::string>{"a", "b"}));
}

TEST(MemoryStoreTest, ScansARangeUntilTheVisitorHasEnough) {
  auto store = NewStore();
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(store->Put(absl::StrCat("k", i), "").ok());
  }
  EXPECT_EQ(ContentsOf(store->Snapshot(), "k5", "k6").size(), 111u);
  int seen = 0;
  store->Scan("k2", "", [&](const MemoryEntry&) { return ++seen < 7; });
  EXPECT_EQ(seen, 7);
}

TEST(MemoryStoreTest, AVisitorMayChangeTheStore) {
  auto store = NewStore();
  for (int i = 0; i < 300; ++i) {
    ASSERT_TRUE(store->Put(absl::StrCat(i), "").ok());
  }
  int seen = 0;
  store->Scan("", "", [&](const MemoryEntry& entry) {
    ++seen;
    return store->Delete(entry.key);
  });
  EXPECT_EQ(seen, 300);
  EXPECT_EQ(store->stats().keys, 0u);
}

// Random operations against std::map; snapshots taken in between must still
// show what the map was then, at the end of it all.
TEST(MemoryStoreTest, BehavesAsAMapAndItsSnapshotsAsCopiesOfIt) {
  std::mt19937_64 random(Seed());
  auto store = NewStore();
  Contents model;
  std::vector<std::pair<MemorySnapshot, Contents>> taken;
  // A phase that grows, one that shrinks, so that nodes split and merge.
  for (int step = 0; step < 60000; ++step) {
    const std::string key = absl::StrCat(random() % 5000);
    const bool shrinks = step / 15000 % 2 == 1;
    if (random() % 10 < (shrinks ? 8u : 2u)) {
      EXPECT_EQ(store->Delete(key), model.erase(key) == 1);
    } else {
      const std::string value = absl::StrCat("value ", step);
      ASSERT_TRUE(store->Put(key, value).ok());
      model[key] = value;
    }
    if (random() % 4000 == 0) taken.emplace_back(store->Snapshot(), model);
    if (random() % 500 == 0) {
      const std::string begin = absl::StrCat(random() % 5000);
      ASSERT_EQ(ContentsOf(store->Snapshot(), begin, ""),
                Contents(model.lower_bound(begin), model.end()));
    }
  }
  taken.emplace_back(store->Snapshot(), model);
  for (const auto& [snapshot, then] : taken) {
    EXPECT_EQ(ContentsOf(snapshot), then);
    EXPECT_EQ(snapshot.stats().keys, then.size());
  }
  for (const auto& [key, value] : model) EXPECT_EQ(store->Get(key), value);
}

TEST(MemoryStoreTest, ASnapshotOutlivesItsStore) {
  auto store = NewStore("orders");
  ASSERT_TRUE(store->Put("key", "value").ok());
  const MemorySnapshot snapshot = store->Snapshot();
  store.reset();
  EXPECT_EQ(snapshot.Get("key")->value, "value");
  EXPECT_EQ(snapshot.store_id(), "orders");
}

// Writers move amounts between accounts; the sum never changes. A snapshot that
// saw half a transfer would show another sum.
TEST(MemoryStoreTest, NoSnapshotIsTornWhileWritersGoOn) {
  constexpr int kAccounts = 500;
  constexpr int kStart = 1000;
  constexpr int kSnapshots = 300;
  auto store = NewStore();
  for (int i = 0; i < kAccounts; ++i) {
    ASSERT_TRUE(
        store->Put(absl::StrCat("account/", i), absl::StrCat(kStart)).ok());
  }
  const uint64_t seed = Seed();
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> transfers{0};
  // Each writer owns its half of the accounts: it may read, then write.
  const auto writer = [&](int half) {
    std::mt19937_64 random(seed + half);
    const auto account = [&] {
      return absl::StrCat("account/", random() % (kAccounts / 2) * 2 + half);
    };
    while (!stop.load()) {
      const std::string from = account();
      const std::string to = account();
      if (from == to) continue;
      int from_sum = 0;
      int to_sum = 0;
      ASSERT_TRUE(absl::SimpleAtoi(*store->Get(from), &from_sum));
      ASSERT_TRUE(absl::SimpleAtoi(*store->Get(to), &to_sum));
      WriteBatch batch;
      batch.Put(from, absl::StrCat(from_sum - 1));
      batch.Put(to, absl::StrCat(to_sum + 1));
      ASSERT_TRUE(store->Write(std::move(batch)).ok());
      transfers.fetch_add(1);
    }
  };
  std::thread first(writer, 0);
  std::thread second(writer, 1);
  for (int i = 0; i < kSnapshots; ++i) {
    const uint64_t before = transfers.load();
    const MemorySnapshot snapshot = store->Snapshot();
    while (transfers.load() < before + 20) std::this_thread::yield();
    int64_t sum = 0;
    uint64_t keys = 0;
    snapshot.Scan("account/", "", [&](const MemoryEntry& entry) {
      int amount = 0;
      EXPECT_TRUE(absl::SimpleAtoi(entry.value, &amount));
      sum += amount;
      ++keys;
      return true;
    });
    EXPECT_EQ(keys, static_cast<uint64_t>(kAccounts));
    EXPECT_EQ(sum, int64_t{kAccounts} * kStart) << "snapshot " << i;
  }
  stop.store(true);
  first.join();
  second.join();
}

TEST(MemoryStoreTest, AdoptsARestoredStoreAtOnce) {
  auto restored = NewStore();
  ASSERT_TRUE(restored->Put("key", "value").ok());
  auto store = NewStore();
  const MemorySnapshot before = store->Snapshot();
  ASSERT_TRUE(store->Adopt(restored, "orders").ok());
  EXPECT_EQ(store->store_id(), "orders");
  EXPECT_EQ(store->Get("key"), "value");
  EXPECT_EQ(before.stats().keys, 0u);
}

TEST(MemoryStoreTest, AdoptsOnlyWhereItIsEmptyAndKeepsItsOwnId) {
  auto restored = NewStore();
  ASSERT_TRUE(restored->Put("key", "restored").ok());
  auto store = NewStore("mine");
  ASSERT_TRUE(store->Put("key", "mine").ok());
  EXPECT_EQ(ErrorCodeOf(store->Adopt(restored, "theirs")),
            kRestorePreconditionFailed);
  EXPECT_EQ(store->Get("key"), "mine");
  store->Delete("key");
  EXPECT_TRUE(store->Adopt(restored, "theirs").ok());
  EXPECT_EQ(store->store_id(), "mine");
}

// The adopted nodes come from another store's generations: one of them may bear
// the number that this store is at.
TEST(MemoryStoreTest, ASnapshotAfterAnAdoptionStaysAsItWas) {
  for (int snapshots = 0; snapshots < 5; ++snapshots) {
    auto restored = NewStore();
    for (int i = 0; i < snapshots; ++i) (void)restored->Snapshot();
    ASSERT_TRUE(restored->Put("key", "old").ok());
    const MemorySnapshot earlier = restored->Snapshot();
    auto store = NewStore();
    for (int i = 0; i < 2; ++i) (void)store->Snapshot();
    ASSERT_TRUE(store->Adopt(restored, "").ok());
    ASSERT_TRUE(store->Put("key", "new").ok());
    EXPECT_EQ(earlier.Get("key")->value, "old") << snapshots;
  }
}

}  // namespace
}  // namespace sluice
