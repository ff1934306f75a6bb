#include "sluice/plugins/memory/memory_source.h"

#include <gtest/gtest.h>

#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "sluice/base/error.h"
#include "sluice/plugins/memory/store/memory_store.h"
#include "sluice/plugins/sdk/testing/fake_sink.h"

namespace sluice {
namespace {

std::shared_ptr<MemoryStore> NewStore(absl::string_view store_id = "") {
  return *MemoryStore::Create(store_id);
}

std::map<std::string, std::string> ContentsOf(const MemoryStore& store) {
  std::map<std::string, std::string> contents;
  store.Scan("", "", [&](const MemoryEntry& entry) {
    contents[std::string(entry.key)] = std::string(entry.value);
    return true;
  });
  return contents;
}

absl::Status Backup(std::shared_ptr<MemoryStore> store, sdk::Sink& sink) {
  return MakeMemorySource(store)->Backup(sdk::Run(), {}, sink);
}

absl::Status Restore(std::shared_ptr<MemoryStore> store,
                     const std::string& payload,
                     absl::Status outcome = absl::OkStatus()) {
  sdk::FakePayload reader(payload, 100, outcome);
  sdk::FakeRestoreRequest request({&reader}, "theirs");
  return MakeMemorySource(store)->Restore(sdk::Run(), request);
}

TEST(MemorySourceTest, BringsBackKeysValuesAndPayloadIds) {
  auto store = NewStore("mine");
  ASSERT_TRUE(store->Put("", "value of the empty key").ok());
  ASSERT_TRUE(store->Put("\xff", "", {"block-2", "block-1"}).ok());
  ASSERT_TRUE(store->Put("big", std::string(100000, 'x'), {"block-1"}).ok());
  sdk::FakeSink sink;
  ASSERT_TRUE(Backup(store, sink).ok());
  EXPECT_EQ(sink.counts, (sdk::Counts{{"keys", 3}, {"bytes", 100022}}));
  EXPECT_EQ(sink.payload_ids, (std::set<std::string>{"block-1", "block-2"}));
  EXPECT_TRUE(sink.warnings.empty());

  auto restored = NewStore();
  ASSERT_TRUE(Restore(restored, sink.payload).ok());
  EXPECT_EQ(ContentsOf(*restored), ContentsOf(*store));
  EXPECT_EQ(restored->store_id(), "theirs");
  // A backup of what was restored refers to the same blocks.
  sdk::FakeSink again;
  ASSERT_TRUE(Backup(restored, again).ok());
  EXPECT_EQ(again.payload, sink.payload);
  EXPECT_EQ(again.payload_ids, sink.payload_ids);
}

TEST(MemorySourceTest, EstimatesWhatItWrites) {
  auto store = NewStore();
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(store->Put(absl::StrCat(i), std::string(i + 1, 'v')).ok());
  }
  sdk::FakeSink sink(1 << 20);
  ASSERT_TRUE(Backup(store, sink).ok());
  EXPECT_NEAR(static_cast<double>(sink.estimate),
              static_cast<double>(sink.size), sink.size * 0.01);
}

TEST(MemorySourceTest, ABackupShowsTheInstantItBeganAt) {
  // A sink that changes the store whenever it is given something.
  class MeddlingSink : public sdk::FakeSink {
   public:
    explicit MeddlingSink(std::shared_ptr<MemoryStore> store)
        : sdk::FakeSink(64), store_(std::move(store)) {}
    absl::Status Commit(size_t bytes) override {
      EXPECT_TRUE(store_->Put("zzz new", "new").ok());
      EXPECT_TRUE(store_->Put("k500", "changed").ok());
      store_->Delete("k999");
      return sdk::FakeSink::Commit(bytes);
    }
    std::shared_ptr<MemoryStore> store_;
  };
  auto store = NewStore();
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(store->Put(absl::StrCat("k", i), "old").ok());
  }
  const auto before = ContentsOf(*store);
  MeddlingSink sink(store);
  ASSERT_TRUE(Backup(store, sink).ok());
  auto restored = NewStore();
  ASSERT_TRUE(Restore(restored, sink.payload).ok());
  EXPECT_EQ(ContentsOf(*restored), before);
}

TEST(MemorySourceTest, KeepsAnIdOfItsOwnAtARestore) {
  sdk::FakeSink sink;
  ASSERT_TRUE(Backup(NewStore(), sink).ok());
  auto target = NewStore("mine");
  ASSERT_TRUE(Restore(target, sink.payload).ok());
  EXPECT_EQ(target->store_id(), "mine");
}

TEST(MemorySourceTest, RestoresOnlyIntoAnEmptyStore) {
  auto store = NewStore();
  ASSERT_TRUE(store->Put("key", "value").ok());
  sdk::FakeSink sink;
  ASSERT_TRUE(Backup(store, sink).ok());
  EXPECT_EQ(ErrorCodeOf(Restore(store, sink.payload)),
            kRestorePreconditionFailed);
  auto info = MakeMemorySource(store)->Describe(sdk::Run());
  ASSERT_TRUE(info.ok());
  EXPECT_FALSE(info->empty);
  EXPECT_TRUE(MakeMemorySource(NewStore())->Describe(sdk::Run())->empty);
}

TEST(MemorySourceTest, NothingIsVisibleUnlessTheEndCame) {
  auto store = NewStore();
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(store->Put(absl::StrCat(i), "value").ok());
  }
  sdk::FakeSink sink;
  ASSERT_TRUE(Backup(store, sink).ok());
  auto target = NewStore();
  // All the bytes, but the reader found damage at its end.
  EXPECT_EQ(ErrorCodeOf(Restore(target, sink.payload,
                                MakeError(absl::StatusCode::kDataLoss,
                                          kArchiveDamaged, "last byte"))),
            kArchiveDamaged);
  EXPECT_EQ(target->stats().keys, 0u);
  EXPECT_EQ(target->store_id(), "");
  for (size_t cut = 0; cut < sink.payload.size(); cut += 13) {
    EXPECT_EQ(ErrorCodeOf(Restore(target, sink.payload.substr(0, cut))),
              kArchiveDamaged);
    ASSERT_EQ(target->stats().keys, 0u) << cut;
  }
}

TEST(MemorySourceTest, OnABaseItSaysThatItIsAFullBackup) {
  sdk::FakeSink sink;
  sdk::BackupRequest request;
  request.has_base = true;
  ASSERT_TRUE(
      MakeMemorySource(NewStore())->Backup(sdk::Run(), request, sink).ok());
  EXPECT_EQ(sink.metadata, (sdk::Metadata{{"sluice.full", "1"}}));
}

TEST(MemorySourceTest, TheLastPayloadOfAChainIsTheState) {
  auto old = NewStore();
  ASSERT_TRUE(old->Put("old", "").ok());
  auto current = NewStore();
  ASSERT_TRUE(current->Put("current", "").ok());
  sdk::FakeSink first;
  sdk::FakeSink second;
  ASSERT_TRUE(Backup(old, first).ok());
  ASSERT_TRUE(Backup(current, second).ok());
  sdk::FakePayload one(first.payload);
  sdk::FakePayload two(second.payload);
  sdk::FakeRestoreRequest request({&one, &two});
  auto target = NewStore();
  ASSERT_TRUE(MakeMemorySource(target)->Restore(sdk::Run(), request).ok());
  EXPECT_EQ(ContentsOf(*target), ContentsOf(*current));
  EXPECT_TRUE(one.ended()) << "each is read to its end";
  sdk::FakeRestoreRequest nothing({});
  EXPECT_FALSE(MakeMemorySource(NewStore())->Restore(sdk::Run(), nothing).ok());
}

TEST(MemorySourceTest, ACancelledRunEndsTheBackup) {
  auto store = NewStore();
  ASSERT_TRUE(store->Put("key", std::string(10000, 'x')).ok());
  sdk::FakeSink sink(100);
  sink.fail_after = 5;
  EXPECT_EQ(Backup(store, sink).code(), absl::StatusCode::kCancelled);
  EXPECT_EQ(sink.ends, 0);
}

}  // namespace
}  // namespace sluice
