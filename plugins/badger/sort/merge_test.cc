#include "sluice/plugins/badger/sort/merge.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace sluice {
namespace badger {
namespace {

struct Entry {
  std::string key;
  uint64_t version;
  std::string value;
};

// Entries in memory, sorted.
class FakeSource final : public EntrySource {
 public:
  explicit FakeSource(std::vector<Entry> entries)
      : entries_(std::move(entries)) {
    std::sort(entries_.begin(), entries_.end(),
              [](const Entry& a, const Entry& b) {
                return Compare({a.key, a.version}, {b.key, b.version}) < 0;
              });
  }

  absl::Status Seek(absl::string_view user_key) override {
    at_ = 0;
    while (Valid() && absl::string_view(entries_[at_].key) < user_key) ++at_;
    return absl::OkStatus();
  }
  absl::Status Next() override {
    ++at_;
    return fails_at_ == at_ ? absl::DataLossError("damage") : absl::OkStatus();
  }
  bool Valid() const override { return at_ < entries_.size(); }
  InternalKey key() const override {
    return {entries_[at_].key, entries_[at_].version};
  }
  StoredValue value() const override {
    StoredValue value;
    value.bytes = entries_[at_].value;
    return value;
  }

  void FailAt(size_t at) { fails_at_ = at; }

 private:
  std::vector<Entry> entries_;
  size_t at_ = 0;
  size_t fails_at_ = SIZE_MAX;
};

TEST(MergeTest, ShowsTheNewestSourceFirstAndTheNewestVersionFirst) {
  FakeSource newest({{"b", 2, "new"}});
  FakeSource older({{"a", 1, "a1"}, {"b", 2, "old"}, {"b", 3, "b3"}});
  Merge merge({&newest, &older});
  ASSERT_TRUE(merge.Seek("").ok());
  EXPECT_EQ(merge.key().user_key, "a");
  ASSERT_TRUE(merge.Next().ok());
  EXPECT_EQ(merge.key().version, 3u);
  EXPECT_EQ(merge.places(), std::vector<size_t>{1});
  ASSERT_TRUE(merge.Next().ok());
  EXPECT_EQ(merge.key().version, 2u);
  ASSERT_EQ(merge.values().size(), 2u);
  EXPECT_EQ(merge.values()[0].bytes, "new");
  EXPECT_EQ(merge.values()[1].bytes, "old");
  EXPECT_EQ(merge.places(), (std::vector<size_t>{0, 1}));
  ASSERT_TRUE(merge.Next().ok());
  EXPECT_FALSE(merge.Valid());
}

TEST(MergeTest, OfNothingIsEmpty) {
  Merge none({});
  ASSERT_TRUE(none.Seek("").ok());
  EXPECT_FALSE(none.Valid());
  FakeSource empty({});
  Merge merge({&empty});
  ASSERT_TRUE(merge.Seek("").ok());
  EXPECT_FALSE(merge.Valid());
}

TEST(MergeTest, ComparesKeysAndNotTheirStoredForms) {
  // As stored bytes "a" with its version would lie behind "a\0…".
  FakeSource source({{"a", 1, ""}, {std::string("a\0", 2), UINT64_MAX, ""}});
  Merge merge({&source});
  ASSERT_TRUE(merge.Seek("").ok());
  EXPECT_EQ(merge.key().user_key, "a");
}

TEST(MergeTest, TellsAnErrorOfASource) {
  FakeSource good({{"a", 1, ""}, {"c", 1, ""}});
  FakeSource bad({{"b", 1, ""}, {"d", 1, ""}});
  bad.FailAt(1);
  Merge merge({&good, &bad});
  ASSERT_TRUE(merge.Seek("").ok());
  ASSERT_TRUE(merge.Next().ok());
  EXPECT_TRUE(absl::IsDataLoss(merge.Next()));
}

TEST(MergeTest, IsWhatASortedMapIs) {
  const uint32_t seed = std::random_device()();
  std::cout << "seed " << seed << std::endl;
  std::mt19937 random(seed);
  const auto draw = [&random](int limit) {
    return std::uniform_int_distribution<int>(0, limit - 1)(random);
  };
  for (int round = 0; round < 200; ++round) {
    // Of equal keys and versions the first source's is the first value.
    std::map<std::pair<std::string, uint64_t>, std::string> expected;
    std::vector<FakeSource> sources;
    for (int i = 0; i < draw(6); ++i) {
      std::map<std::pair<std::string, uint64_t>, std::string> own;
      for (int n = draw(20); n > 0; --n) {
        own[{std::string(1, static_cast<char>('a' + draw(4))), ~draw(4)}] =
            std::to_string(draw(1000));
      }
      std::vector<Entry> entries;
      for (const auto& [key, value] : own) {
        entries.push_back({key.first, ~key.second, value});
      }
      expected.insert(own.begin(), own.end());
      sources.emplace_back(std::move(entries));
    }
    std::vector<EntrySource*> borrowed;
    for (FakeSource& source : sources) borrowed.push_back(&source);
    Merge merge(borrowed);
    ASSERT_TRUE(merge.Seek("").ok());
    for (const auto& [key, value] : expected) {
      ASSERT_TRUE(merge.Valid());
      EXPECT_EQ(merge.key().user_key, key.first);
      EXPECT_EQ(merge.key().version, ~key.second);
      EXPECT_EQ(merge.values().front().bytes, value);
      ASSERT_TRUE(merge.Next().ok());
    }
    EXPECT_FALSE(merge.Valid());
  }
}

}  // namespace
}  // namespace badger
}  // namespace sluice
