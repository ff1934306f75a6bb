// Histories of a store in memory, by chance: what is written, deleted, merged,
// compacted away, dropped, rolled back and written below what is there. After
// each step a backup is made on the one before it, and the chain so far is put
// together as a restore does: it must hold what the store holds.
// SLUICE_BADGER_SEED repeats a run.

#include "sluice/plugins/badger/stream/increment.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdint>
#include <functional>
#include <iostream>
#include <iterator>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/plugins/badger/format/entry.h"
#include "sluice/plugins/badger/sort/stream_entry.h"
#include "sluice/plugins/badger/stream/backup_index.h"
#include "sluice/plugins/badger/stream/live_digest.h"
#include "sluice/plugins/badger/testing/fake_payload.h"
#include "sluice/plugins/sdk/source.h"

namespace sluice {
namespace badger {
namespace {

// Of each key the versions, the newest first.
using Versions = std::map<uint64_t, OwnedEntry, std::greater<>>;
using Store = std::map<std::string, Versions>;

bool IsDead(const OwnedEntry& entry, uint64_t now) {
  return (entry.meta & kMetaDelete) != 0 ||
         (entry.expires_at != 0 && entry.expires_at <= now);
}

// What a walk shows of it.
std::vector<OwnedEntry> ShownOn(const Store& store, uint64_t now) {
  std::vector<OwnedEntry> shown;
  for (const auto& [key, versions] : store) {
    for (const auto& [version, entry] : versions) {
      shown.push_back(entry);
      const bool is_dead = IsDead(entry, now);
      if (is_dead) shown.back().value.clear();
      const bool discards = (entry.meta & kMetaDiscardEarlier) != 0;
      if (!is_dead && discards && version > 1) {
        shown.push_back({key, "", version - 1, 0, 0, kMetaDelete});
      }
      if (is_dead || discards) break;
    }
  }
  return shown;
}

LiveTotals TotalsOf(const std::vector<OwnedEntry>& entries, uint64_t now) {
  LiveDigest digest(now);
  for (const OwnedEntry& entry : entries) digest.Add(entry.View());
  return digest.totals();
}

// What an application sees of each key that is alive.
std::map<std::string, std::string> Seen(const Store& store, uint64_t now) {
  std::map<std::string, std::string> seen;
  for (const auto& [key, versions] : store) {
    for (const auto& [version, entry] : versions) {
      if (IsDead(entry, now)) break;
      absl::StrAppend(&seen[key], entry.value, " v", version, " m", entry.meta,
                      " u", entry.user_meta, " x", entry.expires_at, "; ");
      if (!MergesBelow(entry.View())) break;
    }
  }
  return seen;
}

struct Backup {
  std::vector<OwnedEntry> entries;
  std::string index;
};

// A chain of backups, and what made its last one a full one.
class Chain {
 public:
  void Add(const Store& store, uint64_t store_max_version, uint64_t now) {
    const std::vector<OwnedEntry> shown = ShownOn(store, now);
    why_full_ = backups_.empty() ? "the first" : AddIncrement(shown, now);
    if (!why_full_.empty()) AddFull(shown, now);
    max_version_ =
        std::max(backups_.size() == 1 ? 0 : max_version_, store_max_version);
  }

  // As a restore puts it together.
  Store Restored() const {
    Store store;
    for (const Backup& backup : backups_) {
      for (const OwnedEntry& entry : backup.entries) {
        store[entry.key][entry.version] = entry;
      }
    }
    return store;
  }
  const std::string& why_full() const { return why_full_; }
  const Backup& last() const { return backups_.back(); }

 private:
  std::string AddIncrement(const std::vector<OwnedEntry>& shown, uint64_t now) {
    std::vector<std::unique_ptr<FakePayload>> indexes;
    std::vector<sdk::Payload*> borrowed;
    for (const Backup& backup : backups_) {
      indexes.push_back(std::make_unique<FakePayload>(backup.index, 7));
      borrowed.push_back(indexes.back().get());
    }
    IndexChain base(borrowed);
    EXPECT_TRUE(base.Start().ok());
    Backup backup;
    const auto give = [&](const StreamEntry& entry) {
      backup.entries.push_back(OwnedEntry::Of(entry));
      return absl::OkStatus();
    };
    IndexWriter index(AppendTo(backup.index));
    Increment increment(base, max_version_, now, give, index);
    for (const OwnedEntry& entry : shown) {
      EXPECT_TRUE(increment.Take(entry.View()).ok());
    }
    EXPECT_TRUE(increment.Finish().ok());
    EXPECT_TRUE(index.Finish().ok());
    if (increment.why_full().empty()) backups_.push_back(std::move(backup));
    return increment.why_full();
  }

  void AddFull(const std::vector<OwnedEntry>& shown, uint64_t now) {
    Backup backup;
    backup.entries = shown;
    IndexWriter index(AppendTo(backup.index));
    FullIndex builder(now, index);
    for (const OwnedEntry& entry : shown) {
      EXPECT_TRUE(builder.Take(entry.View()).ok());
    }
    EXPECT_TRUE(builder.Finish().ok());
    EXPECT_TRUE(index.Finish().ok());
    backups_.clear();
    backups_.push_back(std::move(backup));
  }

  static IndexWriter::Output AppendTo(std::string& out) {
    return [&out](absl::string_view bytes) {
      out.append(bytes.data(), bytes.size());
      return absl::OkStatus();
    };
  }

  std::vector<Backup> backups_;
  uint64_t max_version_ = 0;
  std::string why_full_;
};

// A store, and what may happen to it.
class History {
 public:
  explicit History(uint64_t seed) : random_(seed) {}

  // What applications and Badger itself do every day.
  void Ordinary() {
    switch (Below(9)) {
      case 0:
      case 1:
      case 2:
        return Put(Key(), ++version_, 0);
      case 3:
        return Delete(Key());
      case 4:
        return Put(Key(), ++version_, kMetaMergeEntry);
      case 5:
        return CompactMerged(Key());
      case 6:
        return Compact(Key());
      case 7:
        return DropPrefix(absl::StrCat(Below(4)));
      default:
        return PassTime();
    }
  }
  // What is rare, and to be found out.
  void Rare() {
    switch (Below(7)) {
      case 0:
        store_.clear();  // DropAll and a restart
        version_ = 0;
        return;
      case 1:
        saved_ = store_;
        saved_version_ = version_;
        return;
      case 2:  // a roll-back, or a clone that was backed up in its place
        store_ = saved_;
        version_ = saved_version_;
        return;
      case 3:  // a load of an older file, a managed commit
        return Put(Key(), 1 + Below(version_ + 1), 0);
      case 4:
        return Put(Key(), 1 + Below(version_ + 1), kMetaMergeEntry);
      case 5: {
        Versions& versions = store_[Key()];
        if (!versions.empty()) versions.erase(versions.begin());
        return;
      }
      default:
        return DropSome(Key());
    }
  }

  const Store& store() const { return store_; }
  uint64_t now() const { return now_; }
  uint64_t max_version() const {
    uint64_t max = 0;
    for (const auto& [key, versions] : store_) {
      if (!versions.empty()) max = std::max(max, versions.begin()->first);
    }
    return max;
  }
  uint64_t Below(uint64_t end) { return random_() % end; }

 private:
  std::string Key() { return absl::StrCat(Below(4), "/", Below(6)); }

  void Put(const std::string& key, uint64_t version, uint8_t meta) {
    OwnedEntry entry = {key, absl::StrCat("value ", Below(50)), version};
    entry.meta = meta;
    entry.user_meta = static_cast<uint8_t>(Below(2));
    if (Below(8) == 0) entry.expires_at = now_ + 1 + Below(20);
    store_[key][version] = entry;
  }
  void Delete(const std::string& key) {
    ++version_;
    store_[key][version_] = {key, "", version_, 0, 0, kMetaDelete};
  }
  // A merge operator writes what it merged in the place of the newest.
  void CompactMerged(const std::string& key) {
    Versions& versions = store_[key];
    if (versions.empty() || versions.begin()->second.meta != kMetaMergeEntry) {
      return;
    }
    OwnedEntry& newest = versions.begin()->second;
    newest.value += " merged";
    newest.meta = kMetaDiscardEarlier;
  }
  // Drops what is below the newest that is not to be merged, and that as well
  // where it is dead.
  void Compact(const std::string& key) {
    Versions& versions = store_[key];
    for (auto at = versions.begin(); at != versions.end(); ++at) {
      if (MergesBelow(at->second.View()) && !IsDead(at->second, now_)) continue;
      versions.erase(IsDead(at->second, now_) ? at : std::next(at),
                     versions.end());
      return;
    }
  }
  void DropPrefix(const std::string& prefix) {
    for (auto at = store_.begin(); at != store_.end();) {
      at = at->first.substr(0, prefix.size()) == prefix && Below(3) == 0
               ? store_.erase(at)
               : std::next(at);
    }
  }
  void DropSome(const std::string& key) {
    Versions& versions = store_[key];
    for (auto at = versions.begin(); at != versions.end();) {
      at = Below(2) == 0 ? versions.erase(at) : std::next(at);
    }
  }
  void PassTime() { now_ += Below(8); }

  std::mt19937_64 random_;
  Store store_;
  Store saved_;
  uint64_t saved_version_ = 0;
  uint64_t version_ = 0;
  uint64_t now_ = 1000;
};

uint64_t SeedOfRun() {
  uint64_t seed = 0;
  const char* text = getenv("SLUICE_BADGER_SEED");
  if (text == nullptr || !absl::SimpleAtoi(text, &seed)) {
    seed = std::random_device()();
  }
  std::cout << "SLUICE_BADGER_SEED=" << seed << std::endl;
  return seed;
}

// Backs up after a few steps each; the share of increments.
double Follow(uint64_t seed, bool with_rare) {
  History history(seed);
  Chain chain;
  constexpr int kBackups = 12;
  int increments = 0;
  for (int i = 0; i < kBackups; ++i) {
    for (uint64_t steps = 1 + history.Below(20); steps > 0; --steps) {
      with_rare&& history.Below(12) == 0 ? history.Rare() : history.Ordinary();
    }
    chain.Add(history.store(), history.max_version(), history.now());
    const uint64_t now = history.now();
    EXPECT_EQ(Seen(chain.Restored(), now), Seen(history.store(), now))
        << "seed " << seed << ", backup " << i << ": " << chain.why_full();
    // And the digests that a restore compares say the same.
    EXPECT_EQ(TotalsOf(ShownOn(chain.Restored(), now), now).content,
              TotalsOf(ShownOn(history.store(), now), now).content)
        << "seed " << seed << ", backup " << i << ": " << chain.why_full();
    increments += chain.why_full().empty() ? 1 : 0;
    if (!with_rare && i > 0) {
      EXPECT_EQ(chain.why_full(), "") << "seed " << seed;
    }
  }
  return increments * 1.0 / kBackups;
}

TEST(IncrementTest, AChainHoldsWhatTheStoreDoesWhateverHappened) {
  const uint64_t seed = SeedOfRun();
  double increments = 0;
  constexpr int kHistories = 800;
  for (int i = 0; i < kHistories && !testing::Test::HasFailure(); ++i) {
    increments += Follow(seed + i, /*with_rare=*/true);
  }
  // Else nothing was tried.
  EXPECT_GT(increments / kHistories, 0.2);
  EXPECT_LT(increments / kHistories, 0.9);
}

TEST(IncrementTest, WhatHappensEveryDayNeedsNoFullBackup) {
  const uint64_t seed = SeedOfRun();
  for (int i = 0; i < 200 && !testing::Test::HasFailure(); ++i) {
    Follow(seed + i, /*with_rare=*/false);
  }
}

OwnedEntry Live(const std::string& key, uint64_t version,
                const std::string& value) {
  return {key, value, version};
}

Store StoreOf(const std::vector<OwnedEntry>& entries) {
  Store store;
  for (const OwnedEntry& entry : entries) {
    store[entry.key][entry.version] = entry;
  }
  return store;
}

TEST(IncrementTest, AKeyThatIsGoneWithoutATraceIsBuried) {
  Chain chain;
  chain.Add(StoreOf({Live("a", 1, "x"), Live("b", 2, "y")}), 2, 100);
  chain.Add(StoreOf({Live("b", 2, "y")}), 2, 100);
  EXPECT_EQ(chain.why_full(), "");
  ASSERT_EQ(chain.last().entries.size(), 1u);
  EXPECT_EQ(chain.last().entries[0].key, "a");
  EXPECT_EQ(chain.last().entries[0].version, 1u);
  EXPECT_EQ(chain.last().entries[0].meta, kMetaDelete);
  // And only once.
  chain.Add(StoreOf({Live("b", 2, "y")}), 2, 100);
  EXPECT_EQ(chain.why_full(), "");
  EXPECT_TRUE(chain.last().entries.empty());
}

TEST(IncrementTest, OtherContentUnderTheSameVersionIsNew) {
  std::vector<OwnedEntry> others(3, Live("a", 7, "x"));
  others[0].value = "y";
  others[1].user_meta = 1;
  others[2].expires_at = 1000;
  for (const OwnedEntry& other : others) {
    Chain chain;
    chain.Add(StoreOf({Live("a", 7, "x")}), 7, 100);
    chain.Add(StoreOf({other}), 7, 100);
    EXPECT_EQ(chain.why_full(), "");
    EXPECT_EQ(chain.last().entries.size(), 1u);
  }
}

TEST(IncrementTest, WhatWouldLieBelowTheBaseMakesAFullBackup) {
  const Store base = StoreOf({Live("a", 5, "x"), Live("b", 9, "y")});
  for (const Store& later :
       {StoreOf({Live("a", 4, "older"), Live("b", 9, "y")}),
        StoreOf({Live("a", 5, "x"), Live("b", 9, "y"), Live("c", 9, "z")})}) {
    Chain chain;
    chain.Add(base, 9, 100);
    chain.Add(later, 9, 100);
    EXPECT_NE(chain.why_full(), "");
  }
}

TEST(BackupIndexTest, IsReadInWhateverPieces) {
  std::string bytes;
  IndexWriter writer([&](absl::string_view more) {
    bytes.append(more.data(), more.size());
    return absl::OkStatus();
  });
  std::vector<IndexRecord> records;
  for (int i = 0; i < 300; ++i) {
    IndexRecord record;
    record.key = absl::StrCat(1000 + i, std::string(i % 50, '\xff'));
    for (int v = i % 5; v > 0; --v) {
      record.versions.push_back(
          {UINT64_MAX / 7 * v + i, 12345u * (v % 2), 0x0123456789abcdefu * v});
    }
    record.is_cut = i % 7 == 0;
    ASSERT_TRUE(writer.Add(record).ok());
    records.push_back(record);
  }
  ASSERT_TRUE(writer.Finish().ok());
  for (const size_t piece : {1, 13, 100000}) {
    FakePayload payload(bytes, piece);
    IndexReader reader(payload);
    for (const IndexRecord& expected : records) {
      ASSERT_TRUE(reader.Next().ok());
      ASSERT_TRUE(reader.Valid());
      EXPECT_EQ(reader.record().key, expected.key);
      EXPECT_EQ(reader.record().is_cut, expected.is_cut);
      ASSERT_EQ(reader.record().versions.size(), expected.versions.size());
      for (size_t i = 0; i < expected.versions.size(); ++i) {
        EXPECT_EQ(reader.record().versions[i].version,
                  expected.versions[i].version);
        EXPECT_EQ(reader.record().versions[i].expires_at,
                  expected.versions[i].expires_at);
        EXPECT_EQ(reader.record().versions[i].fingerprint,
                  expected.versions[i].fingerprint);
      }
    }
    ASSERT_TRUE(reader.Next().ok());
    EXPECT_FALSE(reader.Valid());
  }
}

TEST(BackupIndexTest, WhatIsNoIndexIsDamaged) {
  for (const std::string& bytes :
       {std::string(), std::string("SLBIDX"), std::string("SLBIDX\0\2", 8),
        std::string("SLBIDX\0\1\1\1a\0", 12),  // shares what is not there
        std::string("SLBIDX\0\1\0\0\0", 11),   // an empty key
        std::string("SLBIDX\0\1\0\1b\0\0\1a\0", 16),  // not ascending
        std::string("SLBIDX\0\1\0\1b", 11)}) {        // cut
    FakePayload payload(bytes);
    IndexReader reader(payload);
    absl::Status status = reader.Next();
    while (status.ok() && reader.Valid()) status = reader.Next();
    EXPECT_EQ(ErrorCodeOf(status), kArchiveDamaged) << bytes.size();
  }
}

}  // namespace
}  // namespace badger
}  // namespace sluice
